"""Google Cloud's plan: a VM with a disk behind a small proxy, or Cloud Run with Filestore."""

import pulumi

from config import StackConfig
from contract import Kept, Site
from kit.gcp.apis import Apis, ApisArgs
from kit.gcp.backups import DiskSnapshots, DiskSnapshotsArgs, FilestoreBackups, FilestoreBackupsArgs
from kit.gcp.cloud_run import CloudRun, CloudRunArgs
from kit.gcp.costs import costs
from kit.gcp.front import Front, FrontArgs, run_url
from kit.gcp.network import Network, NetworkArgs
from kit.gcp.registry import Registry, RegistryArgs
from kit.gcp.secret import Secret, SecretArgs
from kit.gcp.storage import DataDisk, DataDiskArgs, Filestore, FilestoreArgs
from kit.gcp.vm import Vm, VmArgs
from kit.password import admin_password
from prices import prices_of

# The network stays when Cloud Run used it: Google holds its addresses for hours, and `destroy` would fail.
KEPT_NETWORK = Kept("network and subnet", "left behind, free; Google holds them for 1 to 2 hours after the last use")
KEPT_APIS = Kept("the enabled APIs", "left on, free")


def plan(config: StackConfig) -> Site:
    """Plans everything on Google Cloud and answers what to export."""
    with_filestore = config.storage == "filestore"
    apis = Apis("apis", ApisArgs(with_filestore))
    uses_run = with_filestore or not config.domain
    network = Network("network", NetworkArgs(apis.project, outlives=uses_run))
    registry = Registry("registry", RegistryArgs(apis.project, config.image))
    password = admin_password()
    secret = Secret("secret", SecretArgs(apis.project, password))
    site = filestore_site if with_filestore else disk_site
    return site(config, apis, network, registry, secret, password)


def disk_site(
    config: StackConfig, apis: Apis, network: Network, registry: Registry, secret: Secret, password: pulumi.Output[str]
) -> Site:
    """The default: the database on a disk of its own, the app on a VM."""
    disk = DataDisk("storage", DataDiskArgs(apis.project, config.storage_gb or 0))
    if config.backups:
        DiskSnapshots("backups", DiskSnapshotsArgs(apis.project, disk.name, config.backups, config.keep))
    url = pulumi.Output.from_input(f"https://{config.domain}") if config.domain else run_url(apis.project)
    vm = Vm(
        "hosting",
        VmArgs(
            project=apis.project,
            network=network,
            disk=disk,
            registry=registry,
            secret=secret,
            url=url,
            domain=config.domain,
            admin_email=config.admin_email,
        ),
    )
    notes: list[pulumi.Input[str]] = []
    if config.domain:
        notes.append(
            pulumi.Output.concat(
                f"DNS: {config.domain} A ", vm.address, " (Caddy gets the certificate once it resolves)"
            )
        )
    else:
        Front("front", FrontArgs(apis.project, network, registry.docker_hub, vm.address))
    snapshots = (
        [Kept("snapshots of the disk", "kept as long as the config says, billed by size")] if config.backups else []
    )
    prices = prices_of("gcp", config.region)
    return Site(
        url=url,
        storage=disk.description,
        image=registry.image,
        admin_password=password,
        costs=costs(config, prices),
        priced_in=prices.where,
        kept=[*disk.kept, *snapshots, *([] if config.domain else [KEPT_NETWORK]), KEPT_APIS],
        notes=notes,
    )


def filestore_site(
    config: StackConfig, apis: Apis, network: Network, registry: Registry, secret: Secret, password: pulumi.Output[str]
) -> Site:
    """Cloud Run with the database on a Filestore share over NFS."""
    share = Filestore("storage", FilestoreArgs(apis.project, network, registry.docker_hub, config.storage_gb or 0))
    if config.backups:
        FilestoreBackups(
            "backups", FilestoreBackupsArgs(apis.project, share.name, registry.docker_hub, config.backups, config.keep)
        )
    url = pulumi.Output.from_input(f"https://{config.domain}") if config.domain else run_url(apis.project)
    run = CloudRun(
        "hosting",
        CloudRunArgs(
            project=apis.project,
            network=network,
            share=share,
            image=registry.image,
            secret=secret,
            url=url,
            domain=config.domain,
            admin_email=config.admin_email,
            handover=config.rollout == "handover",
        ),
    )
    backups = [Kept("backups of the share", "kept as the config says, billed by size")] if config.backups else []
    prices = prices_of("gcp", config.region)
    return Site(
        url=url,
        storage=share.description,
        image=registry.image,
        admin_password=password,
        costs=costs(config, prices),
        priced_in=prices.where,
        kept=[*share.kept, *backups, KEPT_NETWORK, KEPT_APIS],
        notes=run.notes,
    )
