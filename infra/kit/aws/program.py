"""AWS's plan: who makes what, in which order, and who gets what from whom."""

import pulumi

from config import StackConfig
from contract import PASSWORD_VARIABLE, App, Kept, Site, environment
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
from kit.password import admin_password
from prices import prices_of


def plan(config: StackConfig) -> Site:
    """Plans everything on AWS and answers what to export."""
    identity = Identity("identity")
    network = Network("network", NetworkArgs(config.network == "own", config.region))
    storage = Storage("storage", StorageArgs(network.subnets, network.storage_group, identity.task, identity.restore))
    snapshots = Snapshots("snapshots", SnapshotsArgs(storage.arn, config.backups, config.keep, config.backup_copy))
    image = Image("image", ImageArgs(config.image, identity.start.name))
    gateway = Gateway(
        "gateway",
        GatewayArgs(network.vpc_id, network.subnets, network.link_group, network.ready, config.log_days),
    )
    url = pulumi.Output.from_input(f"https://{config.domain}") if config.domain else gateway.url
    password = admin_password()
    app = App(
        # Only the gateway's link reaches the app, so that what it writes into its header can be believed.
        plain={**environment(url, proxies=1, admin_email=config.admin_email), "CLIENT_ADDRESS_HEADER": CLIENT_HEADER},
        secrets={PASSWORD_VARIABLE: password},
    )
    secrets = Secrets("secrets", SecretsArgs(app.secrets, identity.start.name))
    hosting = Hosting(
        "hosting",
        HostingArgs(
            app=app,
            image=image.reference,
            secret_arns=secrets.arns,
            start=identity.start,
            role=identity.task,
            file_system_id=storage.id,
            access_point_id=storage.app_point_id,
            subnets=network.subnets,
            group=network.task_group,
            registry_arn=gateway.registry_arn,
            machine=config.machine,
            log_days=config.log_days,
            handover=config.rollout == "handover",
            ready=[*network.ready, *storage.ready, secrets.granted, *([image.granted] if image.granted else [])],
        ),
    )
    Restore(
        "restore",
        RestoreArgs(
            image=image.reference,
            machine=config.machine,
            start=identity.start,
            role=identity.restore,
            file_system_id=storage.id,
            app_point_id=storage.app_point_id,
            root_point_id=storage.root_point_id,
            log_group=hosting.log_group,
        ),
    )
    domain = Domain("domain", DomainArgs(config.domain, gateway.api_id, gateway.stage_id)) if config.domain else None
    if config.alert_email:
        alerts(config, config.alert_email, url, gateway, hosting, storage, snapshots)
    prices = prices_of("aws", config.region)
    return Site(
        url=url,
        storage=storage.description,
        image=image.reference,
        admin_password=password,
        costs=costs(config, prices),
        priced_in=prices.where,
        kept=[*storage.kept, *snapshots.kept, Kept("task definitions of earlier versions", "inactive, free")],
        notes=[*(domain.notes if domain else []), *notes(config)],
    )


def alerts(
    config: StackConfig,
    email: str,
    url: pulumi.Output[str],
    gateway: Gateway,
    hosting: Hosting,
    storage: Storage,
    snapshots: Snapshots,
) -> None:
    Alerts(
        "alerts",
        AlertsArgs(
            email=email,
            url=url,
            cluster_name=hosting.cluster_name,
            service_name=hosting.service_name,
            api_id=gateway.api_id,
            file_system_id=storage.id,
            vault_name=snapshots.vault_name,
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
