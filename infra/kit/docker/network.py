"""The network that Caddy and the app share on a Docker host."""

import pulumi
import pulumi_docker as docker

from contract import stem


class Network(pulumi.ComponentResource):
    """A bridge of the stack's own: in it the app is reached by its container's name, and from outside not at all."""

    name: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:docker:Network", name, opts=opts)
        # Version 0.1 had it in the proxy. Docker admits a name only once, so it must be the same network.
        earlier = pulumi.Alias(name="network", parent=pulumi.create_urn("proxy", "task-assist:docker:Proxy"))
        network = docker.Network(
            f"{name}-bridge", name=stem(), opts=pulumi.ResourceOptions(parent=self, aliases=[earlier])
        )
        self.name = network.name
        self.register_outputs({"name": self.name})
