"""A Fargate task's definition: its size, its file systems, and one container that can change nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from contract import GID, NAME, STOP_SECONDS, TAGS, UID
from kit.aws.identity import Role

# MiB of the task's memory. ECS takes `tmpfs` on Fargate since 2026-01 (aws/containers-roadmap#736).
TMP_MIB = 64


@dataclass(frozen=True)
class TaskArgs:
    """`family` names the definition in the account; `mounts` are access points by the path in the container.

    `machine` is CPU units and MiB ("256/512"); `container` what only this container has, as ECS takes it.
    """

    family: str
    machine: str
    image: pulumi.Input[str]
    start: Role
    role: Role
    file_system_id: pulumi.Input[str]
    mounts: Mapping[str, pulumi.Input[str]]
    log_group: pulumi.Input[str]
    container: Mapping[str, object] = field(default_factory=lambda: {})


def task(name: str, args: TaskArgs, opts: pulumi.ResourceOptions) -> aws.ecs.TaskDefinition:
    """The definition that ECS starts tasks from."""
    cpu, memory = args.machine.split("/")
    return aws.ecs.TaskDefinition(
        name,
        family=args.family,
        requires_compatibilities=["FARGATE"],
        network_mode="awsvpc",
        cpu=cpu,
        memory=memory,
        runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
            operating_system_family="LINUX", cpu_architecture="X86_64"
        ),
        execution_role_arn=args.start.arn,
        task_role_arn=args.role.arn,
        volumes=[volume(path, args.file_system_id, point) for path, point in args.mounts.items()],
        container_definitions=pulumi.Output.json_dumps([container(args)]),
        tags=TAGS,
        opts=opts,
    )


def volume(path: str, file_system_id: pulumi.Input[str], point: pulumi.Input[str]) -> aws.ecs.TaskDefinitionVolumeArgs:
    """The file system, encrypted on its way, through one access point."""
    return aws.ecs.TaskDefinitionVolumeArgs(
        name=volume_name(path),
        efs_volume_configuration=aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs(
            file_system_id=file_system_id,
            transit_encryption="ENABLED",
            authorization_config=aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs(
                access_point_id=point, iam="ENABLED"
            ),
        ),
    )


def volume_name(path: str) -> str:
    return path.rpartition("/")[2]


def container(args: TaskArgs) -> dict[str, object]:
    """The container's definition, as ECS's RegisterTaskDefinition takes it."""
    tmpfs = {"containerPath": "/tmp", "size": TMP_MIB, "mountOptions": ["nosuid", "nodev", "noexec"]}  # noqa: S108
    return {
        "name": NAME,
        "image": args.image,
        "essential": True,
        "user": f"{UID}:{GID}",
        "environment": [],
        "mountPoints": [
            {"sourceVolume": volume_name(path), "containerPath": path, "readOnly": False} for path in args.mounts
        ],
        "stopTimeout": STOP_SECONDS,
        "readonlyRootFilesystem": True,
        "linuxParameters": {"initProcessEnabled": False, "capabilities": {"drop": ["ALL"]}, "tmpfs": [tmpfs]},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": args.log_group,
                "awslogs-region": aws.get_region_output().region,
                "awslogs-stream-prefix": args.family,
            },
        },
        **args.container,
    }
