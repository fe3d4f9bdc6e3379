"""The storage account and the share that holds the database."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage

from contract import TAGS, Kept

# Both names are of the first deployments; the account's is global, so Pulumi adds a suffix of its own.
ACCOUNT = "taskassistdata"
SHARE = "task-manager-data"
SOFT_DELETE_DAYS = 14


@dataclass(frozen=True)
class StorageArgs:
    """`storage` is smb or nfs, of `gb` GiB; `key_index` is 1 or 2; `subnet_id` is who may reach an NFS share."""

    group: pulumi.Input[str]
    storage: str
    gb: int
    key_index: int
    subnet_id: pulumi.Input[str] | None


class Storage(pulumi.ComponentResource):
    """The share, the key that mounts it (a secret), and what stays."""

    account_name: pulumi.Output[str]
    account_id: pulumi.Output[str]
    share_name: pulumi.Output[str]
    key: pulumi.Output[str]
    protocol: str
    description: pulumi.Input[str]
    kept: list[Kept]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Storage", name, opts=opts)
        nfs = args.storage == "nfs"
        kept = pulumi.ResourceOptions(parent=self, protect=True)
        account = storage.StorageAccount(
            ACCOUNT,
            resource_group_name=args.group,
            kind=storage.Kind.FILE_STORAGE if nfs else storage.Kind.STORAGE_V2,
            sku=storage.SkuArgs(name=storage.SkuName.PREMIUM_LRS if nfs else storage.SkuName.STANDARD_LRS),
            # NFS has no encryption in transit that this switch knows; its clients are refused while it is on.
            enable_https_traffic_only=not nfs,
            minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            network_rule_set=only_from(args.subnet_id) if args.subnet_id else None,
            tags=TAGS,
            opts=kept,
        )
        storage.FileServiceProperties(
            "soft-delete",
            resource_group_name=args.group,
            account_name=account.name,
            file_services_name="default",
            share_delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=SOFT_DELETE_DAYS),
            # Goes with the share: deleted alone, it would fall back to Azure's default.
            opts=kept,
        )
        share = storage.FileShare(
            SHARE,
            resource_group_name=args.group,
            account_name=account.name,
            share_name=SHARE,
            share_quota=args.gb,
            enabled_protocols=storage.EnabledProtocols.NFS if nfs else storage.EnabledProtocols.SMB,
            # The container's user is not root; root only prepares the folder.
            root_squash=storage.RootSquashType.NO_ROOT_SQUASH if nfs else None,
            opts=kept,
        )
        self.account_name, self.account_id, self.share_name = account.name, account.id, share.name
        self.key = account_key(args.group, account.name, args.key_index)
        self.protocol = "Nfs" if nfs else "Smb"
        self.description = pulumi.Output.concat(f"Azure Files ({args.storage}) ", account.name, "/", share.name)
        self.kept = [
            Kept(pulumi.Output.concat("storage account ", account.name), "protected, free by itself"),
            Kept(
                pulumi.Output.concat("share ", share.name),
                f"protected, billed; {SOFT_DELETE_DAYS} days of soft delete after that",
            ),
        ]
        self.register_outputs({})


def account_key(group: pulumi.Input[str], account: pulumi.Input[str], index: int) -> pulumi.Output[str]:
    """One of the account's two keys, always a secret."""
    keys = storage.list_storage_account_keys_output(account_name=account, resource_group_name=group)
    return pulumi.Output.secret(keys.keys[index - 1].value)


def only_from(subnet_id: pulumi.Input[str]) -> storage.NetworkRuleSetArgs:
    return storage.NetworkRuleSetArgs(
        default_action=storage.DefaultAction.DENY,
        virtual_network_rules=[storage.VirtualNetworkRuleArgs(virtual_network_resource_id=subnet_id)],
    )
