"""A job that puts a backup from the bucket into the share's place. Nothing runs until somebody starts it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import MOUNT_PATH, TAGS, stem
from kit.gcp.region import region

VOLUME = "data"
# A large database is fetched, checked, kept and written; the app hands it over meanwhile.
SECONDS = 3600
# Of a job's container an execution may change the arguments and the environment, and give it no standard input: a key
# for one copy comes in by ONCE (docs/backups.md).
WITH_KEY = 'exec task-assist "$@" <<<"${ONCE:-}"'


@dataclass(frozen=True)
class RestoreJobArgs:
    """What the app runs as, on and with: its image, account, plain settings and share."""

    project: pulumi.Output[str]
    image: pulumi.Output[str]
    account: pulumi.Output[str]
    environment: Mapping[str, pulumi.Input[str]]
    server: pulumi.Output[str]
    path: pulumi.Output[str]
    network_id: pulumi.Output[str]
    subnet_id: pulumi.Output[str]


class RestoreJob(pulumi.ComponentResource):
    """The same container as the app, with `task-assist restore latest` as its command."""

    def __init__(self, name: str, args: RestoreJobArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:RestoreJob", name, opts=opts)
        run = gcp.cloudrunv2
        run.Job(
            f"{name}-job",
            name=f"{stem()}-restore",
            project=args.project,
            location=region(),
            deletion_protection=False,
            template=run.JobTemplateArgs(
                template=run.JobTemplateTemplateArgs(
                    service_account=args.account,
                    execution_environment="EXECUTION_ENVIRONMENT_GEN2",
                    # What failed half-way is for a person to look at.
                    max_retries=0,
                    timeout=f"{SECONDS}s",
                    containers=[container(args)],
                    volumes=[share(args)],
                    vpc_access=network(args),
                )
            ),
            labels=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def container(args: RestoreJobArgs) -> gcp.cloudrunv2.JobTemplateTemplateContainerArgs:
    run = gcp.cloudrunv2
    return run.JobTemplateTemplateContainerArgs(
        image=args.image,
        commands=["bash", "-c", WITH_KEY, "task-assist"],
        args=["restore", "latest"],
        envs=[run.JobTemplateTemplateContainerEnvArgs(name=key, value=text) for key, text in args.environment.items()],
        volume_mounts=[run.JobTemplateTemplateContainerVolumeMountArgs(name=VOLUME, mount_path=MOUNT_PATH)],
    )


def share(args: RestoreJobArgs) -> gcp.cloudrunv2.JobTemplateTemplateVolumeArgs:
    run = gcp.cloudrunv2
    nfs = run.JobTemplateTemplateVolumeNfsArgs(server=args.server, path=args.path)
    return run.JobTemplateTemplateVolumeArgs(name=VOLUME, nfs=nfs)


def network(args: RestoreJobArgs) -> gcp.cloudrunv2.JobTemplateTemplateVpcAccessArgs:
    run = gcp.cloudrunv2
    interface = run.JobTemplateTemplateVpcAccessNetworkInterfaceArgs(network=args.network_id, subnetwork=args.subnet_id)
    return run.JobTemplateTemplateVpcAccessArgs(egress="PRIVATE_RANGES_ONLY", network_interfaces=[interface])
