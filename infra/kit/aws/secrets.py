"""Secrets Manager: the app's secrets, which ECS reads with the start role and hands to the task."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import TAGS
from kit.aws.identity import grant
from kit.aws.policy import allow


@dataclass(frozen=True)
class SecretsArgs:
    """The values by the app's setting, and the role that reads them."""

    values: Mapping[str, pulumi.Output[str]]
    reader: pulumi.Input[str]


class Secrets(pulumi.ComponentResource):
    """One secret for each. They go at once on `destroy`: nothing is in them that the state doesn't have."""

    # By the app's setting.
    arns: Mapping[str, pulumi.Output[str]]
    granted: pulumi.Resource

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Secrets", name, opts=opts)
        self.arns = {
            setting: self.secret(f"{name}-{setting.lower().replace('_', '-')}", value)
            for setting, value in args.values.items()
        }
        statements = [allow(["secretsmanager:GetSecretValue"], arn) for arn in self.arns.values()]
        self.granted = grant(f"{name}-read", args.reader, statements, pulumi.ResourceOptions(parent=self))
        self.register_outputs({"arns": self.arns})

    def secret(self, name: str, value: pulumi.Output[str]) -> pulumi.Output[str]:
        child = pulumi.ResourceOptions(parent=self)
        secret = aws.secretsmanager.Secret(name, recovery_window_in_days=0, tags=TAGS, opts=child)
        version = aws.secretsmanager.SecretVersion(name, secret_id=secret.id, secret_string=value, opts=child)
        # By way of the version, so that no task starts before the secret has a value.
        return version.secret_id
