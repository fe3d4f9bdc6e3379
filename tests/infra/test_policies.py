"""The rules pass on every plan of ours, and each rejects what it is there to reject."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from rules import access, data, stores
from rules.model import UNKNOWN, Planned, Rule, Violation
from tests.infra.plans import CONFIGS, as_planned, plan

RULES = {rule.name: rule for rule in (*data.RULES, *access.RULES, *stores.RULES)}


def violations(rule: Rule, resources: list[Planned]) -> list[Violation]:
    if not rule.alone:
        return list(rule.check(resources))
    return [violation for resource in resources for violation in rule.check([resource])]


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.mandatory], ids=lambda rule: rule.name)
def test_our_own_plans_keep_every_mandatory_rule(rule: Rule, name: str):
    assert not violations(rule, as_planned(plan(name)))


@pytest.mark.parametrize("name", CONFIGS)
def test_snapshots_are_on_wherever_the_provider_makes_them(name: str):
    assert not violations(RULES["snapshots-on"], as_planned(plan(name)))


@pytest.mark.parametrize("name", CONFIGS)
def test_the_app_backs_itself_up_everywhere(name: str):
    assert not violations(RULES["backup-on"], as_planned(plan(name)))


def test_nfs_is_said_to_be_in_clear_and_nothing_else_is():
    said = {name for name in CONFIGS if violations(RULES["nfs-encrypted"], as_planned(plan(name)))}
    assert said == {name for name in CONFIGS if name.startswith("gcp-filestore")}


Change = Callable[[Planned], Planned | None]


def broken(name: str, type_: str, change: Change) -> list[Planned]:
    """A plan of ours in which every resource of a type (or of a type and name) is changed; None takes it away."""
    resources = as_planned(plan(name))
    meant = [one for one in resources if one.type.endswith(type_) or f"{one.type} {one.name}".endswith(type_)]
    assert meant, f"{name} has no {type_}"
    changed = [change(resource) if resource in meant else resource for resource in resources]
    return [resource for resource in changed if resource]


def unprotected(resource: Planned) -> Planned:
    return dataclasses.replace(resource, protect=False)


def gone(_resource: Planned) -> None:
    return None


def props(**new: Any) -> Change:
    return lambda resource: dataclasses.replace(resource, props={**resource.props, **new})


def inside(path: str, value: Any) -> Change:
    """Sets one value deep inside."""

    def change(resource: Planned) -> Planned:
        copy = json.loads(json.dumps(dict(resource.props)))
        at = copy
        *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        for key in way:
            at = at[key]
        at[last] = value
        return dataclasses.replace(resource, props=copy)

    return change


def text(prop: str, old: str, new: str) -> Change:
    """Replaces a piece of a document that is one string."""

    def change(resource: Planned) -> Planned:
        written = resource.props[prop]
        whole = written if isinstance(written, str) else json.dumps(written)
        assert old in whole, whole
        replaced = whole.replace(old, new)
        return dataclasses.replace(
            resource, props={**resource.props, prop: replaced if isinstance(written, str) else json.loads(replaced)}
        )

    return change


def other_store(prop: str) -> Change:
    """The mount comes from something that the stack doesn't hold."""
    return lambda resource: dataclasses.replace(resource, depends={**resource.depends, prop: ()})


def first_to_start(resource: Planned) -> Planned:
    return dataclasses.replace(resource, delete_before_replace=False)


APP = "container:Container hosting-container"
OPEN: Mapping[str, Any] = {"cidrIpv4": "0.0.0.0/0", "fromPort": 0, "toPort": 65535}
BROKEN: list[tuple[str, str, str, Change]] = [
    ("data-protected", "azure-smb", "storage:FileShare", unprotected),
    ("data-protected", "azure-smb", "storage:StorageAccount", unprotected),
    ("data-protected", "azure-smb", "storage:FileServiceProperties", unprotected),
    ("data-protected", "azure-smb", "resources:ResourceGroup", unprotected),
    ("data-protected", "azure-smb", "recoveryservices:Vault", unprotected),
    ("data-protected", "azure-smb", "recoveryservices:ProtectionContainer", unprotected),
    ("data-protected", "azure-smb", "authorization:ManagementLockByScope", unprotected),
    ("data-protected", "aws-efs", "fileSystem:FileSystem", unprotected),
    ("data-protected", "aws-efs", "backup/vault:Vault", unprotected),
    ("data-protected", "gcp-disk", "disk:Disk", unprotected),
    ("data-protected", "gcp-filestore", "filestore/instance:Instance", unprotected),
    ("data-protected", "docker-volume", "volume:Volume", unprotected),
    ("database-on-mount", "azure-smb", "web:WebApp", text("siteConfig", "/app/data/task_manager.db", "/home/site/db")),
    ("database-on-mount", "azure-smb", "web:WebApp", inside("siteConfig.azureStorageAccounts", {})),
    ("database-on-mount", "azure-smb", "web:WebApp", other_store("siteConfig")),
    (
        "database-on-mount",
        "aws-efs",
        "TaskDefinition hosting-task",
        text("containerDefinitions", "/app/data/task", "/app/task"),
    ),
    ("database-on-mount", "aws-efs", "TaskDefinition", other_store("volumes")),
    ("database-on-mount", "gcp-disk", "compute/instance:Instance", other_store("attachedDisks")),
    ("database-on-mount", "gcp-disk", "compute/instance:Instance", props(metadata={"user-data": "#cloud-config"})),
    ("database-on-mount", "gcp-disk", "compute/instance:Instance", text("metadata", "/app/data/task_m", "/tmp/task_m")),
    (
        "database-on-mount",
        "gcp-filestore",
        "cloudrunv2/service:Service",
        text("template", "/app/data/task_m", "/x/task_m"),
    ),
    ("database-on-mount", "gcp-filestore", "cloudrunv2/service:Service", other_store("template")),
    (
        "database-on-mount",
        "docker-volume",
        APP,
        text("envs", "/app/data/task_m", "/app/data2/task_m"),
    ),
    ("database-on-mount", "docker-volume", APP, other_store("mounts")),
    ("database-on-mount", "docker-volume", APP, props(mounts=[])),
    ("one-writer", "azure-smb", "web:WebApp", inside("siteConfig.numberOfWorkers", 2)),
    ("one-writer", "azure-smb", "web:AppServicePlan", inside("sku.capacity", 2)),
    ("one-writer", "aws-efs", "ecs/service:Service", props(desiredCount=2)),
    ("one-writer", "aws-efs", "ecs/service:Service", props(deploymentMaximumPercent=300)),
    ("one-writer", "aws-efs-ready", "ecs/service:Service", props(deploymentMaximumPercent=200)),
    ("one-writer", "aws-efs", "docker-build:index:Image", gone),
    ("one-writer", "azure-smb", "docker-build:index:Image", gone),
    ("one-writer", "azure-smb-ready", "web:WebApp", text("siteConfig", "DISABLE_OVERLAPPED", "OTHER")),
    ("one-writer", "gcp-filestore", "docker-build:index:Image", gone),
    ("one-writer", "gcp-filestore-ready", "cloudrunv2/service:Service", first_to_start),
    ("one-writer", "gcp-disk", "compute/instance:Instance", first_to_start),
    ("one-writer", "gcp-filestore", "cloudrunv2/service:Service", inside("template.scaling.maxInstanceCount", 3)),
    ("one-writer", "gcp-filestore", "cloudrunv2/service:Service", inside("template.scaling", {})),
    ("one-writer", "docker-volume", APP, first_to_start),
    ("snapshots-on", "azure-smb", "recoveryservices:ProtectedItem", gone),
    ("snapshots-on", "azure-smb", "recoveryservices:ProtectedItem", inside("properties.policyId", "")),
    ("snapshots-on", "aws-efs", "backup/selection:Selection", gone),
    ("snapshots-on", "gcp-disk", "DiskResourcePolicyAttachment", gone),
    ("snapshots-on", "gcp-filestore", "cloudscheduler/job:Job", gone),
    ("smb-and-efs-encrypted", "azure-smb", "storage:StorageAccount", props(enableHttpsTrafficOnly=False)),
    (
        "smb-and-efs-encrypted",
        "aws-efs",
        "TaskDefinition",
        inside("volumes.0.efsVolumeConfiguration.transitEncryption", "DISABLED"),
    ),
    ("smb-and-efs-encrypted", "aws-efs", "FileSystemPolicy", gone),
    ("smb-and-efs-encrypted", "aws-efs", "FileSystemPolicy", text("policy", "Deny", "Allow")),
    ("storage-ports-closed", "aws-efs", "SecurityGroupIngressRule", props(**OPEN)),
    ("storage-ports-closed", "aws-efs", "SecurityGroupIngressRule", props(cidrIpv6="::/0", fromPort=2049, toPort=2049)),
    (
        "storage-ports-closed",
        "aws-efs",
        "securityGroup:SecurityGroup",
        props(ingress=[{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]),
    ),
    (
        "storage-ports-closed",
        "gcp-disk",
        "firewall:Firewall",
        props(sourceRanges=["0.0.0.0/0"], allows=[{"protocol": "tcp", "ports": ["2000-3000"]}]),
    ),
    (
        "storage-ports-closed",
        "gcp-disk",
        "firewall:Firewall",
        props(sourceRanges=["0.0.0.0/0"], allows=[{"protocol": "all"}]),
    ),
    ("https-only", "azure-smb", "web:WebApp", props(httpsOnly=False)),
    ("https-only", "gcp-disk", "firewall:Firewall", props(sourceRanges=["0.0.0.0/0"])),
    ("https-only", "docker-volume", APP, inside("ports.0.ip", "0.0.0.0")),
    ("no-publishing", "azure-smb", "web:WebAppScmAllowed", props(allow=True)),
    ("no-publishing", "azure-smb", "web:WebAppFtpAllowed", gone),
    (
        "read-only-root",
        "aws-efs",
        "TaskDefinition restore-task",
        text("containerDefinitions", '"readonlyRootFilesystem": true', '"readonlyRootFilesystem": false'),
    ),
    ("read-only-root", "docker-volume", APP, props(readOnly=False)),
    ("vaults-locked", "aws-efs", "VaultLockConfiguration", gone),
    ("vaults-locked", "aws-efs-full", "VaultLockConfiguration snapshots-copies-lock", gone),
    ("vaults-locked", "aws-efs", "VaultLockConfiguration", props(changeableForDays=3)),
    ("no-plain-secrets", "azure-smb", "web:WebApp", text("siteConfig", "@Microsoft.KeyVault(SecretUri=", "plain")),
    (
        "no-plain-secrets",
        "aws-efs",
        "TaskDefinition hosting-task",
        text("containerDefinitions", '"TRUSTED_PROXIES", "value": "1"', '"ADMIN_PASSWORD", "value": "hunter2"'),
    ),
    (
        "no-plain-secrets",
        "gcp-filestore",
        "cloudrunv2/service:Service",
        text("template", '"name": "TRUSTED_PROXIES"', '"name": "SESSION_SECRET"'),
    ),
    (
        "no-plain-secrets",
        "docker-volume",
        APP,
        text("envs", "ADMIN_PASSWORD_FILE=/run/secrets/admin_password", "ADMIN_PASSWORD=hunter2"),
    ),
    ("no-public-blobs", "azure-smb", "storage:StorageAccount", props(allowBlobPublicAccess=True)),
    ("no-public-blobs", "azure-smb", "storage:StorageAccount", props(allowBlobPublicAccess=None)),
    ("data-protected", "aws-efs", "s3/bucket:Bucket", unprotected),
    ("data-protected", "aws-efs", "BucketVersioning", unprotected),
    ("data-protected", "aws-efs", "BucketPolicy", unprotected),
    ("store-private", "aws-efs", "BucketPublicAccessBlock", gone),
    ("store-private", "aws-efs", "BucketPublicAccessBlock", props(blockPublicPolicy=False)),
    ("store-private", "aws-efs", "BucketPublicAccessBlock", other_store("bucket")),
    ("store-private", "aws-efs", "BucketPolicy", gone),
    ("store-private", "aws-efs", "BucketPolicy", text("policy", "SecureTransport", "ViaAWSService")),
    ("store-versioned", "aws-efs", "BucketVersioning", gone),
    ("store-versioned", "aws-efs", "BucketVersioning", inside("versioningConfiguration.status", "Suspended")),
    ("store-versioned", "aws-efs", "BucketPolicy", text("policy", "s3:DeleteObjectVersion", "s3:DeleteBucket")),
    (
        "store-versioned",
        "aws-efs",
        "BucketPolicy",
        text("policy", '"Principal": {"AWS": "*"}', '"Principal": {"AWS": "x"}'),
    ),
    # A refusal that leaves the bucket itself out, that is about one person, one verb, or one address.
    ("store-private", "aws-efs", "BucketPolicy", text("policy", 'store-backups", ', 'store-backups/x", ')),
    (
        "store-private",
        "aws-efs",
        "BucketPolicy",
        text("policy", '"Principal": {"AWS": "*"}', '"Principal": {"AWS": "x"}'),
    ),
    ("store-private", "aws-efs", "BucketPolicy", text("policy", '"s3:*"', '"s3:PutObject"')),
    (
        "store-private",
        "aws-efs",
        "BucketPolicy",
        text("policy", '"Bool":', '"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Bool":'),
    ),
    ("store-versioned", "aws-efs", "BucketPolicy", text("policy", "/*", "/once/x")),
    # Or about one folder of it alone.
    ("store-versioned", "aws-efs", "BucketPolicy", text("policy", "/*", "/once/*")),
    ("store-private", "aws-efs", "BucketPolicy", text("policy", "/*", "/once/*")),
    (
        "store-keeps",
        "aws-efs",
        "s3/bucket:Bucket",
        props(lifecycleRules=[{"enabled": True, "expiration": {"days": 1}}]),
    ),
    ("store-keeps", "aws-efs", "BucketLifecycleConfiguration", inside("rules.0.expiration", {"days": 90})),
    ("store-keeps", "aws-efs", "BucketLifecycleConfiguration", inside("rules.0.expiration", {"date": "2027-01-01"})),
    (
        "store-keeps",
        "aws-efs",
        "BucketLifecycleConfiguration",
        inside("rules.0.noncurrentVersionExpiration.noncurrentDays", 1),
    ),
    (
        "store-keeps",
        "azure-smb",
        "storage:ManagementPolicy",
        inside("policy.rules.0.definition.actions.baseBlob", {"delete": {"daysAfterModificationGreaterThan": 90}}),
    ),
    (
        "store-keeps",
        "gcp-disk",
        "storage/bucket:Bucket",
        props(lifecycleRules=[{"action": {"type": "Delete"}, "condition": {"age": 90}}]),
    ),
    ("store-versioned", "azure-smb", "authorization:RoleDefinition", gone),
    ("store-versioned", "azure-smb", "RoleAssignment store-write", other_store("roleDefinitionId")),
    (
        "store-versioned",
        "azure-smb",
        "authorization:RoleDefinition",
        inside("permissions.0.actions", ["Microsoft.Storage/storageAccounts/blobServices/containers/*"]),
    ),
    (
        "store-versioned",
        "azure-smb",
        "authorization:RoleDefinition",
        inside("permissions.0.dataActions", ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*"]),
    ),
    (
        "store-versioned",
        "azure-smb",
        "authorization:RoleDefinition",
        inside(
            "permissions.0.dataActions",
            ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/permanentDelete/action"],
        ),
    ),
    ("smb-and-efs-encrypted", "azure-smb", "StorageAccount storage-account", props(minimumTlsVersion="TLS1_0")),
    ("smb-and-efs-encrypted", "azure-smb", "StorageAccount store-account", props(minimumTlsVersion=None)),
    ("smb-and-efs-encrypted", "aws-efs", "FileSystemPolicy", text("policy", "Client*", "ClientMount")),
    ("data-protected", "azure-smb", "storage:BlobContainer", unprotected),
    ("data-protected", "gcp-disk", "storage/bucket:Bucket", unprotected),
    ("data-protected", "docker-volume", "volume:Volume store-volume", unprotected),
    ("store-private", "azure-smb", "storage:StorageAccount store-account", props(allowSharedKeyAccess=True)),
    ("store-private", "azure-smb", "storage:StorageAccount store-account", props(allowSharedKeyAccess=None)),
    ("store-private", "azure-smb", "storage:StorageAccount store-account", props(enableHttpsTrafficOnly=False)),
    ("store-private", "azure-smb", "storage:BlobContainer", props(publicAccess="Blob")),
    ("store-private", "gcp-disk", "storage/bucket:Bucket", props(uniformBucketLevelAccess=False)),
    ("no-public-blobs", "gcp-disk", "storage/bucket:Bucket", props(publicAccessPrevention="inherited")),
    ("store-versioned", "azure-smb", "storage:BlobServiceProperties", gone),
    ("store-versioned", "azure-smb", "storage:BlobServiceProperties", props(isVersioningEnabled=False)),
    ("store-versioned", "azure-smb", "storage:BlobServiceProperties", inside("deleteRetentionPolicy.days", 3)),
    ("store-versioned", "azure-smb", "storage:BlobServiceProperties", inside("deleteRetentionPolicy.enabled", False)),
    ("store-versioned", "azure-smb", "storage:BlobServiceProperties", props(containerDeleteRetentionPolicy=None)),
    (
        "store-versioned",
        "azure-smb",
        "storage:BlobServiceProperties",
        inside("containerDeleteRetentionPolicy.days", 3),
    ),
    ("store-versioned", "gcp-filestore", "storage/bucket:Bucket", props(softDeletePolicy=None)),
    ("store-versioned", "gcp-disk", "storage/bucket:Bucket", props(softDeletePolicy={"retentionDurationSeconds": 0})),
    ("backup-on", "azure-smb", "web:WebApp", text("siteConfig", "15 3 * * *", "off")),
    ("backup-on", "gcp-disk", "compute/instance:Instance", text("metadata", "15 3 * * *", "off")),
    ("backup-on", "gcp-filestore", "cloudrunv2/service:Service", text("template", "BACKUP_SCHEDULE", "OTHER")),
    ("backup-on", "docker-volume", APP, text("envs", "BACKUP_URL=file:///backups", "BACKUP_URL=")),
    ("backup-on", "aws-efs", "TaskDefinition hosting-task", text("containerDefinitions", "15 3 * * *", "off")),
    ("backup-on", "aws-efs", "TaskDefinition hosting-task", text("containerDefinitions", "BACKUP_URL", "OTHER_URL")),
    ("image-pinned", "aws-efs", "TaskDefinition", text("containerDefinitions", "@sha256:", ":latest-")),
    ("image-pinned", "azure-smb", "web:WebApp", text("siteConfig", "@sha256:", ":latest-")),
    ("image-pinned", "docker-volume", APP, props(image="task-assist:latest")),
    ("image-pinned", "docker-volume-domain", "container:Container proxy-container", props(image="caddy:2.10")),
    ("read-only-root", "docker-volume-domain", "container:Container proxy-container", props(readOnly=False)),
    ("read-only-root", "docker-volume", APP, props(readOnly=None)),
    ("image-pinned", "gcp-disk", "compute/instance:Instance", text("metadata", "task-assist@sha256:", "task-assist:")),
    ("image-pinned", "gcp-disk-domain", "compute/instance:Instance", text("metadata", "caddy@sha256:", "caddy:")),
    ("image-pinned", "gcp-disk", "cloudrunv2/service:Service", text("template", "caddy@sha256:", "caddy:")),
    (
        "image-pinned",
        "gcp-disk",
        "cloudrunv2/job:Job",
        text("template", "google-cloud-cli@sha256:", "google-cloud-cli:"),
    ),
]


@pytest.mark.parametrize(
    ("rule", "name", "type_", "change"),
    BROKEN,
    ids=[f"{n}-{rule}-{type_}" for n, (rule, _, type_, _) in enumerate(BROKEN)],
)
def test_a_broken_plan_is_rejected(rule: str, name: str, type_: str, change: Change):
    found = violations(RULES[rule], broken(name, type_, change))
    assert found
    assert all(violation.text.endswith(".") for violation in found)


def test_every_mandatory_rule_has_a_broken_plan():
    assert {rule.name for rule in RULES.values()} - {name for name, *_ in BROKEN} == {"nfs-encrypted"}


def unknown(value: Any, depth: int) -> Any:
    """The value as a preview may see it: everything from this depth on is not known yet."""
    if depth == 0:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: unknown(item, depth - 1) for key, item in value.items()}
    return [unknown(item, depth - 1) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("name", [name for name in CONFIGS if "ready" not in name])
def test_a_preview_that_knows_little_breaks_no_rule(name: str, depth: int):
    seen = [
        dataclasses.replace(resource, props=unknown(dict(resource.props), depth)) for resource in as_planned(plan(name))
    ]
    for rule in RULES.values():
        assert not rule.mandatory or not violations(rule, seen)
