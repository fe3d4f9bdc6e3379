"""The EFS file system that holds the database, and the only door into it."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import GID, NAME, TAGS, UID, Kept
from kit.aws.network import Network

# The share's name of the first deployments, here a directory.
DIRECTORY = "/task-manager-data"


@dataclass(frozen=True)
class StorageArgs:
    """Where the mount targets go."""

    network: Network


class Storage(pulumi.ComponentResource):
    """Encrypted at rest; one access point, whose every file belongs to the image's user."""

    id: pulumi.Output[str]
    arn: pulumi.Output[str]
    access_point_id: pulumi.Output[str]
    access_point_arn: pulumi.Output[str]
    # What the task has to wait for: the file system's name resolves only once its mount targets are there.
    ready: list[pulumi.Resource]
    description: pulumi.Input[str]
    kept: list[Kept]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Storage", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        system = aws.efs.FileSystem(
            "data",
            encrypted=True,
            throughput_mode="elastic",
            tags={**TAGS, "Name": f"{NAME}-data"},
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        self.ready = [
            aws.efs.MountTarget(
                f"data-{number}",
                file_system_id=system.id,
                subnet_id=subnet,
                security_groups=[args.network.storage_group],
                opts=child,
            )
            for number, subnet in enumerate(args.network.subnet_ids, start=1)
        ]
        point = aws.efs.AccessPoint(
            "app",
            file_system_id=system.id,
            posix_user=aws.efs.AccessPointPosixUserArgs(uid=UID, gid=GID),
            root_directory=aws.efs.AccessPointRootDirectoryArgs(
                path=DIRECTORY,
                creation_info=aws.efs.AccessPointRootDirectoryCreationInfoArgs(
                    owner_uid=UID, owner_gid=GID, permissions="0750"
                ),
            ),
            tags=TAGS,
            opts=child,
        )
        self.id, self.arn = system.id, system.arn
        self.access_point_id, self.access_point_arn = point.id, point.arn
        self.description = pulumi.Output.concat("EFS ", system.id, DIRECTORY)
        self.kept = [Kept(pulumi.Output.concat("EFS file system ", system.id), "protected, billed by the GB on it")]
        self.register_outputs({})

    def admit(self, task_role: pulumi.Input[str]) -> None:
        """Lets in the task's role alone, by the access point, over TLS; EFS by itself admits whoever reaches it."""
        self.ready.append(
            aws.efs.FileSystemPolicy(
                "only-the-task",
                file_system_id=self.id,
                policy=pulumi.Output.json_dumps(policy(self.arn, self.access_point_arn, task_role)),
                opts=pulumi.ResourceOptions(parent=self),
            )
        )


def policy(arn: pulumi.Input[str], access_point: pulumi.Input[str], task_role: pulumi.Input[str]) -> dict[str, object]:
    """The file system's own policy."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TaskThroughAccessPoint",
                "Effect": "Allow",
                "Principal": {"AWS": task_role},
                "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                "Resource": arn,
                "Condition": {
                    "Bool": {"aws:SecureTransport": "true"},
                    "StringEquals": {"elasticfilesystem:AccessPointArn": access_point},
                },
            },
            {
                "Sid": "NothingInClear",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": "elasticfilesystem:Client*",
                "Resource": arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
