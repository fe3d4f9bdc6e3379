"""Where the database lives: a persistent disk, or a Filestore share."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import GID, NAME, TAGS, UID, Kept, stem
from kit import caddy
from kit.gcp.region import region, zone

# At most 16 of a-z, 0-9 and "_" on the basic tier: FileShareConfig.name in the discovery document file.v1.
SHARE = "task_manager"


@dataclass(frozen=True)
class DataDiskArgs:
    """The project to make it in, its size in GiB, and what stays with it in `destroy --exclude-protected`."""

    project: pulumi.Output[str]
    gb: int
    stays_with: Sequence[pulumi.Resource]


class DataDisk(pulumi.ComponentResource):
    """A disk that outlives every VM."""

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    description: pulumi.Input[str]
    kept: list[Kept]

    def __init__(self, name: str, args: DataDiskArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:DataDisk", name, opts=opts)
        disk = gcp.compute.Disk(
            f"{name}-disk",
            name=f"{stem()}-data",
            project=args.project,
            zone=zone(),
            type="pd-balanced",
            size=args.gb,
            # Protection stops only Pulumi's mistakes. Who lifts it and deletes the disk still gets a last snapshot.
            create_snapshot_before_destroy=True,
            labels=TAGS,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=True,
                # Earlier disks have names of Google's making, and a disk can't be renamed.
                ignore_changes=["name"],
                aliases=[pulumi.Alias(name=f"{NAME}-data")],
                depends_on=args.stays_with,
            ),
        )
        self.id, self.name = disk.id, disk.name
        self.description = pulumi.Output.concat("persistent disk ", disk.name)
        self.kept = [Kept(self.description, f"protected, billed by its {args.gb} GB; deleting it takes a snapshot")]
        self.register_outputs({"name": self.name})


@dataclass(frozen=True)
class FilestoreArgs:
    """The share's place and size in GiB, and for the job that hands it to the app's user: its image and account."""

    project: pulumi.Output[str]
    network_id: pulumi.Output[str]
    network_name: pulumi.Output[str]
    subnet_id: pulumi.Output[str]
    stays_with: Sequence[pulumi.Resource]
    docker_hub: pulumi.Output[str]
    account: pulumi.Output[str]
    gb: int


class Filestore(pulumi.ComponentResource):
    """An NFS share that belongs to the app's user."""

    name: pulumi.Output[str]
    share: pulumi.Output[str]
    server: pulumi.Output[str]
    path: pulumi.Output[str]
    # What the service has to wait for: before it, only root may write to the share.
    ready: pulumi.Resource
    description: pulumi.Input[str]
    kept: list[Kept]

    def __init__(self, name: str, args: FilestoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Filestore", name, opts=opts)
        instance = self.instance(name, args)
        self.name = instance.name
        self.share = instance.file_shares.apply(lambda share: share.name)
        self.server = instance.networks.apply(lambda networks: (networks[0].ip_addresses or [""])[0])
        self.path = pulumi.Output.concat("/", self.share)
        self.ready = self.hand_over(name, args)
        self.description = pulumi.Output.concat("Filestore ", instance.name, self.path)
        self.kept = [
            Kept(
                pulumi.Output.concat("Filestore ", instance.name),
                f"protected, by Google too, billed by its {args.gb} GiB",
            )
        ]
        self.register_outputs({"name": self.name})

    def instance(self, name: str, args: FilestoreArgs) -> "gcp.filestore.Instance":
        return gcp.filestore.Instance(
            f"{name}-instance",
            name=f"{stem()}-data",
            project=args.project,
            location=zone(),
            tier="BASIC_HDD",
            file_shares=gcp.filestore.InstanceFileSharesArgs(name=SHARE, capacity_gb=args.gb),
            networks=[gcp.filestore.InstanceNetworkArgs(network=args.network_name, modes=["MODE_IPV4"])],
            deletion_protection_enabled=True,
            deletion_protection_reason="It holds the database of a Pulumi stack.",
            labels=TAGS,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=True,
                # Neither can be changed, and an adopted instance keeps its own.
                ignore_changes=["name", "fileShares.name"],
                aliases=[pulumi.Alias(name=f"{NAME}-data")],
                depends_on=args.stays_with,
            ),
        )

    def hand_over(self, name: str, args: FilestoreArgs) -> "gcp.cloudrunv2.Job":
        """Runs once, as root, because a fresh export belongs to root."""
        run = gcp.cloudrunv2
        return run.Job(
            f"{name}-hand-over",
            name=f"{stem()}-hand-over",
            project=args.project,
            location=region(),
            deletion_protection=False,
            run_execution_token="hand-over",  # noqa: S106  # names the one execution
            template=run.JobTemplateArgs(
                template=run.JobTemplateTemplateArgs(
                    service_account=args.account,
                    max_retries=2,
                    containers=[chown(args.docker_hub)],
                    volumes=[
                        run.JobTemplateTemplateVolumeArgs(
                            name="data", nfs=run.JobTemplateTemplateVolumeNfsArgs(server=self.server, path=self.path)
                        )
                    ],
                    vpc_access=run.JobTemplateTemplateVpcAccessArgs(
                        egress="PRIVATE_RANGES_ONLY",
                        network_interfaces=[
                            run.JobTemplateTemplateVpcAccessNetworkInterfaceArgs(
                                network=args.network_id, subnetwork=args.subnet_id
                            )
                        ],
                    ),
                )
            ),
            labels=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        )


def chown(docker_hub: pulumi.Input[str]) -> "gcp.cloudrunv2.JobTemplateTemplateContainerArgs":
    """Gives the fresh export to the app's user."""
    run = gcp.cloudrunv2
    return run.JobTemplateTemplateContainerArgs(
        image=pulumi.Output.concat(docker_hub, caddy.IMAGE),
        commands=["sh", "-c", f"chown {UID}:{GID} /data && chmod 750 /data"],
        volume_mounts=[run.JobTemplateTemplateContainerVolumeMountArgs(name="data", mount_path="/data")],
    )
