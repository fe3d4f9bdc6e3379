"""The container registry, and the image in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerregistry
from pulumi_azure_native.containerregistry.outputs import RegistryPasswordResponse

from contract import NAME, TAGS
from kit import image


@dataclass(frozen=True)
class RegistryArgs:
    """`ready` is an image with its digest, or None to build one."""

    group: pulumi.Input[str]
    ready: str | None


class Registry(pulumi.ComponentResource):
    """The registry stays when a ready image is set: it holds the versions to roll back to."""

    registry_id: pulumi.Output[str]
    image: pulumi.Output[str]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Registry", name, opts=opts)
        registry = containerregistry.Registry(
            "taskassist",
            resource_group_name=args.group,
            sku=containerregistry.SkuArgs(name=containerregistry.SkuName.BASIC),
            # Only the push from this machine signs in with it; the site pulls with its own identity.
            admin_user_enabled=args.ready is None,
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.registry_id = registry.id
        if args.ready:
            self.image = pulumi.Output.from_input(args.ready)
        else:
            login = containerregistry.list_registry_credentials_output(
                resource_group_name=args.group, registry_name=registry.name
            )
            target = image.Registry(
                host=registry.login_server,
                repository=pulumi.Output.concat(registry.login_server, f"/{NAME}"),
                username=login.username.apply(lambda username: username or ""),
                password=pulumi.Output.secret(login.passwords.apply(first_password)),
            )
            self.image = image.built(target, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def first_password(passwords: Sequence[RegistryPasswordResponse] | None) -> str:
    return (passwords[0].value if passwords else None) or ""
