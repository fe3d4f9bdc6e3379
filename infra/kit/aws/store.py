"""The bucket that the app backs itself up to. What lies in it outlives the file system, the vault and the stack."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import TAGS, Kept, stem
from kit.aws.identity import Role, grant
from kit.aws.policy import Statement, allow, document
from kit.backups import DELETED_STAYS_DAYS, UNFINISHED_STAYS_DAYS
from kit.chance import random_part

# What obstore asks for. No s3:DeleteObjectVersion: in a versioned bucket DeleteObject hides an object, and no more
# (S3, *Deleting object versions from a versioning-enabled bucket*).
IN_IT = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")


@dataclass(frozen=True)
class StoreArgs:
    """Who writes there, and the region that it lies in."""

    writer: Role
    region: str


class Store(pulumi.ComponentResource):
    """Private, versioned, encrypted, over TLS alone; nobody deletes a version before its time.

    All of it is protected: without its bucket's versioning or its policy what is left would be less safe.
    """

    url: pulumi.Output[str]
    # obstore takes the bucket's region from the first one (docs/backups.md).
    settings: dict[str, pulumi.Input[str]]
    # What the app's task has to wait for.
    ready: list[pulumi.Resource]
    kept: list[Kept]

    def __init__(self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Store", name, opts=opts)
        self.name = name
        self.child = pulumi.ResourceOptions(parent=self, protect=True)
        bucket = aws.s3.Bucket(
            f"{name}-backups",
            bucket=pulumi.Output.concat(stem(), "-backups-", random_part(f"{name}-suffix")),
            tags=TAGS,
            # Names are everybody's in the world. What was made under one keeps it.
            opts=pulumi.ResourceOptions(parent=self, protect=True, ignore_changes=["bucket"]),
        )
        self.url = pulumi.Output.concat("s3://", bucket.bucket)
        self.settings = {"AWS_REGION": args.region}
        self.ready = [self.private(bucket), self.encrypted(bucket), *self.versioned(bucket)]
        self.ready += [self.policy(bucket), self.may_write(bucket, args.writer)]
        self.kept = [Kept(pulumi.Output.concat("bucket ", bucket.bucket), "protected with the backups, billed by size")]
        self.register_outputs({"url": self.url})

    def private(self, bucket: aws.s3.Bucket) -> pulumi.Resource:
        """No list of rights of its own, and no policy, can open it."""
        aws.s3.BucketOwnershipControls(
            f"{self.name}-owner",
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self.child,
        )
        return aws.s3.BucketPublicAccessBlock(
            f"{self.name}-private",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child,
        )

    def encrypted(self, bucket: aws.s3.Bucket) -> pulumi.Resource:
        """By S3 with keys of its own. Against AWS itself, and against a stolen role, there is backupRecipient."""
        by_default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs
        rule = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=by_default(sse_algorithm="AES256")
        )
        return aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self.name}-encrypted", bucket=bucket.bucket, rules=[rule], opts=self.child
        )

    def versioned(self, bucket: aws.s3.Bucket) -> Sequence[pulumi.Resource]:
        """What is deleted or overwritten stays as a version for a while; parts of a broken upload go sooner."""
        versioning = aws.s3.BucketVersioning(
            f"{self.name}-versioned",
            bucket=bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self.child,
        )
        lifecycle = aws.s3.BucketLifecycleConfiguration(
            f"{self.name}-lifecycle",
            bucket=bucket.bucket,
            rules=[rule_of_old_versions()],
            opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=[versioning]),
        )
        return versioning, lifecycle

    def policy(self, bucket: aws.s3.Bucket) -> pulumi.Resource:
        """Two refusals that no role's own policy outweighs. Who may change this policy can take them off first."""
        return aws.s3.BucketPolicy(
            f"{self.name}-refuses",
            bucket=bucket.bucket,
            policy=document([nothing_in_clear(bucket.arn), no_version_deleted(bucket.arn)]),
            opts=self.child,
        )

    def may_write(self, bucket: aws.s3.Bucket, writer: Role) -> pulumi.Resource:
        in_it = allow(IN_IT, pulumi.Output.concat(bucket.arn, "/*"))
        statements = [in_it, allow(["s3:ListBucket"], bucket.arn)]
        return grant(f"{self.name}-write", writer.name, statements, pulumi.ResourceOptions(parent=self))


def rule_of_old_versions() -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    rule = aws.s3.BucketLifecycleConfigurationRuleArgs
    return rule(
        id="old-versions-and-unfinished-uploads",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=DELETED_STAYS_DAYS
        ),
        # The mark that hides what is deleted goes when nothing is left behind it.
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
        abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=UNFINISHED_STAYS_DAYS
        ),
    )


def nothing_in_clear(bucket_arn: pulumi.Output[str]) -> Statement:
    return {
        "Sid": "NothingInClear",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [bucket_arn, pulumi.Output.concat(bucket_arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def no_version_deleted(bucket_arn: pulumi.Output[str]) -> Statement:
    """The bucket's own lifecycle is S3's and asks nobody."""
    return {
        "Sid": "NoVersionIsDeleted",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": ["s3:DeleteObjectVersion"],
        "Resource": pulumi.Output.concat(bucket_arn, "/*"),
    }
