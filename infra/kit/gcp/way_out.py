"""A way out to the internet for a VM without a public address: Cloud NAT, which lets nobody in."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from kit.gcp.region import region


@dataclass(frozen=True)
class WayOutArgs:
    """The network, and the subnet in it whose machines may go out."""

    project: pulumi.Output[str]
    network_id: pulumi.Output[str]
    subnet_id: pulumi.Output[str]


class WayOut(pulumi.ComponentResource):
    """Private Google Access reaches Google alone; a webhook is somewhere else (cloud.google.com/nat/docs/overview)."""

    def __init__(self, name: str, args: WayOutArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:WayOut", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        router = gcp.compute.Router(
            f"{name}-router", project=args.project, region=region(), network=args.network_id, opts=child
        )
        gcp.compute.RouterNat(
            f"{name}-nat",
            project=args.project,
            region=region(),
            router=router.name,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[
                gcp.compute.RouterNatSubnetworkArgs(name=args.subnet_id, source_ip_ranges_to_nats=["ALL_IP_RANGES"])
            ],
            opts=child,
        )
        self.register_outputs({})
