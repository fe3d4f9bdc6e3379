"""The app on Cloud Run, with the Filestore share at /app/data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import HEALTH_PATH, PORT, TAGS, App, stem
from kit.gcp.region import region
from kit.gcp.secret import Kept

VOLUME = "data"


@dataclass(frozen=True)
class CloudRunArgs:
    """`secrets` are in Secret Manager by the setting's name; `ready` is what has to be there before the app starts.

    `machine` is vCPU/MiB, such as "1/512"; `domain` a host name of your own, or None for Google's.
    """

    project: pulumi.Output[str]
    app: App
    image: pulumi.Output[str]
    secrets: Mapping[str, Kept]
    account: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]
    server: pulumi.Output[str]
    path: pulumi.Output[str]
    network_id: pulumi.Output[str]
    subnet_id: pulumi.Output[str]
    machine: str
    domain: str | None
    handover: bool


class CloudRun(pulumi.ComponentResource):
    """One instance whose CPU is always on: the heartbeat and the schedule run between requests."""

    notes: list[pulumi.Input[str]]

    def __init__(self, name: str, args: CloudRunArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:CloudRun", name, opts=opts)
        service = gcp.cloudrunv2.Service(
            f"{name}-service",
            name=stem(),
            project=args.project,
            location=region(),
            ingress="INGRESS_TRAFFIC_ALL",
            # The app has its own sign-in.
            invoker_iam_disabled=True,
            deletion_protection=False,
            # The service's own limit counts the old revision too; the template's counts each by itself.
            scaling=gcp.cloudrunv2.ServiceScalingArgs(
                min_instance_count=1, max_instance_count=None if args.handover else 1
            ),
            traffics=[gcp.cloudrunv2.ServiceTrafficArgs(type="TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent=100)],
            template=template(args),
            labels=TAGS,
            # A new revision starts beside the old one, which may live on for 15 minutes. If it can't hand over, the
            # service goes first.
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=not args.handover,
                replace_on_changes=[] if args.handover else ["template"],
                depends_on=list(args.ready),
                aliases=[pulumi.Alias(name="app")],
            ),
        )
        self.notes = [self.serve(f"{name}-domain", args.domain, args.project, service)] if args.domain else []
        self.register_outputs({})

    def serve(
        self, name: str, domain: str, project: pulumi.Output[str], service: gcp.cloudrunv2.Service
    ) -> pulumi.Output[str]:
        """Maps the domain, and answers the DNS records to set."""
        mapping = gcp.cloudrun.DomainMapping(
            name,
            name=domain,
            project=project,
            location=region(),
            metadata=gcp.cloudrun.DomainMappingMetadataArgs(namespace=project),
            # By its name, so that the mapping stays when the service is made anew.
            spec=gcp.cloudrun.DomainMappingSpecArgs(route_name=stem()),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service], aliases=[pulumi.Alias(name="domain")]),
        )
        return mapping.statuses.apply(
            lambda statuses: (
                "DNS: "
                + ", ".join(
                    f"{domain} {record.type} {record.rrdata}"
                    for status in statuses
                    for record in status.resource_records or []
                )
            )
        )


def template(args: CloudRunArgs) -> gcp.cloudrunv2.ServiceTemplateArgs:
    """The one revision: image, settings, share and network."""
    run = gcp.cloudrunv2
    return run.ServiceTemplateArgs(
        service_account=args.account,
        execution_environment="EXECUTION_ENVIRONMENT_GEN2",
        timeout="60s",
        scaling=run.ServiceTemplateScalingArgs(
            min_instance_count=args.app.instances, max_instance_count=args.app.instances
        ),
        containers=[container(args)],
        volumes=[
            run.ServiceTemplateVolumeArgs(
                name=VOLUME,
                nfs=run.ServiceTemplateVolumeNfsArgs(server=args.server, path=args.path, read_only=False),
            )
        ]
        if args.app.mount
        else [],
        vpc_access=run.ServiceTemplateVpcAccessArgs(
            egress="PRIVATE_RANGES_ONLY",
            network_interfaces=[
                run.ServiceTemplateVpcAccessNetworkInterfaceArgs(network=args.network_id, subnetwork=args.subnet_id)
            ],
        ),
    )


def container(args: CloudRunArgs) -> gcp.cloudrunv2.ServiceTemplateContainerArgs:
    run = gcp.cloudrunv2
    cpu, memory = args.machine.split("/")
    return run.ServiceTemplateContainerArgs(
        image=args.image,
        ports=run.ServiceTemplateContainerPortsArgs(container_port=PORT),
        envs=[
            *(run.ServiceTemplateContainerEnvArgs(name=key, value=value) for key, value in args.app.plain.items()),
            *(secret(name, kept) for name, kept in args.secrets.items()),
        ],
        resources=run.ServiceTemplateContainerResourcesArgs(
            limits={"cpu": cpu, "memory": f"{memory}Mi"}, cpu_idle=False, startup_cpu_boost=True
        ),
        volume_mounts=[run.ServiceTemplateContainerVolumeMountArgs(name=VOLUME, mount_path=args.app.mount)]
        if args.app.mount
        else [],
        # Four minutes: the app may wait for the mount and for the migration of a large database.
        startup_probe=run.ServiceTemplateContainerStartupProbeArgs(
            http_get=run.ServiceTemplateContainerStartupProbeHttpGetArgs(path=HEALTH_PATH, port=PORT),
            period_seconds=10,
            timeout_seconds=5,
            failure_threshold=24,
        ),
        liveness_probe=run.ServiceTemplateContainerLivenessProbeArgs(
            http_get=run.ServiceTemplateContainerLivenessProbeHttpGetArgs(path=HEALTH_PATH, port=PORT),
            period_seconds=30,
            timeout_seconds=10,
            failure_threshold=4,
        ),
    )


def secret(name: str, kept: Kept) -> gcp.cloudrunv2.ServiceTemplateContainerEnvArgs:
    """The setting as a reference; the service reads the value when it starts."""
    run = gcp.cloudrunv2
    return run.ServiceTemplateContainerEnvArgs(
        name=name,
        value_source=run.ServiceTemplateContainerEnvValueSourceArgs(
            secret_key_ref=run.ServiceTemplateContainerEnvValueSourceSecretKeyRefArgs(
                secret=kept.id, version=kept.version.apply(lambda version: version.rpartition("/")[2])
            )
        ),
    )
