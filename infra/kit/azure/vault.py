"""Key Vault: the secrets that the site reads with its own identity."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, keyvault

from contract import TAGS, Kept
from kit.azure.earlier import assignment
from kit.azure.identity import KEY_VAULT_SECRETS_USER, may

# The least that Azure takes: a deleted vault's name can be used again after that.
SOFT_DELETE_DAYS = 7


@dataclass(frozen=True)
class VaultArgs:
    """`vault` is the vault's name, `reader` who may read; `secrets` are the values by the setting that they go to."""

    group: pulumi.Input[str]
    vault: pulumi.Input[str]
    reader: pulumi.Input[str]
    secrets: Mapping[str, pulumi.Output[str]]


class Vault(pulumi.ComponentResource):
    """The vault, and for each setting a reference with the secret's version: a new value restarts the site."""

    references: Mapping[str, pulumi.Output[str]]
    granted: pulumi.Resource
    kept: list[Kept]

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Vault", name, opts=opts)
        vault = keyvault.Vault(
            f"{name}-secrets",
            vault_name=args.vault,
            resource_group_name=args.group,
            properties=keyvault.VaultPropertiesArgs(
                tenant_id=authorization.get_client_config_output().tenant_id,
                sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.STANDARD),
                enable_rbac_authorization=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=SOFT_DELETE_DAYS,
            ),
            tags=TAGS,
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=["vaultName"], aliases=[pulumi.Alias(name="task-assist")]
            ),
        )
        self.granted = may(
            f"{name}-read",
            KEY_VAULT_SECRETS_USER,
            args.reader,
            vault.id,
            pulumi.ResourceOptions(parent=self, aliases=[assignment("read-secrets")]),
        )
        self.references = {
            setting: self.reference(f"{name}-{secret_name(setting)}", args.group, vault, secret_name(setting), value)
            for setting, value in args.secrets.items()
        }
        self.kept = [Kept("the vault's name", f"reserved for {SOFT_DELETE_DAYS} days after it is deleted, free")]
        self.register_outputs({"references": dict(self.references)})

    def reference(
        self,
        name: str,
        group: pulumi.Input[str],
        vault: keyvault.Vault,
        secret: str,
        value: pulumi.Output[str],
    ) -> pulumi.Output[str]:
        """Keeps a value, and answers what App Service puts in a setting instead of it."""
        uri = keyvault.Secret(
            name,
            resource_group_name=group,
            vault_name=vault.name,
            secret_name=secret,
            properties=keyvault.SecretPropertiesArgs(value=value),
            tags=TAGS,
            # Azure Resource Manager makes secrets and can't delete them: azure-native asks the vault itself, where an
            # owner of the subscription has no right to (provider/pkg/resources/customresources/custom_keyvault.go).
            opts=pulumi.ResourceOptions(parent=self, deleted_with=vault, aliases=[pulumi.Alias(name=secret)]),
        ).properties.secret_uri_with_version
        return pulumi.Output.concat("@Microsoft.KeyVault(SecretUri=", uri, ")")


def secret_name(setting: str) -> str:
    """ADMIN_PASSWORD as admin-password: Key Vault takes letters, digits and hyphens."""
    return setting.lower().replace("_", "-")
