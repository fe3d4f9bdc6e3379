"""Rules about where the app's own backups go: closed, with a way back, and in use."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rules.access import ACCOUNT, denies_clear
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
        if not any(text is UNKNOWN or denies_clear(json.loads(text)) for text in policies(bucket, resources)):
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


def keeps_versions(policy: dict[str, Any]) -> bool:
    return any(
        statement["Effect"] == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and "s3:DeleteObjectVersion" in items(statement, "Action")
        and "Condition" not in statement
        for statement in policy.get("Statement", [])
    )


def azure_stores(resources: Sequence[Planned]) -> list[Planned]:
    """The accounts that have a container for blobs; the database's has a share."""
    with_blobs = {urn for one in of(resources, AZURE_CONTAINER) for urn in one.depends.get("accountName", ())}
    return [account for account in of(resources, ACCOUNT) if account.urn in with_blobs]


def comes_back_in_azure(service: Planned) -> bool:
    days = get(service.props, "deleteRetentionPolicy.days", 0)
    return (
        get(service.props, "isVersioningEnabled") in (True, UNKNOWN)
        and get(service.props, "deleteRetentionPolicy.enabled") in (True, UNKNOWN)
        and get(service.props, "containerDeleteRetentionPolicy.enabled") in (True, UNKNOWN)
        and (days is UNKNOWN or days >= LEAST_DAYS)
    )


RULES = (
    Rule("store-private", "Backups are closed to everybody without an identity, and never in clear.", store_private),
    Rule("store-versioned", "A deleted backup can be had back for a while, whoever deleted it.", store_versioned),
    Rule("backup-on", "The app backs itself up.", backup_on, mandatory=False),
)
