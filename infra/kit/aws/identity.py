"""The roles of the tasks. They begin with nothing; each room grants them what it holds."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import TAGS
from kit.aws.policy import Statement, assumed_by, document


@dataclass(frozen=True)
class Role:
    """A role as others need it."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]


class Identity(pulumi.ComponentResource):
    """`start`: what ECS may do to start a task. `task`: the app itself. `restore`: the task that restores a backup."""

    start: Role
    task: Role
    restore: Role

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Identity", name, opts=opts)
        self.start = self.role(f"{name}-start")
        self.task = self.role(f"{name}-task")
        self.restore = self.role(f"{name}-restore")
        self.register_outputs({"start": self.start.arn, "task": self.task.arn, "restore": self.restore.arn})

    def role(self, name: str) -> Role:
        """A role that ECS tasks take on."""
        made = aws.iam.Role(
            name,
            assume_role_policy=assumed_by("ecs-tasks.amazonaws.com"),
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return Role(made.arn, made.name)


def grant(
    name: str, role: pulumi.Input[str], statements: list[Statement], opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    """Lets the role named `role` do what the statements say. A task that starts before that is refused."""
    return aws.iam.RolePolicy(name, role=role, policy=document(statements), opts=opts)
