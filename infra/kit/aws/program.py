"""AWS's plan: who makes what, in which order, and who gets what from whom."""

from dataclasses import dataclass

import pulumi

from config import StackConfig
from contract import PASSWORD_VARIABLE, App, Kept, Site, environment
from kit import backups
from kit.aws.alerts import Alerts, AlertsArgs
from kit.aws.costs import costs
from kit.aws.domain import Domain, DomainArgs
from kit.aws.gateway import CLIENT_HEADER, Gateway, GatewayArgs
from kit.aws.hosting import Hosting, HostingArgs
from kit.aws.identity import Identity
from kit.aws.image import Image, ImageArgs
from kit.aws.network import Network, NetworkArgs
from kit.aws.restore import Restore, RestoreArgs
from kit.aws.secrets import Secrets, SecretsArgs
from kit.aws.snapshots import Snapshots, SnapshotsArgs, daily
from kit.aws.storage import Storage, StorageArgs
from kit.aws.store import Store, StoreArgs
from kit.password import admin_password
from prices import prices_of


@dataclass(frozen=True)
class Ground:
    """What the tasks stand on."""

    identity: Identity
    network: Network
    storage: Storage
    store: Store
    image: Image
    gateway: Gateway


def plan(config: StackConfig) -> Site:
    """Plans everything on AWS and answers what to export."""
    on = ground(config)
    storage = on.storage
    snapshots = Snapshots("snapshots", SnapshotsArgs(storage.arn, config.backups, config.keep, config.backup_copy))
    url = pulumi.Output.from_input(f"https://{config.domain}") if config.domain else on.gateway.url
    password = admin_password()
    hosting = hosted(config, on, app_of(config, url, password, on.store))
    restored(config, on, hosting.log_group)
    domain = at_domain(config, on.gateway)
    if config.alert_email:
        alerts(config, config.alert_email, url, on, hosting, snapshots.vault_name)
    prices = prices_of("aws", config.region)
    return Site(
        url=url,
        storage=storage.description,
        image=on.image.reference,
        backup_url=on.store.url,
        admin_password=password,
        costs=costs(config, prices),
        priced_in=prices.where,
        kept=[
            *storage.kept,
            *on.store.kept,
            *snapshots.kept,
            Kept("task definitions of earlier versions", "inactive, free"),
        ],
        notes=[*(domain.notes if domain else []), *notes(config)],
    )


def ground(config: StackConfig) -> Ground:
    """The roles first, because the others grant them what they hold."""
    identity = Identity("identity")
    network = Network("network", NetworkArgs(config.network == "own", config.region))
    storage_args = StorageArgs(network.subnets, network.storage_group, identity.task, identity.restore)
    gateway_args = GatewayArgs(network.vpc_id, network.subnets, network.link_group, network.ready, config.log_days)
    return Ground(
        identity,
        network,
        Storage("storage", storage_args),
        Store("store", StoreArgs(identity.task, config.region)),
        Image("image", ImageArgs(config.image, identity.start.name)),
        Gateway("gateway", gateway_args),
    )


def app_of(config: StackConfig, url: pulumi.Output[str], password: pulumi.Output[str], store: Store) -> App:
    """Only the gateway's link reaches the app, so that what it writes into its header can be believed."""
    plain = environment(url, proxies=1, admin_email=config.admin_email)
    backed_up = {**backups.settings(config, store.url), **store.settings}
    return App(
        plain={**plain, **backed_up, "CLIENT_ADDRESS_HEADER": CLIENT_HEADER},
        secrets={PASSWORD_VARIABLE: password, **backups.secrets(config)},
    )


def hosted(config: StackConfig, on: Ground, app: App) -> Hosting:
    secrets = Secrets("secrets", SecretsArgs(app.secrets, on.identity.start.name))
    granted = [secrets.granted, *([on.image.granted] if on.image.granted else [])]
    return Hosting(
        "hosting",
        HostingArgs(
            app=app,
            image=on.image.reference,
            secret_arns=secrets.arns,
            start=on.identity.start,
            role=on.identity.task,
            file_system_id=on.storage.id,
            access_point_id=on.storage.app_point_id,
            subnets=on.network.subnets,
            group=on.network.task_group,
            registry_arn=on.gateway.registry_arn,
            machine=config.machine,
            log_days=config.log_days,
            handover=config.rollout == "handover",
            ready=[*on.network.ready, *on.storage.ready, *on.store.ready, *granted],
        ),
    )


def restored(config: StackConfig, on: Ground, log_group: pulumi.Input[str]) -> Restore:
    return Restore(
        "restore",
        RestoreArgs(
            image=on.image.reference,
            machine=config.machine,
            start=on.identity.start,
            role=on.identity.restore,
            file_system_id=on.storage.id,
            app_point_id=on.storage.app_point_id,
            root_point_id=on.storage.root_point_id,
            log_group=log_group,
        ),
    )


def at_domain(config: StackConfig, gateway: Gateway) -> Domain | None:
    return Domain("domain", DomainArgs(config.domain, gateway.api_id, gateway.stage_id)) if config.domain else None


def alerts(
    config: StackConfig,
    email: str,
    url: pulumi.Output[str],
    on: Ground,
    hosting: Hosting,
    vault_name: pulumi.Input[str],
) -> Alerts:
    return Alerts(
        "alerts",
        AlertsArgs(
            email=email,
            url=url,
            cluster_name=hosting.cluster_name,
            service_name=hosting.service_name,
            api_id=on.gateway.api_id,
            file_system_id=on.storage.id,
            vault_name=vault_name,
            daily=daily(config.backups, config.keep),
            copied=bool(config.backups and config.backup_copy),
            budget=config.monthly_budget,
        ),
    )


def notes(config: StackConfig) -> list[pulumi.Input[str]]:
    """What the operator has to know or do now."""
    found: list[pulumi.Input[str]] = []
    if config.alert_email:
        found.append(
            f"Alerts: AWS sends {config.alert_email} two mails, one from {config.region} and one from us-east-1. Click"
            " the link in both; before that nothing is sent. The alarm no-backup is on until the first backup."
        )
    if not config.backups:
        found.append("Backups are off: no more are made, earlier ones stay in their vault until their time is over.")
    return found
