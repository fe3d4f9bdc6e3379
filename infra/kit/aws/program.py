"""AWS's plan: EFS with its backups, a registry, a Fargate service, and an HTTPS gateway."""

from config import StackConfig
from contract import Kept, Site
from kit.aws.backups import Backups, BackupsArgs
from kit.aws.costs import costs
from kit.aws.gateway import Gateway, GatewayArgs
from kit.aws.hosting import Hosting, HostingArgs
from kit.aws.network import Network, NetworkArgs
from kit.aws.registry import Registry, RegistryArgs
from kit.aws.roles import Roles, RolesArgs
from kit.aws.secret import Secret, SecretArgs
from kit.aws.storage import Storage, StorageArgs
from kit.password import admin_password
from prices import prices_of


def plan(config: StackConfig) -> Site:
    """Plans everything on AWS and answers what to export."""
    network = Network("network", NetworkArgs())
    storage = Storage("storage", StorageArgs(network))
    backups = Backups("backups", BackupsArgs(storage.arn, config.backups, config.keep)) if config.backups else None
    registry = Registry("registry", RegistryArgs(config.image))
    password = admin_password()
    secret = Secret("secret", SecretArgs(password))
    roles = Roles("roles", RolesArgs(registry.pull_from, secret.arn, storage))
    storage.admit(roles.task_arn)
    gateway = Gateway("gateway", GatewayArgs(network, config.domain))
    Hosting(
        "hosting",
        HostingArgs(
            network=network,
            storage=storage,
            roles=roles,
            image=registry.image,
            password_arn=secret.arn,
            service_registry_arn=gateway.service_registry_arn,
            url=gateway.url,
            admin_email=config.admin_email,
            handover=config.rollout == "handover",
        ),
    )
    prices = prices_of("aws", config.region)
    return Site(
        url=gateway.url,
        storage=storage.description,
        image=registry.image,
        admin_password=password,
        costs=costs(config, prices),
        priced_in=prices.where,
        kept=[
            *storage.kept,
            *(backups.kept if backups else []),
            Kept("task definitions of earlier versions", "inactive, free"),
        ],
        notes=gateway.notes,
    )
