"""Caddy in front of the app on a Docker host, with its certificates in a volume."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from contract import TAGS, stem
from kit import caddy

# Its root is read-only, and Docker copies no file into such a container, so the Caddyfile comes as a setting.
# `exec`: Caddy itself gets Docker's SIGTERM, and lets running requests end.
COMMAND = ("sh", "-ec", "exec caddy run --config - --adapter caddyfile <<END\n$CADDYFILE\nEND")


@dataclass(frozen=True)
class ProxyArgs:
    """The host name to serve and to get a certificate for, and the network in which the app is called `upstream`."""

    domain: str
    network: pulumi.Input[str]
    upstream: str


class Proxy(pulumi.ComponentResource):
    """Caddy on ports 80 and 443 of the host."""

    # What the app's container waits for: if the ports are taken, the app goes on as it is.
    ready: pulumi.Resource

    def __init__(self, name: str, args: ProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:docker:Proxy", name, opts=opts)
        certificates = docker.Volume(
            f"{name}-certificates",
            name=f"{stem()}-certificates",
            opts=pulumi.ResourceOptions(
                parent=self, aliases=[pulumi.Alias(name="certificates")], ignore_changes=["name"]
            ),
        )
        # Pulled before the old Caddy goes.
        image = docker.RemoteImage(
            f"{name}-image",
            name=caddy.IMAGE,
            keep_locally=True,
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name="caddy-image")]),
        )
        self.ready = self.container(name, args, certificates, image)
        self.register_outputs({})

    def container(
        self, name: str, args: ProxyArgs, certificates: docker.Volume, image: docker.RemoteImage
    ) -> docker.Container:
        return docker.Container(
            f"{name}-container",
            name=f"{stem()}-caddy",
            image=caddy.IMAGE,
            command=COMMAND,
            envs=[f"CADDYFILE={caddy.for_domain(args.domain, args.upstream)}"],
            mounts=[docker.ContainerMountArgs(type="volume", source=certificates.name, target="/data")],
            ports=[
                docker.ContainerPortArgs(internal=80, external=80),
                docker.ContainerPortArgs(internal=443, external=443),
                docker.ContainerPortArgs(internal=443, external=443, protocol="udp"),
            ],
            networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=args.network)],
            labels=[docker.ContainerLabelArgs(label=label, value=value) for label, value in TAGS.items()],
            restart="unless-stopped",
            read_only=True,
            tmpfs={"/config": "", "/tmp": ""},  # noqa: S108  # inside the container
            # Root, since the official image's /data is root's, but without root's powers over other users' files.
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"], adds=["CAP_NET_BIND_SERVICE"]),
            security_opts=["no-new-privileges:true"],
            opts=pulumi.ResourceOptions(
                parent=self,
                aliases=[pulumi.Alias(name="caddy")],
                delete_before_replace=True,
                depends_on=[image],
            ),
        )
