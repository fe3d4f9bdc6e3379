"""The VM: Container-Optimized OS with the data disk at /app/data of its one container."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import NAME, PORT, TAGS, environment
from kit import caddy
from kit.gcp.cloud_init import DEVICE, Machine, user_data
from kit.gcp.network import RANGE, Network
from kit.gcp.region import region, zone
from kit.gcp.registry import Registry
from kit.gcp.secret import Secret
from kit.gcp.storage import DataDisk

# The family's alias: naming a release would replace the VM with each one.
SYSTEM = "projects/cos-cloud/global/images/family/cos-stable"
# Google's Identity-Aware Proxy, for `gcloud compute ssh --tunnel-through-iap`; it asks for a Google sign-in first.
IAP_RANGE = "35.235.240.0/20"
ROLES = ("roles/logging.logWriter", "roles/monitoring.metricWriter")


@dataclass(frozen=True)
class VmArgs:
    """With a `domain` the VM has a public address and Caddy; without one it has neither."""

    project: pulumi.Output[str]
    network: Network
    disk: DataDisk
    registry: Registry
    secret: Secret
    url: pulumi.Output[str]
    domain: str | None
    admin_email: str


class Vm(pulumi.ComponentResource):
    """One VM. Its disk can be in one VM at a time, so the old one goes before the new one comes."""

    address: pulumi.Output[str]

    def __init__(self, name: str, args: VmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Vm", name, opts=opts)
        account, grants = self.account(args)
        self.address = self.reserve(args).address
        self.firewall(args)
        interface = gcp.compute.InstanceNetworkInterfaceArgs(subnetwork=args.network.subnet_id)
        if args.domain:
            interface.access_configs = [gcp.compute.InstanceNetworkInterfaceAccessConfigArgs(nat_ip=self.address)]
        else:
            interface.network_ip = self.address
        gcp.compute.Instance(
            NAME,
            project=args.project,
            zone=zone(),
            machine_type="e2-micro",
            allow_stopping_for_update=True,
            boot_disk=gcp.compute.InstanceBootDiskArgs(
                initialize_params=gcp.compute.InstanceBootDiskInitializeParamsArgs(image=SYSTEM, size=10)
            ),
            attached_disks=[gcp.compute.InstanceAttachedDiskArgs(source=args.disk.id, device_name=DEVICE)],
            network_interfaces=[interface],
            service_account=gcp.compute.InstanceServiceAccountArgs(email=account.email, scopes=["cloud-platform"]),
            shielded_instance_config=gcp.compute.InstanceShieldedInstanceConfigArgs(enable_secure_boot=True),
            metadata={
                "user-data": machine(args),
                "google-logging-enabled": "true",
                "enable-oslogin": "TRUE",
            },
            tags=[NAME],
            labels=TAGS,
            # Edited user-data counts only at the first boot.
            opts=pulumi.ResourceOptions(
                parent=self, delete_before_replace=True, replace_on_changes=["metadata"], depends_on=grants
            ),
        )
        self.register_outputs({})

    def account(self, args: VmArgs) -> tuple[gcp.serviceaccount.Account, list[pulumi.Resource]]:
        """Who the VM is, and what it may do: pull, read its secret, write logs and metrics."""
        child = pulumi.ResourceOptions(parent=self)
        account = gcp.serviceaccount.Account("vm", project=args.project, account_id=f"{NAME}-vm", opts=child)
        grants: list[pulumi.Resource] = [
            gcp.projects.IAMMember(
                role.partition(".")[2], project=args.project, role=role, member=account.member, opts=child
            )
            for role in ROLES
        ]
        return account, [
            *grants,
            args.secret.readable_by(account.member),
            *args.registry.readable_by(account.member, "vm"),
        ]

    def reserve(self, args: VmArgs) -> gcp.compute.Address:
        """An address that stays the same from one VM to the next."""
        if args.domain:
            return gcp.compute.Address(
                "address", project=args.project, region=region(), opts=pulumi.ResourceOptions(parent=self)
            )
        return gcp.compute.Address(
            "address",
            project=args.project,
            region=region(),
            address_type="INTERNAL",
            subnetwork=args.network.subnet_id,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def firewall(self, args: VmArgs) -> None:
        """What may come in: the web with a domain, the proxy's subnet without one, and Google's tunnel for ssh."""
        web = {"tcp": ["80", "443"], "udp": ["443"]}
        rules = {"web": (["0.0.0.0/0"], web)} if args.domain else {"proxy": ([RANGE], {"tcp": [str(PORT)]})}
        rules["tunnel"] = ([IAP_RANGE], {"tcp": ["22"]})
        for name, (ranges, ports) in rules.items():
            gcp.compute.Firewall(
                name,
                project=args.project,
                network=args.network.network_id,
                direction="INGRESS",
                source_ranges=ranges,
                target_tags=[NAME],
                allows=[
                    gcp.compute.FirewallAllowArgs(protocol=protocol, ports=numbers)
                    for protocol, numbers in ports.items()
                ],
                opts=pulumi.ResourceOptions(parent=self),
            )


def machine(args: VmArgs) -> pulumi.Output[str]:
    """The VM's user-data."""
    # Behind the proxy there are two hops: Google's front end and the proxy itself.
    plain = environment(args.url, proxies=1 if args.domain else 2, admin_email=args.admin_email)
    caddyfile = caddy.for_domain(args.domain, NAME) if args.domain else None
    caddy_image = pulumi.Output.concat(args.registry.docker_hub, caddy.IMAGE)
    return pulumi.Output.all(args.registry.image, args.registry.host, args.secret.version, caddy_image, plain).apply(
        lambda known: user_data(Machine(known[0], known[1], known[2], known[3], known[4], caddyfile))
    )
