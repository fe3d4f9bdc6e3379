"""Azure's plan: a resource group with the share, its backups, the registry, the vault and the Web App."""

import pulumi
import pulumi_random as random
from pulumi_azure_native import resources

from config import StackConfig
from contract import NAME, TAGS, Kept, Site
from kit.azure.backups import Backups, BackupsArgs
from kit.azure.costs import costs
from kit.azure.domain import Domain, DomainArgs
from kit.azure.hosting import Hosting, HostingArgs
from kit.azure.names import current_names
from kit.azure.network import Network, NetworkArgs
from kit.azure.registry import Registry, RegistryArgs
from kit.azure.storage import Storage, StorageArgs
from kit.azure.vault import Vault, VaultArgs
from kit.password import admin_password
from prices import prices_of


def plan(config: StackConfig) -> Site:
    """Plans everything on Azure and answers what to export."""
    pulumi.runtime.register_stack_transformation(current_names)
    # Protected, because deleting the group deletes the share in it.
    group = resources.ResourceGroup(NAME, tags=TAGS, opts=pulumi.ResourceOptions(protect=True))
    # Site names are global, and the site must know its own address before it exists.
    suffix = random.RandomString("suffix", length=6, special=False, upper=False).result
    site_name = pulumi.Output.concat(f"{NAME}-", suffix)
    network = Network("network", NetworkArgs(group.name)) if config.storage == "nfs" else None
    storage = Storage(
        "storage",
        StorageArgs(
            group.name,
            config.storage,
            config.storage_gb or 0,
            config.storage_key_index,
            network.subnet_id if network else None,
        ),
    )
    # Azure Backup takes SMB shares only.
    backups = None
    if config.backups and config.storage == "smb":
        backups = Backups(
            "backups",
            BackupsArgs(
                group.name, storage.account_name, storage.account_id, storage.share_name, config.backups, config.keep
            ),
        )
    registry = Registry("registry", RegistryArgs(group.name, config.image))
    password = admin_password()
    vault = Vault("vault", VaultArgs(group.name, {"admin-password": password, "storage-key": storage.key}))
    hosting = Hosting(
        "hosting",
        HostingArgs(
            group=group.name,
            name=site_name,
            image=registry.image,
            registry_id=registry.registry_id,
            vault_id=vault.vault_id,
            password_uri=vault.uris["admin-password"],
            storage_key_uri=vault.uris["storage-key"],
            storage=storage,
            subnet_id=network.subnet_id if network else None,
            domain=config.domain,
            admin_email=config.admin_email,
            handover=config.rollout == "handover",
        ),
    )
    notes: list[pulumi.Input[str]] = []
    if config.domain:
        Domain("domain", DomainArgs(group.name, hosting.site_name, hosting.plan_id, config.domain))
        notes.append(domain_note(config.domain, site_name, hosting.verification_id))
    prices = prices_of("azure", config.region)
    return Site(
        url=hosting.url,
        storage=storage.description,
        image=registry.image,
        admin_password=password,
        costs=costs(config, prices),
        priced_in=prices.where,
        kept=[
            Kept(pulumi.Output.concat("resource group ", group.name), "protected, free by itself"),
            *storage.kept,
            *(backups.kept if backups else []),
            Kept("the vault's name", "reserved for 7 days after it is deleted, free"),
        ],
        notes=notes,
    )


def domain_note(domain: str, site_name: pulumi.Output[str], verification_id: pulumi.Output[str]) -> pulumi.Output[str]:
    """The two DNS records that Azure checks before it accepts the domain."""
    return pulumi.Output.concat(
        f"DNS: {domain} CNAME ", site_name, f".azurewebsites.net, and asuid.{domain} TXT ", verification_id
    )
