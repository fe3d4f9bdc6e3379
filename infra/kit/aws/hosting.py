"""The Fargate service: one task with the file system mounted at /app/data."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import HEALTH_COMMAND, NAME, PORT, TAGS, App, stem
from kit import earlier
from kit.aws.identity import Role, grant
from kit.aws.policy import allow
from kit.aws.task import TaskArgs, task
from kit.aws.vpc import Subnet


@dataclass(frozen=True)
class HostingArgs:
    """What the task runs, mounts, may do and is found by. `ready`: what has to be there before it starts."""

    app: App
    image: pulumi.Input[str]
    secret_arns: Mapping[str, pulumi.Output[str]]
    start: Role
    role: Role
    file_system_id: pulumi.Input[str]
    access_point_id: pulumi.Input[str]
    subnets: list[Subnet]
    group: pulumi.Input[str]
    registry_arn: pulumi.Input[str]
    machine: str
    log_days: int
    handover: bool
    ready: list[pulumi.Resource]


class Hosting(pulumi.ComponentResource):
    """A service with one task. At a hand-over the next one runs beside it; the app lets one of them write."""

    cluster_name: pulumi.Output[str]
    service_name: pulumi.Output[str]
    log_group: pulumi.Output[str]

    def __init__(self, name: str, args: HostingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Hosting", name, opts=opts)
        self.name = name
        logs = self.logs(args.log_days)
        self.log_group = logs.name
        writes = allow(["logs:CreateLogStream", "logs:PutLogEvents"], pulumi.Output.concat(logs.arn, ":*"))
        logged = grant(f"{name}-logs", args.start.name, [writes], pulumi.ResourceOptions(parent=self))
        cluster = aws.ecs.Cluster(f"{name}-cluster", name=stem(), tags=TAGS, opts=self.was(NAME))
        self.cluster_name = cluster.name
        definition = task(f"{name}-task", self.definition(args), self.was(NAME))
        self.service_name = self.service(args, cluster.arn, definition.arn, [*args.ready, logged])
        self.register_outputs({"cluster_name": self.cluster_name, "service_name": self.service_name})

    def was(self, name: str) -> pulumi.ResourceOptions:
        """The service of version 0.1 goes on: a second one beside it would start a second task. So do its names."""
        return pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name=name)], ignore_changes=["name"])

    def logs(self, days: int) -> aws.cloudwatch.LogGroup:
        was = earlier.urn("task-assist:aws:Roles$aws:cloudwatch/logGroup:LogGroup", "logs")
        return aws.cloudwatch.LogGroup(
            f"{self.name}-logs",
            name=f"/{NAME}/{stem()}",
            retention_in_days=days,
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self, aliases=[was], ignore_changes=["name"]),
        )

    def definition(self, args: HostingArgs) -> TaskArgs:
        return TaskArgs(
            family=stem(),
            machine=args.machine,
            image=args.image,
            start=args.start,
            role=args.role,
            file_system_id=args.file_system_id,
            mounts={args.app.mount: args.access_point_id} if args.app.mount else {},
            log_group=self.log_group,
            container={
                "portMappings": [{"containerPort": PORT, "protocol": "tcp"}],
                "environment": [{"name": key, "value": value} for key, value in sorted(args.app.plain.items())],
                "secrets": [{"name": key, "valueFrom": arn} for key, arn in sorted(args.secret_arns.items())],
                "healthCheck": health_check(handover=args.handover),
            },
        )

    def service(
        self,
        args: HostingArgs,
        cluster_arn: pulumi.Input[str],
        definition_arn: pulumi.Input[str],
        ready: list[pulumi.Resource],
    ) -> pulumi.Output[str]:
        """Keeps one task running, and waits until it is healthy."""
        return aws.ecs.Service(
            f"{self.name}-service",
            name=stem(),
            cluster=cluster_arn,
            task_definition=definition_arn,
            launch_type="FARGATE",
            desired_count=args.app.instances,
            deployment_minimum_healthy_percent=100 if args.handover else 0,
            deployment_maximum_percent=200 if args.handover else 100,
            # Rebalancing starts a second task first, at a time of its own.
            availability_zone_rebalancing="DISABLED",
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            wait_for_steady_state=True,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=[subnet.id for subnet in args.subnets],
                security_groups=[args.group],
                # The way to the registry and the logs without a NAT gateway; no rule lets anybody in.
                assign_public_ip=True,
            ),
            service_registries=aws.ecs.ServiceServiceRegistriesArgs(
                registry_arn=args.registry_arn, container_name=NAME, container_port=PORT
            ),
            tags=TAGS,
            opts=pulumi.ResourceOptions.merge(self.was("service"), pulumi.ResourceOptions(depends_on=ready)),
        ).name


def health_check(*, handover: bool) -> dict[str, object]:
    """ECS's look from inside. The old task stands by until ECS has seen the new one healthy, so then it looks often."""
    return {
        "command": ["CMD-SHELL", HEALTH_COMMAND],
        "interval": 5 if handover else 10,
        "timeout": 5,
        "retries": 3,
        "startPeriod": 120,
    }
