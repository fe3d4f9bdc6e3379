"""Caddy in front of the app on a Docker host, with its certificates in a volume."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from contract import NAME, TAGS
from kit import caddy


@dataclass(frozen=True)
class ProxyArgs:
    """The host name to serve and to get a certificate for."""

    domain: str


class Proxy(pulumi.ComponentResource):
    """A network that Caddy and the app share, and Caddy on ports 80 and 443."""

    network: pulumi.Output[str]

    def __init__(self, name: str, args: ProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:docker:Proxy", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        self.network = docker.Network("network", name=NAME, opts=child).name
        certificates = docker.Volume("certificates", name=f"{NAME}-certificates", opts=child)
        image = docker.RemoteImage("caddy-image", name=caddy.IMAGE, keep_locally=True, opts=child)
        docker.Container(
            "caddy",
            name=f"{NAME}-caddy",
            image=image.image_id,
            uploads=[
                docker.ContainerUploadArgs(file="/etc/caddy/Caddyfile", content=caddy.for_domain(args.domain, NAME))
            ],
            mounts=[docker.ContainerMountArgs(type="volume", source=certificates.name, target="/data")],
            ports=[
                docker.ContainerPortArgs(internal=80, external=80),
                docker.ContainerPortArgs(internal=443, external=443),
                docker.ContainerPortArgs(internal=443, external=443, protocol="udp"),
            ],
            networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=self.network)],
            labels=[docker.ContainerLabelArgs(label=label, value=value) for label, value in TAGS.items()],
            restart="unless-stopped",
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"], adds=["CAP_NET_BIND_SERVICE"]),
            security_opts=["no-new-privileges:true"],
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.register_outputs({})
