"""The app's container on a Docker host."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from contract import (
    GID,
    HEALTH_COMMAND,
    NAME,
    PASSWORD_FILE_VARIABLE,
    PORT,
    STOP_SECONDS,
    TAGS,
    UID,
    environment,
)
from kit.docker import secret


@dataclass(frozen=True)
class HostingArgs:
    """`network` is Caddy's network, or None to publish the port on 127.0.0.1."""

    image: pulumi.Input[str]
    mount: docker.ContainerMountArgs
    url: str
    network: pulumi.Input[str] | None
    admin_email: str
    secret: secret.Secret


class Hosting(pulumi.ComponentResource):
    """One container with the data mounted; the old one stops before the new one starts."""

    def __init__(self, name: str, args: HostingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:docker:Hosting", name, opts=opts)
        plain = environment(args.url, 1 if args.network else 0, args.admin_email)
        plain[PASSWORD_FILE_VARIABLE] = secret.FILE
        docker.Container(
            NAME,
            name=NAME,
            image=args.image,
            user=f"{UID}:{GID}",
            envs=[pulumi.Output.concat(key, "=", value) for key, value in plain.items()],
            mounts=[args.mount],
            volumes=[args.secret.volume],
            ports=[] if args.network else [docker.ContainerPortArgs(internal=PORT, external=PORT, ip="127.0.0.1")],
            networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=args.network)] if args.network else [],
            labels=[docker.ContainerLabelArgs(label=label, value=value) for label, value in TAGS.items()],
            healthcheck=docker.ContainerHealthcheckArgs(
                tests=["CMD-SHELL", HEALTH_COMMAND], interval="10s", timeout="5s", start_period="1m0s", retries=3
            ),
            wait=True,
            wait_timeout=120,
            restart="unless-stopped",
            read_only=True,
            tmpfs={"/tmp": "mode=1777"},  # noqa: S108  # inside the container
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
            security_opts=["no-new-privileges:true"],
            stop_timeout=STOP_SECONDS,
            destroy_grace_seconds=STOP_SECONDS,
            # Docker's provider makes the new container first, and two writers would share the file.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True, depends_on=[args.secret.ready]),
        )
        self.register_outputs({})
