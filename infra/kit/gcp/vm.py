"""The VM: Container-Optimized OS with the data disk at /app/data of its one container."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import NAME, PORT, TAGS, App, stem
from kit import caddy
from kit.gcp.cloud_init import DEVICE, Machine, metadata
from kit.gcp.identity import Account
from kit.gcp.region import region, zone

# The family's alias: naming a release would replace the VM with each one.
FAMILY = "cos-stable"
SYSTEM = f"projects/cos-cloud/global/images/family/{FAMILY}"
# Google's Identity-Aware Proxy, for `gcloud compute ssh --tunnel-through-iap`; it asks for a Google sign-in first.
IAP_RANGE = "35.235.240.0/20"


@dataclass(frozen=True)
class VmArgs:
    """With a `domain` the VM has a public address and Caddy; without one it has neither.

    `secrets` are versions in Secret Manager by the setting's name, `range` is who may reach the app's port, and `ready`
    what has to be there before the VM starts.
    """

    project: pulumi.Output[str]
    app: App
    image: pulumi.Output[str]
    registry_host: pulumi.Output[str]
    docker_hub: pulumi.Output[str]
    secrets: Mapping[str, pulumi.Output[str]]
    account: Account
    ready: Sequence[pulumi.Resource]
    disk_id: pulumi.Output[str]
    network_id: pulumi.Output[str]
    subnet_id: pulumi.Output[str]
    range: pulumi.Input[str]
    machine: str
    domain: str | None


class Vm(pulumi.ComponentResource):
    """One VM. Its disk can be in one VM at a time, so the old one goes before the new one comes."""

    address: pulumi.Output[str]
    name: pulumi.Output[str]
    instance_id: pulumi.Output[str]

    def __init__(self, name: str, args: VmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Vm", name, opts=opts)
        self.address = self.reserve(name, args).address
        self.firewall(name, args)
        instance = self.instance(name, args)
        self.name, self.instance_id = instance.name, instance.instance_id
        self.register_outputs({"address": self.address, "name": self.name})

    def instance(self, name: str, args: VmArgs) -> gcp.compute.Instance:
        return gcp.compute.Instance(
            f"{name}-vm",
            name=stem(),
            project=args.project,
            zone=zone(),
            machine_type=args.machine,
            allow_stopping_for_update=True,
            boot_disk=gcp.compute.InstanceBootDiskArgs(
                initialize_params=gcp.compute.InstanceBootDiskInitializeParamsArgs(image=SYSTEM, size=10)
            ),
            attached_disks=[gcp.compute.InstanceAttachedDiskArgs(source=args.disk_id, device_name=DEVICE)],
            network_interfaces=[self.interface(args)],
            service_account=gcp.compute.InstanceServiceAccountArgs(email=args.account.email, scopes=["cloud-platform"]),
            shielded_instance_config=gcp.compute.InstanceShieldedInstanceConfigArgs(enable_secure_boot=True),
            metadata=machine(args),
            tags=[stem()],
            labels=TAGS,
            # Edited user-data counts only at the first boot.
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                replace_on_changes=["metadata"],
                depends_on=[*args.account.ready, *args.ready],
                aliases=[pulumi.Alias(name=NAME)],
            ),
        )

    def interface(self, args: VmArgs) -> gcp.compute.InstanceNetworkInterfaceArgs:
        if not args.domain:
            return gcp.compute.InstanceNetworkInterfaceArgs(subnetwork=args.subnet_id, network_ip=self.address)
        public = gcp.compute.InstanceNetworkInterfaceAccessConfigArgs(nat_ip=self.address)
        return gcp.compute.InstanceNetworkInterfaceArgs(subnetwork=args.subnet_id, access_configs=[public])

    def reserve(self, name: str, args: VmArgs) -> gcp.compute.Address:
        """An address that stays the same from one VM to the next: a DNS record or the proxy has it."""
        kind = "address" if args.domain else "inside"
        return gcp.compute.Address(
            f"{name}-{kind}",
            name=f"{stem()}-{kind}",
            project=args.project,
            region=region(),
            address_type="EXTERNAL" if args.domain else "INTERNAL",
            subnetwork=None if args.domain else args.subnet_id,
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=["name"],
                aliases=[pulumi.Alias(name="address")],
            ),
        )

    def firewall(self, name: str, args: VmArgs) -> None:
        """What may come in: the web with a domain, the proxy's subnet without one, and Google's tunnel for ssh."""
        web = {"tcp": ["80", "443"], "udp": ["443"]}
        rules: dict[str, tuple[list[pulumi.Input[str]], dict[str, list[str]]]] = (
            {"web": (["0.0.0.0/0"], web)} if args.domain else {"proxy": ([args.range], {"tcp": [str(PORT)]})}
        )
        rules["tunnel"] = ([IAP_RANGE], {"tcp": ["22"]})
        for rule, (ranges, ports) in rules.items():
            gcp.compute.Firewall(
                f"{name}-{rule}",
                name=f"{stem()}-{rule}",
                project=args.project,
                network=args.network_id,
                direction="INGRESS",
                source_ranges=ranges,
                target_tags=[stem()],
                allows=[
                    gcp.compute.FirewallAllowArgs(protocol=protocol, ports=numbers)
                    for protocol, numbers in ports.items()
                ],
                opts=pulumi.ResourceOptions(parent=self),
            )


def machine(args: VmArgs) -> pulumi.Output[dict[str, str]]:
    """The VM's metadata."""
    caddyfile = caddy.for_domain(args.domain, NAME) if args.domain else None
    caddy_image = pulumi.Output.concat(args.docker_hub, caddy.IMAGE)
    return pulumi.Output.all(
        image=args.image,
        registry_host=args.registry_host,
        secrets=dict(args.secrets),
        caddy_image=caddy_image,
        environment=dict(args.app.plain),
    ).apply(lambda known: metadata(Machine(**known, caddyfile=caddyfile)))
