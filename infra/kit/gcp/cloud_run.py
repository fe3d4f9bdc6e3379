"""The app on Cloud Run, with the Filestore share at /app/data."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import HEALTH_PATH, MOUNT_PATH, NAME, PASSWORD_VARIABLE, PORT, TAGS, environment
from kit.gcp.network import Network
from kit.gcp.region import region
from kit.gcp.secret import Secret
from kit.gcp.storage import Filestore

VOLUME = "data"


@dataclass(frozen=True)
class CloudRunArgs:
    """`domain` is a host name of your own, or None for Google's."""

    project: pulumi.Output[str]
    network: Network
    share: Filestore
    image: pulumi.Output[str]
    secret: Secret
    url: pulumi.Output[str]
    domain: str | None
    admin_email: str
    handover: bool


class CloudRun(pulumi.ComponentResource):
    """One instance whose CPU is always on: the heartbeat and the schedule run between requests."""

    notes: list[pulumi.Input[str]]

    def __init__(self, name: str, args: CloudRunArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:CloudRun", name, opts=opts)
        account = gcp.serviceaccount.Account(
            "app", project=args.project, account_id=f"{NAME}-app", opts=pulumi.ResourceOptions(parent=self)
        )
        service = gcp.cloudrunv2.Service(
            "app",
            name=NAME,
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
            template=template(args, account.email),
            labels=TAGS,
            # A new revision starts beside the old one, which may live on for 15 minutes. If it can't hand over, the
            # service goes first.
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=not args.handover,
                replace_on_changes=[] if args.handover else ["template"],
                depends_on=[args.share.ready, args.secret.readable_by(account.member)],
            ),
        )
        self.notes = [self.serve(args.domain, args.project, service)] if args.domain else []
        self.register_outputs({})

    def serve(self, domain: str, project: pulumi.Output[str], service: gcp.cloudrunv2.Service) -> pulumi.Output[str]:
        """Maps the domain, and answers the DNS records to set."""
        mapping = gcp.cloudrun.DomainMapping(
            "domain",
            name=domain,
            project=project,
            location=region(),
            metadata=gcp.cloudrun.DomainMappingMetadataArgs(namespace=project),
            # By its name, so that the mapping stays when the service is made anew.
            spec=gcp.cloudrun.DomainMappingSpecArgs(route_name=NAME),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service]),
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


def template(args: CloudRunArgs, account: pulumi.Input[str]) -> gcp.cloudrunv2.ServiceTemplateArgs:
    """The one revision: image, settings, share and network."""
    run = gcp.cloudrunv2
    return run.ServiceTemplateArgs(
        service_account=account,
        execution_environment="EXECUTION_ENVIRONMENT_GEN2",
        timeout="60s",
        scaling=run.ServiceTemplateScalingArgs(min_instance_count=1, max_instance_count=1),
        containers=[container(args)],
        volumes=[
            run.ServiceTemplateVolumeArgs(
                name=VOLUME,
                nfs=run.ServiceTemplateVolumeNfsArgs(server=args.share.server, path=args.share.path, read_only=False),
            )
        ],
        vpc_access=run.ServiceTemplateVpcAccessArgs(
            egress="PRIVATE_RANGES_ONLY",
            network_interfaces=[
                run.ServiceTemplateVpcAccessNetworkInterfaceArgs(
                    network=args.network.network_id, subnetwork=args.network.subnet_id
                )
            ],
        ),
    )


def container(args: CloudRunArgs) -> gcp.cloudrunv2.ServiceTemplateContainerArgs:
    run = gcp.cloudrunv2
    plain = environment(args.url, proxies=1, admin_email=args.admin_email)
    password = run.ServiceTemplateContainerEnvArgs(
        name=PASSWORD_VARIABLE,
        value_source=run.ServiceTemplateContainerEnvValueSourceArgs(
            secret_key_ref=run.ServiceTemplateContainerEnvValueSourceSecretKeyRefArgs(
                secret=args.secret.secret_id, version=args.secret.version.apply(lambda name: name.rpartition("/")[2])
            )
        ),
    )
    return run.ServiceTemplateContainerArgs(
        image=args.image,
        ports=run.ServiceTemplateContainerPortsArgs(container_port=PORT),
        envs=[*(run.ServiceTemplateContainerEnvArgs(name=key, value=value) for key, value in plain.items()), password],
        resources=run.ServiceTemplateContainerResourcesArgs(
            limits={"cpu": "1", "memory": "512Mi"}, cpu_idle=False, startup_cpu_boost=True
        ),
        volume_mounts=[run.ServiceTemplateContainerVolumeMountArgs(name=VOLUME, mount_path=MOUNT_PATH)],
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
