"""Where the database lives: a persistent disk, or a Filestore share."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import GID, NAME, TAGS, UID, Kept
from kit import caddy
from kit.gcp.network import Network
from kit.gcp.region import region, zone

# The share's name of the first deployments; Filestore knows no hyphens.
SHARE = "task_manager_data"


@dataclass(frozen=True)
class DataDiskArgs:
    """The project to make it in, and its size in GiB."""

    project: pulumi.Output[str]
    gb: int


class DataDisk(pulumi.ComponentResource):
    """A disk that outlives every VM."""

    id: pulumi.Output[str]
    name: pulumi.Output[str]
    description: pulumi.Input[str]
    kept: list[Kept]

    def __init__(self, name: str, args: DataDiskArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:DataDisk", name, opts=opts)
        disk = gcp.compute.Disk(
            f"{NAME}-data",
            project=args.project,
            zone=zone(),
            type="pd-balanced",
            size=args.gb,
            labels=TAGS,
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        self.id, self.name = disk.id, disk.name
        self.description = pulumi.Output.concat("persistent disk ", disk.name)
        self.kept = [Kept(self.description, f"protected, billed by its {args.gb} GB")]
        self.register_outputs({})


@dataclass(frozen=True)
class FilestoreArgs:
    """`docker_hub` is where the image of the job comes from that hands the share to the app's user."""

    project: pulumi.Output[str]
    network: Network
    docker_hub: pulumi.Output[str]
    gb: int


class Filestore(pulumi.ComponentResource):
    """An NFS share that belongs to the app's user."""

    name: pulumi.Output[str]
    server: pulumi.Output[str]
    path: str
    # What the service has to wait for: before it, only root may write to the share.
    ready: pulumi.Resource
    description: pulumi.Input[str]
    kept: list[Kept]

    def __init__(self, name: str, args: FilestoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Filestore", name, opts=opts)
        instance = gcp.filestore.Instance(
            f"{NAME}-data",
            project=args.project,
            location=zone(),
            tier="BASIC_HDD",
            file_shares=gcp.filestore.InstanceFileSharesArgs(name=SHARE, capacity_gb=args.gb),
            networks=[gcp.filestore.InstanceNetworkArgs(network=args.network.network_name, modes=["MODE_IPV4"])],
            labels=TAGS,
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        self.name = instance.name
        self.server = instance.networks.apply(lambda networks: (networks[0].ip_addresses or [""])[0])
        self.path = f"/{SHARE}"
        self.ready = self.hand_over(args)
        self.description = pulumi.Output.concat("Filestore ", instance.name, self.path)
        self.kept = [Kept(pulumi.Output.concat("Filestore ", instance.name), f"protected, billed by its {args.gb} GiB")]
        self.register_outputs({})

    def hand_over(self, args: FilestoreArgs) -> gcp.cloudrunv2.Job:
        """Runs once, as root, because a fresh export belongs to root."""
        run = gcp.cloudrunv2
        # An account without any role: the default one may be allowed to change the whole project.
        account = gcp.serviceaccount.Account(
            "hand-over",
            project=args.project,
            account_id=f"{NAME}-hand-over",
            opts=pulumi.ResourceOptions(parent=self),
        )
        return run.Job(
            "hand-over",
            project=args.project,
            location=region(),
            deletion_protection=False,
            run_execution_token="hand-over",  # noqa: S106  # names the one execution
            template=run.JobTemplateArgs(
                template=run.JobTemplateTemplateArgs(
                    service_account=account.email,
                    max_retries=2,
                    containers=[
                        run.JobTemplateTemplateContainerArgs(
                            image=pulumi.Output.concat(args.docker_hub, caddy.IMAGE),
                            commands=["sh", "-c", f"chown {UID}:{GID} /data && chmod 750 /data"],
                            volume_mounts=[
                                run.JobTemplateTemplateContainerVolumeMountArgs(name="data", mount_path="/data")
                            ],
                        )
                    ],
                    volumes=[
                        run.JobTemplateTemplateVolumeArgs(
                            name="data", nfs=run.JobTemplateTemplateVolumeNfsArgs(server=self.server, path=self.path)
                        )
                    ],
                    vpc_access=run.JobTemplateTemplateVpcAccessArgs(
                        egress="PRIVATE_RANGES_ONLY",
                        network_interfaces=[
                            run.JobTemplateTemplateVpcAccessNetworkInterfaceArgs(
                                network=args.network.network_id, subnetwork=args.network.subnet_id
                            )
                        ],
                    ),
                )
            ),
            labels=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        )
