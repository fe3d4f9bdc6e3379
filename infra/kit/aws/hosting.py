"""The Fargate service: one task with the file system mounted at /app/data."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import (
    GID,
    HEALTH_COMMAND,
    MOUNT_PATH,
    NAME,
    PASSWORD_VARIABLE,
    PORT,
    STOP_SECONDS,
    TAGS,
    UID,
    environment,
)
from kit.aws.network import Network
from kit.aws.roles import Roles
from kit.aws.storage import Storage

VOLUME = "data"


@dataclass(frozen=True)
class HostingArgs:
    """What the task runs, mounts, may do and is found by."""

    network: Network
    storage: Storage
    roles: Roles
    image: pulumi.Output[str]
    password_arn: pulumi.Output[str]
    service_registry_arn: pulumi.Output[str]
    url: pulumi.Output[str]
    admin_email: str
    handover: bool


class Hosting(pulumi.ComponentResource):
    """A service with one task. At a hand-over the next one runs beside it; the app lets one of them write."""

    def __init__(self, name: str, args: HostingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Hosting", name, opts=opts)
        cluster = aws.ecs.Cluster(NAME, tags=TAGS, opts=pulumi.ResourceOptions(parent=self))
        aws.ecs.Service(
            "service",
            cluster=cluster.arn,
            task_definition=self.task(args).arn,
            launch_type="FARGATE",
            desired_count=1,
            deployment_minimum_healthy_percent=100 if args.handover else 0,
            deployment_maximum_percent=200 if args.handover else 100,
            # Rebalancing starts a second task first, at a time of its own.
            availability_zone_rebalancing="DISABLED",
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            wait_for_steady_state=True,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=args.network.subnet_ids,
                security_groups=[args.network.task_group],
                # The way to the registry and the logs without a NAT gateway; no rule lets anybody in.
                assign_public_ip=True,
            ),
            service_registries=aws.ecs.ServiceServiceRegistriesArgs(
                registry_arn=args.service_registry_arn, container_name=NAME, container_port=PORT
            ),
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.storage.ready, *args.roles.policies]),
        )
        self.register_outputs({})

    def task(self, args: HostingArgs) -> aws.ecs.TaskDefinition:
        """What one task is: size, roles, the volume and the container."""
        return aws.ecs.TaskDefinition(
            NAME,
            family=NAME,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu="256",
            memory="512",
            runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
                operating_system_family="LINUX", cpu_architecture="X86_64"
            ),
            execution_role_arn=args.roles.execution_arn,
            task_role_arn=args.roles.task_arn,
            volumes=[
                aws.ecs.TaskDefinitionVolumeArgs(
                    name=VOLUME,
                    efs_volume_configuration=aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs(
                        file_system_id=args.storage.id,
                        transit_encryption="ENABLED",
                        authorization_config=aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs(
                            access_point_id=args.storage.access_point_id, iam="ENABLED"
                        ),
                    ),
                )
            ],
            container_definitions=pulumi.Output.json_dumps([container(args)]),
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        )


def container(args: HostingArgs) -> dict[str, object]:
    """The container's definition, as ECS's RegisterTaskDefinition takes it."""
    plain = environment(args.url, proxies=1, admin_email=args.admin_email)
    return {
        "name": NAME,
        "image": args.image,
        "essential": True,
        "user": f"{UID}:{GID}",
        "portMappings": [{"containerPort": PORT, "protocol": "tcp"}],
        "environment": [{"name": key, "value": value} for key, value in sorted(plain.items())],
        "secrets": [{"name": PASSWORD_VARIABLE, "valueFrom": args.password_arn}],
        "mountPoints": [{"sourceVolume": VOLUME, "containerPath": MOUNT_PATH, "readOnly": False}],
        "healthCheck": {
            "command": ["CMD-SHELL", HEALTH_COMMAND],
            # The old task stands by until ECS has seen the new one healthy: at a hand-over it looks as often as it can.
            "interval": 5 if args.handover else 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 120,
        },
        "stopTimeout": STOP_SECONDS,
        "linuxParameters": {"initProcessEnabled": False, "capabilities": {"drop": ["ALL"]}},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": args.roles.log_group,
                "awslogs-region": aws.get_region_output().region,
                "awslogs-stream-prefix": NAME,
            },
        },
    }
