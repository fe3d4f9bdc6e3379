"""The private network that an NFS share needs."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from contract import TAGS


@dataclass(frozen=True)
class NetworkArgs:
    """The resource group."""

    group: pulumi.Input[str]


class Network(pulumi.ComponentResource):
    """A network with one subnet: the site's, which alone may reach the storage account."""

    subnet_id: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Network", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        virtual = network.VirtualNetwork(
            "network",
            resource_group_name=args.group,
            address_space=network.AddressSpaceArgs(address_prefixes=["10.20.0.0/24"]),
            tags=TAGS,
            # Inline subnets would be taken away by the next update of the network.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["subnets"]),
        )
        subnet = network.Subnet(
            "site",
            resource_group_name=args.group,
            virtual_network_name=virtual.name,
            address_prefix="10.20.0.0/26",
            service_endpoints=[network.ServiceEndpointPropertiesFormatArgs(service="Microsoft.Storage")],
            delegations=[network.DelegationArgs(name="site", service_name="Microsoft.Web/serverFarms")],
            opts=child,
        )
        self.subnet_id = subnet.id
        self.register_outputs({})
