"""A private network, because the default one lets too much in."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import NAME
from kit.gcp.region import region

RANGE = "10.30.0.0/24"


@dataclass(frozen=True)
class NetworkArgs:
    """`outlives`: Cloud Run uses the network, so it can't be deleted with the stack."""

    project: pulumi.Output[str]
    outlives: bool


class Network(pulumi.ComponentResource):
    """One subnet in the stack's region; machines in it reach Google's APIs without a public address."""

    network_id: pulumi.Output[str]
    network_name: pulumi.Output[str]
    subnet_id: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Network", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self, retain_on_delete=args.outlives)
        network = gcp.compute.Network(NAME, project=args.project, auto_create_subnetworks=False, opts=child)
        subnet = gcp.compute.Subnetwork(
            NAME,
            project=args.project,
            region=region(),
            network=network.id,
            ip_cidr_range=RANGE,
            private_ip_google_access=True,
            opts=child,
        )
        self.network_id, self.network_name, self.subnet_id = network.id, network.name, subnet.id
        self.register_outputs({})
