"""Rules about where the app's own backups go: closed, with a way back, and in use."""

import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from rules.access import ACCOUNT, denies_clear, denies_everybody, each
from rules.containers import containers
from rules.model import UNKNOWN, Planned, Rule, Violation, get, items, of

S3, GCS = "aws:s3/bucket:Bucket", "gcp:storage/bucket:Bucket"
S3_CLOSED = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
S3_VERSIONS = "aws:s3/bucketVersioning:BucketVersioning"
S3_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
S3_ENCRYPTED = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
S3_OWNER = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
S3_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
AZURE_CONTAINER = "azure-native:storage:BlobContainer"
AZURE_VERSIONS = "azure-native:storage:BlobServiceProperties"
AZURE_LIFECYCLE = "azure-native:storage:ManagementPolicy"
AZURE_ROLE = "azure-native:authorization:RoleDefinition"
AZURE_GRANT = "azure-native:authorization:RoleAssignment"
# In small letters; Azure tells none apart.
FOR_GOOD = (
    "microsoft.storage/storageaccounts/blobservices/containers/delete",
    "microsoft.storage/storageaccounts/blobservices/containers/blobs/deleteblobversion/action",
    "microsoft.storage/storageaccounts/blobservices/containers/blobs/permanentdelete/action",
)
# What goes with a store or keeps it closed: without it the backups would be open, or without a way back.
PARTS = (
    S3,
    S3_CLOSED,
    S3_VERSIONS,
    S3_LIFECYCLE,
    S3_ENCRYPTED,
    S3_OWNER,
    S3_POLICY,
    AZURE_CONTAINER,
    AZURE_VERSIONS,
    AZURE_LIFECYCLE,
    GCS,
)
FOUR = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
# Of a deletion that somebody must notice first.
LEAST_DAYS = 14


def store_private(resources: Sequence[Planned]) -> Iterator[Violation]:
    """Nobody is let in without an identity of the cloud's, and nothing goes through the network in clear."""
    for bucket in of(resources, S3):
        if not any(
            all(get(one.props, key) in (True, UNKNOWN) for key in FOUR) for one in in_s3(bucket, resources, S3_CLOSED)
        ):
            yield Violation(
                bucket, "A policy could open it to everybody. Give it a BucketPublicAccessBlock with all four."
            )
        known = policies(bucket, resources)
        if not any(text is UNKNOWN or denies_clear(json.loads(text), ("*", "s3:*"), whole_bucket) for text in known):
            yield Violation(bucket, "It lets itself be read in clear. Deny what comes without aws:SecureTransport.")
    for account in azure_stores(resources):
        if get(account.props, "allowSharedKeyAccess") not in (False, UNKNOWN):
            yield Violation(
                account, "Whoever has one of its two keys may do everything. Set allow_shared_key_access=False."
            )
        if get(account.props, "enableHttpsTrafficOnly") not in (True, UNKNOWN):
            yield Violation(account, "It answers plain HTTP. Set enable_https_traffic_only=True.")
    for container in of(resources, AZURE_CONTAINER):
        if get(container.props, "publicAccess", "None") not in ("None", UNKNOWN):
            yield Violation(container, "Anybody may read it. Set public_access=None.")
    for bucket in of(resources, GCS):
        if get(bucket.props, "uniformBucketLevelAccess") not in (True, UNKNOWN):
            yield Violation(bucket, "Each object has its own list of who may. Set uniform_bucket_level_access=True.")


def store_versioned(resources: Sequence[Planned]) -> Iterator[Violation]:
    """What is deleted or overwritten there can be had back for a while, whoever deleted it."""
    for bucket in of(resources, S3):
        states = [get(one.props, "versioningConfiguration.status") for one in in_s3(bucket, resources, S3_VERSIONS)]
        if not any(state in ("Enabled", UNKNOWN) for state in states):
            yield Violation(bucket, "What is deleted there is gone. Give it a BucketVersioning that is Enabled.")
        if not any(text is UNKNOWN or keeps_versions(json.loads(text)) for text in policies(bucket, resources)):
            yield Violation(bucket, "Whoever may delete can delete versions too. Deny s3:DeleteObjectVersion to all.")
    yield from emptied_by_its_writer(resources)
    for account in azure_stores(resources):
        own = [one for one in of(resources, AZURE_VERSIONS) if account.urn in one.depends.get("accountName", ())]
        if not any(map(comes_back_in_azure, own)):
            yield Violation(
                account, "What is deleted there is gone. Give it versions and soft delete (BlobServiceProperties)."
            )
    for bucket in of(resources, GCS):
        seconds = get(bucket.props, "softDeletePolicy.retentionDurationSeconds", 0)
        if seconds is not UNKNOWN and seconds < LEAST_DAYS * 86_400:
            yield Violation(
                bucket, f"What is deleted there is gone. Set a soft_delete_policy of at least {LEAST_DAYS} days."
            )


def backup_on(resources: Sequence[Planned]) -> Iterator[Violation]:
    """The app makes backups of itself, and has a place for them."""
    for container in containers(resources):
        if not container.environment.get("BACKUP_URL"):
            yield Violation(container.resource, "It has no place for backups. Set BACKUP_URL.")
        elif container.environment.get("BACKUP_SCHEDULE", "off") == "off":
            yield Violation(container.resource, "It makes no backups. Set backupSchedule.")


def in_s3(bucket: Planned, resources: Sequence[Planned], type_: str) -> Iterator[Planned]:
    """The resources of a type that are about this bucket."""
    return (one for one in of(resources, type_) if bucket.urn in one.depends.get("bucket", ()))


def policies(bucket: Planned, resources: Sequence[Planned]) -> list[Any]:
    return [get(policy.props, "policy", "{}") for policy in in_s3(bucket, resources, S3_POLICY)]


def whole_bucket(resources: list[str]) -> bool:
    """The bucket itself, and all objects in it."""
    return any("/" not in one for one in resources) and any(map(all_objects, resources))


def all_objects(resource: str) -> bool:
    """And not those of one folder."""
    return resource.endswith("/*") and resource.count("/") == 1


def keeps_versions(policy: dict[str, Any]) -> bool:
    return any(
        denies_everybody(statement)
        and "s3:DeleteObjectVersion" in each(statement, "Action")
        and any(map(all_objects, each(statement, "Resource")))
        and "Condition" not in statement
        for statement in policy.get("Statement", [])
    )


def emptied_by_its_writer(resources: Sequence[Planned]) -> Iterator[Violation]:
    """In Azure a role says it. Of one that isn't the stack's own no rule can see what it may."""
    places = {one.urn for one in [*of(resources, AZURE_CONTAINER), *azure_stores(resources)]}
    for grant in of(resources, AZURE_GRANT):
        if places.isdisjoint(grant.depends.get("scope", ())):
            continue
        roles = [one for one in of(resources, AZURE_ROLE) if one.urn in grant.depends.get("roleDefinitionId", ())]
        if not roles or any(map(may_empty, roles)):
            text = "It may delete the container, or versions. Assign a role of the stack's own without these rights."
            yield Violation(grant, text)


def may_empty(role: Planned) -> bool:
    allowed = [
        str(action).lower()
        for permission in items(role.props, "permissions")
        for action in [*items(permission, "actions"), *items(permission, "dataActions")]
    ]
    return any(fnmatchcase(action, pattern) for action in FOR_GOOD for pattern in allowed)


def store_keeps(resources: Sequence[Planned]) -> Iterator[Violation]:
    """No rule of the cloud's own takes a backup that the app has not pruned, nor soon what it has."""
    for one in of(resources, S3_LIFECYCLE):
        for rule in items(one.props, "rules"):
            if is_set(rule, "expiration.days") or is_set(rule, "expiration.date"):
                yield Violation(one, "It takes backups that nobody has pruned. Leave days and date out.")
            days = get(rule, "noncurrentVersionExpiration.noncurrentDays", LEAST_DAYS)
            if days is not UNKNOWN and days < LEAST_DAYS:
                yield Violation(one, f"What is deleted is soon gone. Set noncurrent_days to {LEAST_DAYS} at least.")
    for one in of(resources, S3):
        if items(one.props, "lifecycleRules"):
            yield Violation(one, "Rules of the bucket's own are looked at nowhere. Use a BucketLifecycleConfiguration.")
    for one in of(resources, AZURE_LIFECYCLE):
        if any(is_set(rule, "definition.actions.baseBlob.delete") for rule in items(one.props, "policy.rules")):
            yield Violation(one, "It takes backups that nobody has pruned. Leave base_blob.delete out.")
    for bucket in of(resources, GCS):
        if any(get(rule, "action.type") == "Delete" for rule in items(bucket.props, "lifecycleRules")):
            yield Violation(bucket, "It takes backups that nobody has pruned. Leave lifecycle rules that Delete out.")


def is_set(value: Any, path: str) -> bool:
    """Of what a preview can't see nobody knows it."""
    return get(value, path) not in (None, UNKNOWN)


def azure_stores(resources: Sequence[Planned]) -> list[Planned]:
    """The accounts that have a container for blobs; the database's has a share."""
    with_blobs = {urn for one in of(resources, AZURE_CONTAINER) for urn in one.depends.get("accountName", ())}
    return [account for account in of(resources, ACCOUNT) if account.urn in with_blobs]


def comes_back_in_azure(service: Planned) -> bool:
    kinds = ("deleteRetentionPolicy", "containerDeleteRetentionPolicy")
    days = [get(service.props, f"{kind}.days", 0) for kind in kinds]
    return (
        get(service.props, "isVersioningEnabled") in (True, UNKNOWN)
        and get(service.props, "deleteRetentionPolicy.enabled") in (True, UNKNOWN)
        and get(service.props, "containerDeleteRetentionPolicy.enabled") in (True, UNKNOWN)
        and all(of_kind is UNKNOWN or of_kind >= LEAST_DAYS for of_kind in days)
    )


RULES = (
    Rule("store-private", "Backups are closed to everybody without an identity, and never in clear.", store_private),
    Rule("store-versioned", "A deleted backup can be had back for a while, whoever deleted it.", store_versioned),
    Rule("store-keeps", "No rule of the cloud's deletes a backup that the app keeps.", store_keeps),
    Rule("backup-on", "The app backs itself up.", backup_on, mandatory=False),
)
