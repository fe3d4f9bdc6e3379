"""The image on the Docker host: found or pulled there, or built there from this repository."""

import pulumi
import pulumi_docker as docker

from contract import stem
from kit.image import CONTEXT


def image_id(ready: str | None) -> pulumi.Output[str]:
    """The image's ID on the host. An image that was never pushed has no digest, so the ID is what pins it."""
    if ready:
        # Stays on the host after an upgrade, so that a rollback needs no pull.
        return docker.RemoteImage("image", name=ready, keep_locally=True).image_id
    built = docker.Image(
        "image",
        image_name=f"{stem()}:latest",
        build=docker.DockerBuildArgs(context=CONTEXT, dockerfile=f"{CONTEXT}/Dockerfile"),
        skip_push=True,
    )
    # Not pushed, so the provider answers the image's ID here.
    return built.repo_digest
