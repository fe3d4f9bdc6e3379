"""Key Vault: the secrets that the site reads with its own identity."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, keyvault

from contract import TAGS


@dataclass(frozen=True)
class VaultArgs:
    """The secrets to keep, by name."""

    group: pulumi.Input[str]
    secrets: Mapping[str, pulumi.Output[str]]


class Vault(pulumi.ComponentResource):
    """The vault, and each secret's address with its version, so that a new value restarts the site."""

    vault_id: pulumi.Output[str]
    uris: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Vault", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        vault = keyvault.Vault(
            "task-assist",
            resource_group_name=args.group,
            properties=keyvault.VaultPropertiesArgs(
                tenant_id=authorization.get_client_config_output().tenant_id,
                sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.STANDARD),
                enable_rbac_authorization=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=7,
            ),
            tags=TAGS,
            opts=child,
        )
        self.vault_id = vault.id
        self.uris = {
            secret: keyvault.Secret(
                secret,
                resource_group_name=args.group,
                vault_name=vault.name,
                secret_name=secret,
                properties=keyvault.SecretPropertiesArgs(value=value),
                tags=TAGS,
                opts=child,
            ).properties.secret_uri_with_version
            for secret, value in args.secrets.items()
        }
        self.register_outputs({})
