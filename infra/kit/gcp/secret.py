"""Secret Manager: the admin's password, which the app's own account reads."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import TAGS


@dataclass(frozen=True)
class SecretArgs:
    """The value to keep."""

    project: pulumi.Output[str]
    value: pulumi.Output[str]


class Secret(pulumi.ComponentResource):
    """One secret with one version."""

    secret_id: pulumi.Output[str]
    # The version's full name, by way of which nobody reads the secret before it has a value.
    version: pulumi.Output[str]

    def __init__(self, name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Secret", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        self._project = args.project
        secret = gcp.secretmanager.Secret(
            "admin-password",
            project=args.project,
            secret_id="task-assist-admin-password",  # noqa: S106  # its name
            replication=gcp.secretmanager.SecretReplicationArgs(auto=gcp.secretmanager.SecretReplicationAutoArgs()),
            labels=TAGS,
            opts=child,
        )
        version = gcp.secretmanager.SecretVersion(
            "admin-password", secret=secret.id, secret_data=args.value, opts=child
        )
        self.secret_id, self.version = secret.secret_id, version.name
        self.register_outputs({})

    def readable_by(self, member: pulumi.Input[str]) -> pulumi.Resource:
        """Lets one account read it."""
        return gcp.secretmanager.SecretIamMember(
            "read",
            project=self._project,
            secret_id=self.secret_id,
            role="roles/secretmanager.secretAccessor",
            member=member,
            opts=pulumi.ResourceOptions(parent=self),
        )
