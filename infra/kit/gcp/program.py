"""Google Cloud's plan: a VM with a disk behind a small proxy, or Cloud Run with Filestore."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

import contract
from config import StackConfig
from contract import Kept, Site
from kit import backups
from kit.gcp import renewal, signals
from kit.gcp.alerts import Alerts, AlertsArgs
from kit.gcp.apis import Apis, ApisArgs, wanted
from kit.gcp.cloud_run import CloudRun, CloudRunArgs
from kit.gcp.costs import costs
from kit.gcp.front import Front, FrontArgs, run_host
from kit.gcp.identity import Account, Identity, IdentityArgs
from kit.gcp.image import Image, ImageArgs
from kit.gcp.job import JobArgs, ScheduledJob
from kit.gcp.network import DefaultNetwork, Network, NetworkArgs
from kit.gcp.place import CPU_AND_MEMORY, MACHINE
from kit.gcp.restore_job import RestoreJob, RestoreJobArgs
from kit.gcp.secret import Secret, SecretArgs
from kit.gcp.snapshots import DiskSnapshots, DiskSnapshotsArgs, FilestoreBackups, FilestoreBackupsArgs
from kit.gcp.storage import DataDisk, DataDiskArgs, Filestore, FilestoreArgs
from kit.gcp.store import Store, StoreArgs
from kit.gcp.vm import FAMILY, Vm, VmArgs
from kit.gcp.way_out import WayOut, WayOutArgs
from kit.password import admin_password
from prices import prices_of

KEPT_NETWORK = Kept("network and subnet", "stay with the data, free")
KEPT_APIS = Kept("the enabled APIs", "left on, free")


@dataclass(frozen=True)
class Ground:
    """What both kinds of hosting stand on."""

    project: pulumi.Output[str]
    accounts: Mapping[str, Account]
    network: Network | DefaultNetwork
    host: pulumi.Output[str]
    app: contract.App
    store: Store
    secret: Secret
    image: Image


def plan(config: StackConfig) -> Site:
    """Plans everything on Google Cloud and answers what to export."""
    return filestore_site(config) if config.storage == "filestore" else disk_site(config)


def disk_site(config: StackConfig) -> Site:
    """The default: the database on a disk of its own, the app on a VM."""
    runners = ("vm", "renewal") if config.domain else ("vm", "renewal", "front")
    # Behind the proxy there are two hops: Google's front end and the proxy itself.
    on = ground(config, runners, proxies=1 if config.domain else 2)
    disk = DataDisk("storage", DataDiskArgs(on.project, config.storage_gb or 0, on.network.parts))
    vm = vm_of(config, on, disk.id)
    renewed_weekly(on, vm.name)
    if config.backups:
        args = DiskSnapshotsArgs(on.project, disk.name, config.backups, config.keep, config.backup_copy)
        DiskSnapshots("snapshots", args)
    dns = served(config, on, vm)
    backup = signals.disk_snapshot(disk.name) if config.backups else None
    notes = [*dns, *told(config, on), *alerts(config, on, signals.disk_percent(vm.instance_id), backup)]
    snapshots = Kept("snapshots of the disk", "kept as long as the config says, billed by size")
    return site(config, on, disk.description, [*disk.kept, *([snapshots] if config.backups else [])], notes)


def filestore_site(config: StackConfig) -> Site:
    """Cloud Run with the database on a Filestore share over NFS."""
    on = ground(config, ("app", "hand-over", "backups") if config.backups else ("app", "hand-over"), proxies=1)
    share = share_of(config, on)
    run = run_of(config, on, share)
    restored_from_bucket(on, share)
    if config.backups:
        account = on.accounts["backups"]
        args = FilestoreBackupsArgs(
            on.project, share.name, share.share, account, config.backups, config.keep, config.backup_copy
        )
        FilestoreBackups("snapshots", args)
    backup = signals.share_backup() if config.backups else None
    notes = [*run.notes, *alerts(config, on, signals.share_percent(share.name), backup)]
    copies = Kept("backups of the share", "kept as the config says, billed by size")
    return site(config, on, share.description, [*share.kept, *([copies] if config.backups else [])], notes)


def ground(config: StackConfig, runners: Sequence[str], proxies: int) -> Ground:
    """`runners` are the stack's service accounts, first the app's own."""
    project = Apis("apis", ApisArgs(wanted(config))).project
    accounts = Identity("identity", IdentityArgs(project, runners)).accounts
    reader = accounts[runners[0]].member
    host = pulumi.Output.from_input(config.domain) if config.domain else run_host(project)
    store = Store("store", StoreArgs(project, reader))
    plain = contract.environment(pulumi.Output.concat("https://", host), proxies, config.admin_email)
    app = contract.App(
        plain={**plain, **backups.settings(config, store.url)},
        secrets={contract.PASSWORD_VARIABLE: admin_password(), **backups.secrets(config)},
        instances=config.instances,
    )
    # Cloud Run pulls by an agent of Google's own.
    pulls = {"vm": reader} if "vm" in runners else {}
    return Ground(
        project=project,
        accounts=accounts,
        network=network_of(config, project),
        host=host,
        app=app,
        store=store,
        secret=Secret("secret", SecretArgs(project, app.secrets, reader)),
        image=Image("image", ImageArgs(project, config.image, pulls)),
    )


def network_of(config: StackConfig, project: pulumi.Output[str]) -> Network | DefaultNetwork:
    on_run = config.storage == "filestore" or not config.domain
    if config.network == "own":
        return Network("network", NetworkArgs(project, outlives=on_run))
    return DefaultNetwork(private=config.storage == "disk" and not config.domain)


def vm_of(config: StackConfig, on: Ground, disk_id: pulumi.Output[str]) -> Vm:
    return Vm(
        "hosting",
        VmArgs(
            project=on.project,
            app=on.app,
            image=on.image.image,
            registry_host=on.image.host,
            docker_hub=on.image.docker_hub,
            secrets={name: kept.version for name, kept in on.secret.kept.items()},
            account=on.accounts["vm"],
            ready=[*on.secret.grants, *on.image.grants, on.store.granted],
            disk_id=disk_id,
            network_id=on.network.network_id,
            subnet_id=on.network.subnet_id,
            range=on.network.range,
            machine=config.machine or MACHINE,
            domain=config.domain,
        ),
    )


def renewed_weekly(on: Ground, vm: pulumi.Output[str]) -> None:
    ScheduledJob(
        "renewal",
        JobArgs(
            project=on.project,
            script=vm.apply(lambda name: renewal.script(name, FAMILY)),
            cron=renewal.CRON,
            account=on.accounts["renewal"],
            seconds=renewal.SECONDS,
            runs_as=on.accounts["vm"].name,
        ),
    )


def served(config: StackConfig, on: Ground, vm: Vm) -> list[pulumi.Input[str]]:
    """The VM itself answers for a domain, a proxy without one. What to say of it."""
    if config.domain:
        return [pulumi.Output.concat(f"DNS: {config.domain} A ", vm.address, " (Caddy gets the certificate then)")]
    network, account = on.network, on.accounts["front"].email
    Front(
        "front",
        FrontArgs(on.project, network.network_id, network.subnet_id, on.image.docker_hub, account, vm.address),
    )
    return []


def told(config: StackConfig, on: Ground) -> list[pulumi.Input[str]]:
    """Without a domain the VM reaches Google alone, and no webhook. Where it is not the stack's own network, what to
    say of it: a subnet has one Cloud NAT at most, and the project may have one there."""
    if config.domain or not config.notify_url:
        return []
    if config.network == "own":
        WayOut("way-out", WayOutArgs(on.project, on.network.network_id, on.network.subnet_id))
        return []
    return [
        "notifyUrl: the VM has no public address, so the project's network default needs Cloud NAT in this region,"
        " or nobody is told. It costs about $5 a month; docs/deploy/gcp.md says how to see whether it has one."
    ]


def share_of(config: StackConfig, on: Ground) -> Filestore:
    return Filestore(
        "storage",
        FilestoreArgs(
            project=on.project,
            network_id=on.network.network_id,
            network_name=on.network.network_name,
            subnet_id=on.network.subnet_id,
            stays_with=on.network.parts,
            docker_hub=on.image.docker_hub,
            account=on.accounts["hand-over"].email,
            gb=config.storage_gb or 0,
        ),
    )


def run_of(config: StackConfig, on: Ground, share: Filestore) -> CloudRun:
    return CloudRun(
        "hosting",
        CloudRunArgs(
            project=on.project,
            app=on.app,
            image=on.image.image,
            secrets=on.secret.kept,
            account=on.accounts["app"].email,
            ready=[share.ready, *on.secret.grants, on.store.granted],
            server=share.server,
            path=share.path,
            network_id=on.network.network_id,
            subnet_id=on.network.subnet_id,
            machine=config.machine or CPU_AND_MEMORY,
            domain=config.domain,
            handover=config.rollout == "handover",
        ),
    )


def restored_from_bucket(on: Ground, share: Filestore) -> None:
    RestoreJob(
        "restore",
        RestoreJobArgs(
            project=on.project,
            image=on.image.image,
            account=on.accounts["app"].email,
            environment={key: on.app.plain[key] for key in ("DATABASE_PATH", "BACKUP_URL")},
            server=share.server,
            path=share.path,
            network_id=on.network.network_id,
            subnet_id=on.network.subnet_id,
        ),
    )


def alerts(
    config: StackConfig, on: Ground, percent: pulumi.Output[str], backup: signals.Backup | None
) -> list[pulumi.Input[str]]:
    """What to say of the alarms, and nothing where nobody is to be told."""
    if not config.alert_email:
        return []
    args = AlertsArgs(
        on.project, config.alert_email, on.host, percent, backup, config.monthly_budget, config.billing_account
    )
    return [Alerts("alerts", args).note]


def site(
    config: StackConfig,
    on: Ground,
    storage: pulumi.Input[str],
    kept: Sequence[Kept],
    notes: Sequence[pulumi.Input[str]],
) -> Site:
    prices = prices_of("gcp", config.region)
    network = [KEPT_NETWORK] if config.network == "own" else []
    return Site(
        url=pulumi.Output.concat("https://", on.host),
        storage=storage,
        image=on.image.image,
        backup_url=on.store.url,
        admin_password=on.app.secrets[contract.PASSWORD_VARIABLE],
        costs=costs(config, prices),
        priced_in=prices.where,
        kept=[*kept, *on.store.kept, *network, KEPT_APIS],
        notes=list(notes),
    )
