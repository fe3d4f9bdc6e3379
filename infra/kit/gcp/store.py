"""The bucket that the app backs itself up to. What lies in it outlives the disk, its snapshots and the stack."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import TAGS, Kept, stem
from kit.backups import DELETED_STAYS_DAYS, UNFINISHED_STAYS_DAYS
from kit.chance import random_part
from kit.gcp.region import region

# Reads, writes and deletes objects, and changes nothing of the bucket itself.
WRITES = "roles/storage.objectUser"
DAY = 24 * 3600


@dataclass(frozen=True)
class StoreArgs:
    """`writer` is the member that the app runs as."""

    project: pulumi.Output[str]
    writer: pulumi.Output[str]


class Store(pulumi.ComponentResource):
    """Private, encrypted by Google, with one list of who may, and with a way back from a deletion.

    Here a role that may delete an object may delete its versions too, so versions would protect from nobody: soft
    delete does. What is deleted can be had back for so many days, nobody can end that sooner, and the app's role can't
    change it for what is deleted later (cloud.google.com/storage/docs/soft-delete). No retention policy beside it: the
    app takes back what it has just written where a backup breaks off, and prunes by its own rules.
    """

    url: pulumi.Output[str]
    granted: pulumi.Resource
    kept: list[Kept]

    def __init__(self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Store", name, opts=opts)
        bucket = self.bucket(name, args.project)
        self.granted = gcp.storage.BucketIAMMember(
            f"{name}-write",
            bucket=bucket.name,
            role=WRITES,
            member=args.writer,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = pulumi.Output.concat("gs://", bucket.name)
        self.kept = [Kept(pulumi.Output.concat("bucket ", bucket.name), "protected with the backups, billed by size")]
        self.register_outputs({"url": self.url})

    def bucket(self, name: str, project: pulumi.Output[str]) -> gcp.storage.Bucket:
        return gcp.storage.Bucket(
            f"{name}-bucket",
            name=pulumi.Output.concat(stem(), "-backups-", random_part(f"{name}-suffix")),
            project=project,
            location=region(),
            public_access_prevention="enforced",
            uniform_bucket_level_access=True,
            soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(
                retention_duration_seconds=DELETED_STAYS_DAYS * DAY
            ),
            lifecycle_rules=[
                gcp.storage.BucketLifecycleRuleArgs(
                    action=gcp.storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
                    condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=UNFINISHED_STAYS_DAYS),
                )
            ],
            labels=TAGS,
            # Names are everybody's in the world. What was made under one keeps it.
            opts=pulumi.ResourceOptions(parent=self, protect=True, ignore_changes=["name"]),
        )
