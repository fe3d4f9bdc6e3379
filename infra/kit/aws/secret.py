"""Secrets Manager: the admin's password, which the task reads with its own role."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import TAGS


@dataclass(frozen=True)
class SecretArgs:
    """The value to keep."""

    value: pulumi.Output[str]


class Secret(pulumi.ComponentResource):
    """One secret. It goes at once on `destroy`, so that its name is free again."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Secret", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        secret = aws.secretsmanager.Secret("admin-password", recovery_window_in_days=0, tags=TAGS, opts=child)
        version = aws.secretsmanager.SecretVersion(
            "admin-password", secret_id=secret.id, secret_string=args.value, opts=child
        )
        # By way of the version, so that no task starts before the secret has a value.
        self.arn = version.secret_id
        self.register_outputs({})
