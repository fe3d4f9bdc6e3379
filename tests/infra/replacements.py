"""What a provider makes anew instead of changing it, for every type that holds data. Each with its source.

A property's path has a dot before a nested name and * for the items of a list. Names and places come first: they are
part of the resource's address, so no cloud can change them. Read in the files themselves on 2026-11-27: Google's bucket
(but hierarchicalNamespace), and of S3 the bucket's name and prefix, the access block, versioning and ownership.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Path parameters and x-ms-mutability of the REST specifications, and what azure-native adds to them by hand.
AZURE_NATIVE = "pulumi/pulumi-azure-native: provider/pkg/gen/replacement.go"
SPECS = "Azure/azure-rest-api-specs: path parameters and x-ms-mutability of "
AWS = "hashicorp/terraform-provider-aws: ForceNew in internal/service/"
GOOGLE = "GoogleCloudPlatform/magic-modules: immutable in mmv1/products/"
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
        f"{AZURE_NATIVE}; {SPECS}Microsoft.Storage/…/storage.json",
        ("resourceGroupName", "accountName", "location", "isHnsEnabled", "kind"),
    ),
    "azure-native:storage:FileServiceProperties": Replacement(
        f"{SPECS}Microsoft.Storage/…/file.json", ("resourceGroupName", "accountName", "fileServicesName")
    ),
    "azure-native:storage:FileShare": Replacement(
        f"{SPECS}Microsoft.Storage/…/file.json", ("resourceGroupName", "accountName", "shareName", "enabledProtocols")
    ),
    "azure-native:recoveryservices:Vault": Replacement(
        f"{SPECS}Microsoft.RecoveryServices/…/vaults.json", ("resourceGroupName", "vaultName", "location")
    ),
    "azure-native:recoveryservices:ProtectionContainer": Replacement(
        f"{SPECS}Microsoft.RecoveryServices/…/bms.json",
        ("resourceGroupName", "vaultName", "fabricName", "containerName"),
    ),
    "azure-native:recoveryservices:ProtectedItem": Replacement(
        f"{SPECS}Microsoft.RecoveryServices/…/bms.json",
        ("resourceGroupName", "vaultName", "fabricName", "containerName", "protectedItemName"),
    ),
    "azure-native:storage:BlobContainer": Replacement(
        f"{SPECS}Microsoft.Storage/…/blob.json", ("resourceGroupName", "accountName", "containerName")
    ),
    "azure-native:storage:BlobServiceProperties": Replacement(
        f"{SPECS}Microsoft.Storage/…/blob.json", ("resourceGroupName", "accountName", "blobServicesName")
    ),
    "azure-native:storage:ManagementPolicy": Replacement(
        f"{SPECS}Microsoft.Storage/…/storage.json", ("resourceGroupName", "accountName", "managementPolicyName")
    ),
    "azure-native:authorization:ManagementLockByScope": Replacement(
        f"{SPECS}Microsoft.Authorization/…/locks.json", ("scope", "lockName")
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
        f"{AWS}s3/bucket_lifecycle_configuration.go", ("bucket", "expectedBucketOwner", "region")
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Replacement(
        f"{AWS}s3/bucket_server_side_encryption_configuration.go", ("bucket", "expectedBucketOwner", "region")
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Replacement(
        f"{AWS}s3/bucket_ownership_controls.go", ("bucket", "region")
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Replacement(f"{AWS}s3/bucket_policy.go", ("bucket", "region")),
    "gcp:compute/disk:Disk": Replacement(
        f"{GOOGLE}compute/Disk.yaml",
        (
            "project",
            "zone",
            "name",
            "type",
            "image",
            "snapshot",
            "sourceDisk",
            "sourceInstantSnapshot",
            "diskEncryptionKey",
            "description",
            "physicalBlockSizeBytes",
        ),
        shrinks=("size",),
    ),
    "gcp:filestore/instance:Instance": Replacement(
        f"{GOOGLE}filestore/Instance.yaml",
        (
            "project",
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
