"""Azure's plan: who makes what, in which order, and who gets what from whom."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import resources

from config import StackConfig
from contract import HEALTH_PATH, NAME, PASSWORD_VARIABLE, SHIPPED, TAGS, App, Kept, Site, environment, stem
from kit import backups
from kit.azure.alerts import Alerts, AlertsArgs
from kit.azure.costs import costs
from kit.azure.domain import Domain, DomainArgs
from kit.azure.hosting import Hosting, HostingArgs, Mount
from kit.azure.identity import Identity, IdentityArgs
from kit.azure.image import Image, ImageArgs
from kit.azure.snapshots import Snapshots, SnapshotsArgs
from kit.azure.storage import Storage, StorageArgs
from kit.azure.store import Store, StoreArgs
from kit.azure.vault import Vault, VaultArgs
from kit.chance import random_part
from kit.password import admin_password
from prices import prices_of

# The setting that has the storage account's key. The app doesn't read it; App Service does, for the mount.
KEY_VARIABLE = "STORAGE_KEY"
# App Service's front end is the one that adds to X-Forwarded-For (as ADDRESS:PORT, which the app understands).
PROXIES = 1


@dataclass(frozen=True)
class Ground:
    """What the site stands on."""

    group: resources.ResourceGroup
    identity: Identity
    storage: Storage
    snapshots: Snapshots
    store: Store
    image: Image
    site_name: pulumi.Output[str]


def plan(config: StackConfig) -> Site:
    """Plans everything on Azure and answers what to export."""
    on = ground(config)
    url = address(config, on.site_name)
    password = admin_password()
    app = app_of(config, url, password, on.store)
    vault = vault_of(on, app)
    hosting = hosted(config, on, app, vault)
    prices = prices_of("azure", config.region)
    domain = at_domain(config, on.group.name, hosting)
    if config.alert_email:
        alerts(config, config.alert_email, url, on, hosting)
    return Site(
        url=url,
        storage=on.storage.description,
        image=on.image.reference,
        backup_url=on.store.url,
        admin_password=password,
        costs=costs(config, prices),
        priced_in=prices.where,
        kept=[
            Kept(pulumi.Output.concat("resource group ", on.group.name), "protected, free by itself"),
            *on.storage.kept,
            *on.store.kept,
            *on.snapshots.kept,
            *vault.kept,
            *(domain.kept if domain else []),
        ],
        notes=notes(config, on.site_name, hosting.verification_id),
    )


def ground(config: StackConfig) -> Ground:
    """Some names are global, and the site must know its own address before it exists: both end in the same part."""
    group = resource_group()
    suffix = random_part("suffix")
    identity = Identity("identity", IdentityArgs(group.name))
    account = global_name(suffix, "data")
    storage = Storage("storage", StorageArgs(group.name, account, config.storage_gb or 0, config.storage_key_index))
    return Ground(
        group=group,
        identity=identity,
        storage=storage,
        snapshots=snapshots_of(config, group, storage),
        store=store_of(group, identity),
        image=Image("image", ImageArgs(group.name, global_name(suffix), identity.principal_id, config.image)),
        site_name=pulumi.Output.concat(stem(), "-", suffix),
    )


def snapshots_of(config: StackConfig, group: resources.ResourceGroup, storage: Storage) -> Snapshots:
    return Snapshots(
        "snapshots",
        SnapshotsArgs(
            group=group.name,
            account_name=storage.account_name,
            account_id=storage.account_id,
            share_name=storage.share_name,
            schedule=config.backups,
            keep=config.keep,
            copy=bool(config.backup_copy),
        ),
    )


def app_of(config: StackConfig, url: pulumi.Output[str], password: pulumi.Output[str], store: Store) -> App:
    return App(
        plain={
            **environment(url, PROXIES, config.admin_email),
            **backups.settings(config, store.url),
            **store.settings,
        },
        secrets={PASSWORD_VARIABLE: password, **backups.secrets(config)},
    )


def vault_of(on: Ground, app: App) -> Vault:
    """Azure keeps a deleted vault's name. The random part of it goes with the vault; the other one stays with the
    storage account."""
    name = global_name(random_part("vault-suffix"))
    secrets = {**app.secrets, KEY_VARIABLE: on.storage.key}
    return Vault("vault", VaultArgs(on.group.name, name, on.identity.principal_id, secrets))


def hosted(config: StackConfig, on: Ground, app: App, vault: Vault) -> Hosting:
    return Hosting(
        "hosting",
        HostingArgs(
            group=on.group.name,
            name=on.site_name,
            app=app,
            image=on.image.reference,
            references=vault.references,
            mount=Mount(on.storage.account_name, on.storage.share_name, KEY_VARIABLE),
            identity_id=on.identity.id,
            client_id=on.identity.client_id,
            granted=[on.image.granted, vault.granted, on.store.granted],
            machine=config.machine,
            log_days=config.log_days,
            handover=config.rollout == "handover",
        ),
    )


def alerts(config: StackConfig, email: str, url: pulumi.Output[str], on: Ground, hosting: Hosting) -> Alerts:
    return Alerts(
        "alerts",
        AlertsArgs(
            group=on.group.name,
            group_id=on.group.id,
            email=email,
            health_url=pulumi.Output.concat(url, HEALTH_PATH),
            site_id=hosting.site_id,
            account_id=on.storage.account_id,
            share_gb=config.storage_gb or 0,
            backups_id=on.snapshots.vault_id if config.backups else None,
            logs_id=hosting.logs_id,
            budget=config.monthly_budget,
        ),
    )


def store_of(group: resources.ResourceGroup, identity: Identity) -> Store:
    """Its name has a random part of its own: behind another stack's there is no room for a word."""
    account = global_name(random_part("store-suffix"), "backup")
    return Store("store", StoreArgs(group.name, group.id, account, identity.principal_id, identity.client_id))


def resource_group() -> resources.ResourceGroup:
    """Protected, because deleting the group deletes the share in it."""
    return resources.ResourceGroup(
        NAME,
        resource_group_name=stem(),
        tags=TAGS,
        opts=pulumi.ResourceOptions(protect=True, ignore_changes=["resourceGroupName"]),
    )


def address(config: StackConfig, site_name: pulumi.Output[str]) -> pulumi.Output[str]:
    """The domain's where there is one, else the one that App Service gives the site."""
    own = pulumi.Output.concat("https://", site_name, ".azurewebsites.net")
    return pulumi.Output.from_input(f"https://{config.domain}") if config.domain else own


def global_name(suffix: pulumi.Output[str], word: str = "") -> pulumi.Output[str]:
    """A name of at most 24 small letters and digits, as storage accounts, registries and vaults take it.

    The word goes into the names of the shipped stacks alone: behind another stack's there is no room for it.
    """
    told_apart = word if pulumi.get_stack() in SHIPPED else ""
    return pulumi.Output.concat(stem().replace("-", ""), told_apart, suffix)


def at_domain(config: StackConfig, group: pulumi.Input[str], hosting: Hosting) -> Domain | None:
    if not config.domain:
        return None
    return Domain("domain", DomainArgs(group, hosting.site_name, hosting.plan_id, hosting.location, config.domain))


def notes(
    config: StackConfig, site_name: pulumi.Output[str], verification_id: pulumi.Output[str]
) -> list[pulumi.Input[str]]:
    """What the operator has to know or do now."""
    found: list[pulumi.Input[str]] = []
    if config.domain:
        found.append(domain_note(config.domain, site_name, verification_id))
    if config.alert_email:
        found.append(
            f"Alerts: Azure writes to {config.alert_email} that it is on the list; nothing has to be confirmed."
        )
    if not config.backups:
        found.append(
            "Backups are off: earlier snapshots stay. Azure may refuse this in a stack that never made one; then set"
            " backupSchedule, type `pulumi up`, and turn it off after that."
        )
    return found


def domain_note(domain: str, site_name: pulumi.Output[str], verification_id: pulumi.Output[str]) -> pulumi.Output[str]:
    """The two DNS records that Azure checks before it accepts the domain."""
    return pulumi.Output.concat(
        f"DNS: {domain} CNAME ", site_name, f".azurewebsites.net, and asuid.{domain} TXT ", verification_id
    )
