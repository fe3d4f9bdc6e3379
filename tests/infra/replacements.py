"""What a provider makes anew instead of changing it, for every type that holds data. Each with its source.

A property's path has a dot before a nested name and * for the items of a list. Names and places come first: they are
part of the resource's address, so no cloud can change them. Each source was read in the file itself on 2026-11-27, but
for what stands in UNREAD, the `region` that each of AWS's resources has from its provider, and the last entry, which
holds no data: those are taken for immutable, which at worst makes a test too strict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What azure-native adds by hand to the path parameters and x-ms-mutability of the REST specifications. Of a type that
# is in its list what the specification says does not count.
AZURE_NATIVE = "pulumi/pulumi-azure-native: forceNewMap in provider/pkg/gen/replacement.go"
# The arguments that the SDK's class names in the resource's path.
PATH = "path parameters, by the SDK's pulumi_azure_native/"
AWS = "hashicorp/terraform-provider-aws: ForceNew in internal/service/"
GOOGLE = "GoogleCloudPlatform/magic-modules: immutable in mmv1/products/"
UNREAD = frozenset(
    {
        "azure-native:storage:StorageAccount kind",
        "azure-native:recoveryservices:Vault location",
        "aws:s3/bucket:Bucket bucketNamespace",
        "aws:s3/bucket:Bucket objectLockEnabled",
        "gcp:storage/bucket:Bucket hierarchicalNamespace",
    }
)
DOCKER = "pulumi/pulumi-docker: willReplaceOnChanges in provider/cmd/pulumi-resource-docker/schema.json"


@dataclass(frozen=True)
class Replacement:
    """The properties, by path, that can't change in place; `shrinks` are numbers that can only grow in place."""

    source: str
    properties: tuple[str, ...]
    shrinks: tuple[str, ...] = ()


REPLACES: Mapping[str, Replacement] = {
    "azure-native:resources:ResourceGroup": Replacement(AZURE_NATIVE, ("resourceGroupName", "location")),
    "azure-native:storage:StorageAccount": Replacement(
        # Azure refuses another kind (StorageAccountTypeConversionNotAllowed, terraform-provider-azurerm#110).
        f"{AZURE_NATIVE}; {PATH}storage/storage_account.py",
        ("resourceGroupName", "accountName", "location", "isHnsEnabled", "kind"),
    ),
    "azure-native:storage:FileServiceProperties": Replacement(
        f"{PATH}storage/file_service_properties.py", ("resourceGroupName", "accountName", "fileServicesName")
    ),
    "azure-native:storage:FileShare": Replacement(
        f"{PATH}storage/file_share.py, and of the protocol 'Can only be specified when creating a share'",
        ("resourceGroupName", "accountName", "shareName", "enabledProtocols"),
    ),
    "azure-native:recoveryservices:Vault": Replacement(
        f"{PATH}recoveryservices/vault.py", ("resourceGroupName", "vaultName", "location")
    ),
    "azure-native:recoveryservices:ProtectionContainer": Replacement(
        f"{PATH}recoveryservices/protection_container.py",
        ("resourceGroupName", "vaultName", "fabricName", "containerName"),
    ),
    "azure-native:recoveryservices:ProtectedItem": Replacement(
        f"{PATH}recoveryservices/protected_item.py",
        ("resourceGroupName", "vaultName", "fabricName", "containerName", "protectedItemName"),
    ),
    "azure-native:storage:BlobContainer": Replacement(
        f"{AZURE_NATIVE} (none); {PATH}storage/blob_container.py", ("resourceGroupName", "accountName", "containerName")
    ),
    "azure-native:storage:BlobServiceProperties": Replacement(
        f"{PATH}storage/blob_service_properties.py", ("resourceGroupName", "accountName", "blobServicesName")
    ),
    "azure-native:storage:ManagementPolicy": Replacement(
        f"{PATH}storage/management_policy.py", ("resourceGroupName", "accountName", "managementPolicyName")
    ),
    "azure-native:authorization:ManagementLockByScope": Replacement(
        f"{PATH}authorization/management_lock_by_scope.py", ("scope", "lockName")
    ),
    "aws:efs/fileSystem:FileSystem": Replacement(
        f"{AWS}efs/file_system.go",
        ("availabilityZoneName", "creationToken", "encrypted", "kmsKeyId", "performanceMode", "region"),
    ),
    "aws:backup/vault:Vault": Replacement(f"{AWS}backup/vault.go", ("name", "kmsKeyArn", "region")),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": Replacement(
        f"{AWS}backup/vault_lock_configuration.go",
        ("backupVaultName", "changeableForDays", "maxRetentionDays", "minRetentionDays", "region"),
    ),
    "aws:s3/bucket:Bucket": Replacement(
        f"{AWS}s3/bucket.go", ("bucket", "bucketPrefix", "bucketNamespace", "objectLockEnabled", "region")
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Replacement(
        f"{AWS}s3/bucket_public_access_block.go", ("bucket", "region")
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Replacement(
        f"{AWS}s3/bucket_versioning.go", ("bucket", "expectedBucketOwner", "region")
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Replacement(
        f"{AWS}s3/bucket_lifecycle_configuration.go (RequiresReplace)", ("bucket", "expectedBucketOwner", "region")
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Replacement(
        f"{AWS}s3/bucket_server_side_encryption_configuration.go", ("bucket", "expectedBucketOwner", "region")
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Replacement(
        f"{AWS}s3/bucket_ownership_controls.go", ("bucket", "region")
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Replacement(f"{AWS}s3/bucket_policy.go", ("bucket", "region")),
    "gcp:compute/disk:Disk": Replacement(
        # All of it is immutable, but for what has an update_url: size (which may grow), labels, throughput.
        f"{GOOGLE}compute/Disk.yaml, and its IsDiskShrinkage",
        (
            "project",
            "zone",
            "name",
            "type",
            "image",
            "snapshot",
            "sourceDisk",
            "sourceInstantSnapshot",
            "sourceStorageObject",
            "diskEncryptionKey",
            "sourceImageEncryptionKey",
            "sourceSnapshotEncryptionKey",
            "enableConfidentialCompute",
            "description",
            "physicalBlockSizeBytes",
        ),
        shrinks=("size",),
    ),
    "gcp:filestore/instance:Instance": Replacement(
        f"{GOOGLE}filestore/Instance.yaml",
        (
            "project",
            "zone",
            "location",
            "name",
            "tier",
            "protocol",
            "networks",
            "fileShares.name",
            "fileShares.sourceBackup",
            "kmsKeyName",
            "tags",
            "initialReplication",
        ),
    ),
    "gcp:storage/bucket:Bucket": Replacement(
        "hashicorp/terraform-provider-google: ForceNew in google/services/storage/resource_storage_bucket.go",
        ("project", "name", "location", "enableObjectRetention", "hierarchicalNamespace"),
    ),
    "docker:index/volume:Volume": Replacement(DOCKER, ("name", "driver", "driverOpts", "labels")),
    # Not data: what runs it. That these are made anew is what the order of operations is tested with.
    "docker:index/container:Container": Replacement(
        DOCKER, ("name", "image", "envs", "mounts", "volumes", "ports", "networksAdvanced", "uploads", "labels")
    ),
    "docker:index/remoteImage:RemoteImage": Replacement(DOCKER, ("name",)),
    "docker:index/network:Network": Replacement(DOCKER, ("name", "labels")),
    "aws:ecs/taskDefinition:TaskDefinition": Replacement(
        f"{AWS}ecs/task_definition.go", ("containerDefinitions", "cpu", "memory", "family", "volumes")
    ),
}


def replaced(type_: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The top-level properties whose change makes this resource anew."""
    rule = REPLACES.get(type_, Replacement("", ()))
    changed = [path for path in rule.properties if at(old, path) != at(new, path)]
    smaller = [path for path in rule.shrinks if (at(new, path) or 0) < (at(old, path) or 0)]
    return [path.partition(".")[0] for path in changed + smaller]


def at(value: Any, path: str) -> Any:
    """The value at a path such as fileShares.name, whether fileShares is one thing or a list of them."""
    name, _, rest = path.partition(".")
    if isinstance(value, list):
        return [at(item, path) for item in value]
    found = value.get(name) if isinstance(value, Mapping) else None
    return at(found, rest) if rest else found
