"""The app's container on a Docker host."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from contract import GID, HEALTH_COMMAND, PORT, STOP_SECONDS, TAGS, UID, App, stem
from kit.docker import secret


@dataclass(frozen=True)
class HostingArgs:
    """What runs and what it gets.

    `network` is Caddy's, or None to publish the app on `port` of 127.0.0.1. `secrets` is the volume with the secrets'
    files. `after` is what has to be there first: the secrets, and Caddy, whose ports may be taken. `mounts`
    are the data and where the backups go.
    """

    image: pulumi.Input[str]
    app: App
    mounts: Sequence[docker.ContainerMountArgs]
    network: pulumi.Input[str] | None
    port: int
    secrets: pulumi.Input[str]
    after: Sequence[pulumi.Resource]


class Hosting(pulumi.ComponentResource):
    """One container with the data mounted; the old one stops before the new one starts."""

    def __init__(self, name: str, args: HostingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:docker:Hosting", name, opts=opts)
        settings = {**args.app.plain, **secret.by_file(args.app.secrets)}
        docker.Container(
            f"{name}-container",
            name=stem(),
            image=args.image,
            user=f"{UID}:{GID}",
            envs=[pulumi.Output.concat(key, "=", value) for key, value in settings.items()],
            mounts=list(args.mounts),
            volumes=[
                docker.ContainerVolumeArgs(volume_name=args.secrets, container_path=secret.DIRECTORY, read_only=True)
            ],
            ports=[] if args.network else [published(args.port)],
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
            opts=pulumi.ResourceOptions(
                parent=self,
                aliases=[pulumi.Alias(name="task-assist")],
                # Docker's provider makes the new container first, and two writers would share the file.
                delete_before_replace=True,
                depends_on=args.after,
            ),
        )
        self.register_outputs({})


def published(port: int) -> docker.ContainerPortArgs:
    """The app's port on the host, for who is on the host only."""
    return docker.ContainerPortArgs(internal=PORT, external=port, ip="127.0.0.1")
