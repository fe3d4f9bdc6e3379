"""The image a cloud runs: a ready one from the config, or this repository's, built and pushed."""

from dataclasses import dataclass

import pulumi
import pulumi_docker_build as docker_build

from contract import NAME

# The program runs in infra/, so this is the repository. Relative, so that another checkout plans the same.
CONTEXT = ".."


@dataclass(frozen=True)
class Registry:
    """Where to push: the repository without a tag, and the credential for its host."""

    host: pulumi.Input[str]
    repository: pulumi.Input[str]
    username: pulumi.Input[str]
    password: pulumi.Input[str]


def built(registry: Registry, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Builds the image for linux/amd64, pushes it, and answers its reference with the digest it was pushed under."""
    image = docker_build.Image(
        NAME,
        context=docker_build.BuildContextArgs(location=CONTEXT),
        dockerfile=docker_build.DockerfileArgs(location=f"{CONTEXT}/Dockerfile"),
        platforms=[docker_build.Platform.LINUX_AMD64],
        tags=[pulumi.Output.concat(registry.repository, ":latest")],
        push=True,
        # A preview shows the plan; what can't be built says so in `up`, before anything else is changed.
        build_on_preview=False,
        registries=[
            docker_build.RegistryArgs(
                address=registry.host, username=registry.username, password=pulumi.Output.secret(registry.password)
            )
        ],
        # The provider would delete it from the registry when a ready image takes its place: the one to roll back to.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True)),
    )
    return pulumi.Output.concat(registry.repository, "@", image.digest)
