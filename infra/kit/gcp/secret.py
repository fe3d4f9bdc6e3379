"""Secret Manager: what the app gets as a secret, each read by the app's own account."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import TAGS, stem

# The earlier name of the one grant that there was.
EARLIER_GRANT = {"ADMIN_PASSWORD": "read"}


@dataclass(frozen=True)
class SecretArgs:
    """The values to keep by the setting's name, and who reads them."""

    project: pulumi.Output[str]
    values: Mapping[str, pulumi.Output[str]]
    reader: pulumi.Output[str]


@dataclass(frozen=True)
class Kept:
    """A secret's own id, and the version's full name, by way of which nobody reads it before it has a value."""

    id: pulumi.Output[str]
    version: pulumi.Output[str]


class Secret(pulumi.ComponentResource):
    """A secret with one version for each setting."""

    kept: Mapping[str, Kept]
    # What the app has to wait for.
    grants: list[pulumi.Resource]

    def __init__(self, name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Secret", name, opts=opts)
        self.grants = []
        self.kept = {variable: self.keep(name, args, variable) for variable in args.values}
        self.register_outputs({"versions": {variable: kept.version for variable, kept in self.kept.items()}})

    def keep(self, name: str, args: SecretArgs, variable: str) -> Kept:
        word = variable.lower().replace("_", "-")
        child = pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name=word)])
        secret = gcp.secretmanager.Secret(
            f"{name}-{word}",
            project=args.project,
            secret_id=f"{stem()}-{word}",
            replication=gcp.secretmanager.SecretReplicationArgs(auto=gcp.secretmanager.SecretReplicationAutoArgs()),
            labels=TAGS,
            opts=child,
        )
        version = gcp.secretmanager.SecretVersion(
            f"{name}-{word}", secret=secret.id, secret_data=args.values[variable], opts=child
        )
        grant = gcp.secretmanager.SecretIamMember(
            f"{name}-{word}-read",
            project=args.project,
            secret_id=secret.secret_id,
            role="roles/secretmanager.secretAccessor",
            member=args.reader,
            opts=pulumi.ResourceOptions(
                parent=self, aliases=[pulumi.Alias(name=EARLIER_GRANT.get(variable, f"{word}-read"))]
            ),
        )
        self.grants.append(grant)
        return Kept(secret.secret_id, version.name)
