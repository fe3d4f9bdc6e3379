"""The network: one of the stack's own, or the project's default one."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import NAME
from kit.gcp.region import region

RANGE = "10.30.0.0/24"
DEFAULT = "default"


@dataclass(frozen=True)
class NetworkArgs:
    """`outlives`: Cloud Run uses the network, so it can't be deleted with the stack."""

    project: pulumi.Output[str]
    outlives: bool


class Network(pulumi.ComponentResource):
    """One subnet in the stack's region; machines in it reach Google's APIs without a public address.

    `parts` are its resources. Data that lies in the network depends on all of them: `destroy --exclude-protected`
    keeps what a protected resource depends on, and a subnet alone would go, and be refused when it is made again.
    """

    network_id: pulumi.Output[str]
    network_name: pulumi.Output[str]
    subnet_id: pulumi.Output[str]
    range: pulumi.Input[str]
    parts: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Network", name, opts=opts)
        # No explicit names: what outlives one stack must not be in the next one's way.
        child = pulumi.ResourceOptions(parent=self, retain_on_delete=args.outlives, aliases=[pulumi.Alias(name=NAME)])
        network = gcp.compute.Network(
            f"{name}-vpc",
            project=args.project,
            auto_create_subnetworks=False,
            opts=child,
        )
        subnet = gcp.compute.Subnetwork(
            f"{name}-subnet",
            project=args.project,
            region=region(),
            network=network.id,
            ip_cidr_range=RANGE,
            private_ip_google_access=True,
            opts=child,
        )
        self.network_id, self.network_name, self.subnet_id = network.id, network.name, subnet.id
        self.range, self.parts = RANGE, (network, subnet)
        self.register_outputs({"subnet_id": self.subnet_id})


class DefaultNetwork:
    """The project's own network, which the stack finds and doesn't change."""

    def __init__(self, private: bool) -> None:
        """`private`: the VM has no public address. Raises RunError where there is no such network, or no way out."""
        found = find_default_subnet()
        if private and not found.private_ip_google_access:
            raise pulumi.RunError(
                f"A VM without a public address pulls its image through Private Google Access, which is off in the"
                f" subnet {DEFAULT} of {region()}. Type: gcloud compute networks subnets update {DEFAULT}"
                f" --region={region()} --enable-private-ip-google-access"
            )
        self.network_id = pulumi.Output.from_input(found.network)
        self.network_name = pulumi.Output.from_input(DEFAULT)
        self.subnet_id = pulumi.Output.from_input(found.id)
        self.range = found.ip_cidr_range
        self.parts: Sequence[pulumi.Resource] = ()


def find_default_subnet() -> "gcp.compute.GetSubnetworkResult":
    try:
        return gcp.compute.get_subnetwork(name=DEFAULT, region=region())
    except Exception as fault:
        raise pulumi.RunError(
            f"The project's network {DEFAULT} has no subnet in {region()}, or it can't be read ({fault})."
            " Type: pulumi config set network own"
        ) from fault
