"""The container registry, and the image that the site runs: a ready one, or this repository's, built into it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerregistry
from pulumi_azure_native.containerregistry.outputs import RegistryPasswordResponse

from contract import NAME, TAGS
from kit import image
from kit.azure.earlier import assignment
from kit.azure.identity import ACR_PULL, may


@dataclass(frozen=True)
class ImageArgs:
    """`registry` is the registry's name, `puller` who may pull; `ready` an image with its digest, or None to build."""

    group: pulumi.Input[str]
    registry: pulumi.Input[str]
    puller: pulumi.Input[str]
    ready: str | None


class Image(pulumi.ComponentResource):
    """The registry stays when a ready image is set: it holds the versions to roll back to."""

    reference: pulumi.Output[str]
    granted: pulumi.Resource

    def __init__(self, name: str, args: ImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        earlier = pulumi.Alias(type_="task-assist:azure:Registry", name="registry")
        super().__init__(
            "task-assist:azure:Image",
            name,
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=[earlier])),
        )
        registry = containerregistry.Registry(
            f"{name}-registry",
            registry_name=args.registry,
            resource_group_name=args.group,
            sku=containerregistry.SkuArgs(name=containerregistry.SkuName.BASIC),
            # Only the push from this machine signs in with it; the site pulls with its own identity. It stays on with a
            # ready image: the way back asks for its password before the registry could be changed (azure-docs#57954).
            admin_user_enabled=True,
            tags=TAGS,
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=["registryName"], aliases=[pulumi.Alias(name="taskassist")]
            ),
        )
        self.granted = may(
            f"{name}-pull",
            ACR_PULL,
            args.puller,
            registry.id,
            pulumi.ResourceOptions(parent=self, aliases=[assignment("pull-images")]),
        )
        if args.ready:
            self.reference = pulumi.Output.from_input(args.ready)
        else:
            target = target_in(args.group, registry)
            self.reference = image.built(target, pulumi.ResourceOptions(parent=self))
        self.register_outputs({"reference": self.reference})


def target_in(group: pulumi.Input[str], registry: containerregistry.Registry) -> image.Registry:
    """Where this machine pushes to, and as whom."""
    login = containerregistry.list_registry_credentials_output(resource_group_name=group, registry_name=registry.name)
    return image.Registry(
        host=registry.login_server,
        repository=pulumi.Output.concat(registry.login_server, f"/{NAME}"),
        username=login.username.apply(lambda username: username or ""),
        password=pulumi.Output.secret(login.passwords.apply(first_password)),
    )


def first_password(passwords: Sequence[RegistryPasswordResponse] | None) -> str:
    return (passwords[0].value if passwords else None) or ""
