"""Two roles: what ECS may do to start the task, and what the task itself may do."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import TAGS
from kit.aws.storage import Storage

LOG_DAYS = 30


@dataclass(frozen=True)
class RolesArgs:
    """What the roles may touch."""

    pull_from: pulumi.Output[str] | None
    secret_arn: pulumi.Input[str]
    storage: Storage


class Roles(pulumi.ComponentResource):
    """The roles and the log group that the first of them writes to."""

    execution_arn: pulumi.Output[str]
    task_arn: pulumi.Output[str]
    log_group: pulumi.Output[str]
    # A task that starts before these is refused its image, its secret or its mount.
    policies: list[pulumi.Resource]

    def __init__(self, name: str, args: RolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Roles", name, opts=opts)
        self.policies = []
        logs = aws.cloudwatch.LogGroup(
            "logs", retention_in_days=LOG_DAYS, tags=TAGS, opts=pulumi.ResourceOptions(parent=self)
        )
        self.log_group = logs.name
        start = [
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], pulumi.Output.concat(logs.arn, ":*")),
            allow(["secretsmanager:GetSecretValue"], args.secret_arn),
            *pull(args.pull_from),
        ]
        self.execution_arn = self.role("start", start)
        condition = {"StringEquals": {"elasticfilesystem:AccessPointArn": args.storage.access_point_arn}}
        mount = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        self.task_arn = self.role("task", [{**allow(mount, args.storage.arn), "Condition": condition}])
        self.register_outputs({})

    def role(self, name: str, statements: list[dict[str, object]]) -> pulumi.Output[str]:
        """A role that ECS tasks take on, with one policy."""
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(name, assume_role_policy=json.dumps(assumed_by_tasks()), tags=TAGS, opts=child)
        document = pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements})
        self.policies.append(aws.iam.RolePolicy(name, role=role.id, policy=document, opts=child))
        return role.arn


def allow(actions: list[str], resource: pulumi.Input[str]) -> dict[str, object]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def pull(repository: pulumi.Output[str] | None) -> list[dict[str, object]]:
    """What pulling takes. The token is for all of ECR: AWS knows no narrower resource for it."""
    if repository is None:
        return []
    layers = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
    return [allow(["ecr:GetAuthorizationToken"], "*"), allow(layers, repository)]


def assumed_by_tasks() -> dict[str, object]:
    principal = {"Service": "ecs-tasks.amazonaws.com"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }
