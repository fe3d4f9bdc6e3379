"""The EFS file system that holds the database, and the only doors into it."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import GID, TAGS, UID, Kept, stem
from kit.aws.identity import Role, grant
from kit.aws.policy import document
from kit.aws.vpc import Subnet

# The share's name of the first deployments, here a directory.
DIRECTORY = "/task-manager-data"
# Of tiny file systems too: 100 MiB/s while there are credits, and 1 MiB/s at the very least (EFS, *Performance
# specifications*). The lease writes 16 KiB/s, so the 2.1 TiB of credits that a new one begins with last for years; and
# elastic throughput would bill each of those writes as 32 KiB. docs/deploy/aws.md has the sum.
THROUGHPUT = "bursting"
READ_WRITE = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
AS_ROOT = [*READ_WRITE, "elasticfilesystem:ClientRootAccess"]


@dataclass(frozen=True)
class StorageArgs:
    """Where the mount targets go, who may reach them, and the roles of the app and of the task that restores."""

    subnets: list[Subnet]
    group: pulumi.Input[str]
    task: Role
    restore: Role


@dataclass(frozen=True)
class Door:
    """One way in: what a role may do through one access point."""

    role: Role
    point_arn: pulumi.Output[str]
    actions: list[str]


class Storage(pulumi.ComponentResource):
    """Encrypted at rest; the app sees one directory of it, whose every file belongs to the image's user."""

    id: pulumi.Output[str]
    arn: pulumi.Output[str]
    app_point_id: pulumi.Output[str]
    root_point_id: pulumi.Output[str]
    # What a task has to wait for: the file system's name resolves only once its mount targets are there.
    ready: list[pulumi.Resource]
    description: pulumi.Input[str]
    kept: list[Kept]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Storage", name, opts=opts)
        self.name = name
        system = aws.efs.FileSystem(
            f"{name}-data",
            creation_token=f"{stem()}-data",
            encrypted=True,
            throughput_mode=THROUGHPUT,
            tags={**TAGS, "Name": f"{stem()}-data"},
            opts=pulumi.ResourceOptions(
                parent=self,
                aliases=[pulumi.Alias(name="data")],
                protect=True,
                # Its name in EFS, settled when it is made: another one would make another file system.
                ignore_changes=["creationToken"],
            ),
        )
        self.id, self.arn = system.id, system.arn
        self.ready = [self.mount_target(subnet, args.group) for subnet in args.subnets]
        app, root = self.app_point(), self.root_point()
        self.app_point_id, self.root_point_id = app.id, root.id
        of_task = [Door(args.task, app.arn, READ_WRITE)]
        of_restore = [Door(args.restore, app.arn, READ_WRITE), Door(args.restore, root.arn, AS_ROOT)]
        child = pulumi.ResourceOptions(parent=self)
        self.ready += [
            self.policy(of_task + of_restore),
            grant(f"{name}-task", args.task.name, [self.through(door) for door in of_task], child),
            grant(f"{name}-restore", args.restore.name, [self.through(door) for door in of_restore], child),
        ]
        self.description = pulumi.Output.concat("EFS ", system.id, DIRECTORY)
        self.kept = [Kept(pulumi.Output.concat("EFS file system ", system.id), "protected, billed by the GB on it")]
        self.register_outputs({"id": self.id, "app_point_id": app.id, "root_point_id": root.id})

    def mount_target(self, subnet: Subnet, group: pulumi.Input[str]) -> pulumi.Resource:
        """A zone takes one mount target only, so the one of version 0.1 goes on under its new name."""
        was = pulumi.Alias(name=f"data-{subnet.number}")
        return aws.efs.MountTarget(
            f"{self.name}-{subnet.zone}",
            file_system_id=self.id,
            subnet_id=subnet.id,
            security_groups=[group],
            opts=pulumi.ResourceOptions(parent=self, aliases=[was], delete_before_replace=True),
        )

    def app_point(self) -> aws.efs.AccessPoint:
        """Makes the image's user of whoever comes, and shows the app's directory alone."""
        return aws.efs.AccessPoint(
            f"{self.name}-app",
            file_system_id=self.id,
            posix_user=aws.efs.AccessPointPosixUserArgs(uid=UID, gid=GID),
            root_directory=aws.efs.AccessPointRootDirectoryArgs(
                path=DIRECTORY,
                creation_info=aws.efs.AccessPointRootDirectoryCreationInfoArgs(
                    owner_uid=UID, owner_gid=GID, permissions="0750"
                ),
            ),
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name="app")]),
        )

    def root_point(self) -> aws.efs.AccessPoint:
        """Shows everything, to root: AWS Backup puts what it restores beside the app's directory, as root's."""
        return aws.efs.AccessPoint(
            f"{self.name}-root",
            file_system_id=self.id,
            posix_user=aws.efs.AccessPointPosixUserArgs(uid=0, gid=0),
            root_directory=aws.efs.AccessPointRootDirectoryArgs(path="/"),
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def policy(self, doors: list[Door]) -> pulumi.Resource:
        """The file system's own: EFS by itself admits whoever reaches it. There is one only, so it keeps its place."""
        return aws.efs.FileSystemPolicy(
            f"{self.name}-doors",
            file_system_id=self.id,
            policy=document([*(self.admits(door) for door in doors), self.refuses_clear()]),
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name="only-the-task")]),
        )

    def through(self, door: Door) -> dict[str, object]:
        condition = {"StringEquals": {"elasticfilesystem:AccessPointArn": door.point_arn}}
        return {"Effect": "Allow", "Action": door.actions, "Resource": self.arn, "Condition": condition}

    def admits(self, door: Door) -> dict[str, object]:
        condition = {
            "Bool": {"aws:SecureTransport": "true"},
            "StringEquals": {"elasticfilesystem:AccessPointArn": door.point_arn},
        }
        return {**self.through(door), "Principal": {"AWS": door.role.arn}, "Condition": condition}

    def refuses_clear(self) -> dict[str, object]:
        return {
            "Sid": "NothingInClear",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "elasticfilesystem:Client*",
            "Resource": self.arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
