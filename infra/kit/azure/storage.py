"""The storage account and the share that holds the database."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, storage

from contract import TAGS, Kept, stem

# The share's name is of the first deployments.
SHARE = "task-manager-data"
SOFT_DELETE_DAYS = 14


@dataclass(frozen=True)
class StorageArgs:
    """`account` is the account's name, `gb` the share's size in GiB, `key_index` 1 or 2."""

    group: pulumi.Input[str]
    account: pulumi.Input[str]
    gb: int
    key_index: int


class Storage(pulumi.ComponentResource):
    """The share, the key that mounts it (a secret), and what stays."""

    account_name: pulumi.Output[str]
    account_id: pulumi.Output[str]
    share_name: pulumi.Output[str]
    key: pulumi.Output[str]
    description: pulumi.Output[str]
    kept: list[Kept]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Storage", name, opts=opts)
        account = self.account(f"{name}-account", args)
        soft_delete = storage.FileServiceProperties(
            f"{name}-soft-delete",
            resource_group_name=args.group,
            account_name=account.name,
            file_services_name="default",
            share_delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=SOFT_DELETE_DAYS),
            # Goes with the share: deleted alone, it would fall back to Azure's default.
            opts=self.data("soft-delete"),
        )
        share = storage.FileShare(
            f"{name}-share",
            resource_group_name=args.group,
            account_name=account.name,
            share_name=SHARE,
            share_quota=args.gb,
            enabled_protocols=storage.EnabledProtocols.SMB,
            opts=self.data(SHARE, "shareName"),
        )
        self.lock(f"{name}-lock", account.id, [soft_delete, share])
        self.account_name, self.account_id, self.share_name = account.name, account.id, share.name
        self.key = account_key(args.group, account.name, args.key_index)
        self.description = pulumi.Output.concat("Azure Files (smb) ", account.name, "/", share.name)
        self.kept = kept(account.name, share.name)
        self.register_outputs({"account_name": self.account_name, "share_name": self.share_name})

    def account(self, name: str, args: StorageArgs) -> storage.StorageAccount:
        return storage.StorageAccount(
            name,
            account_name=args.account,
            resource_group_name=args.group,
            kind=storage.Kind.STORAGE_V2,
            sku=storage.SkuArgs(name=storage.SkuName.STANDARD_LRS),
            enable_https_traffic_only=True,
            minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            tags=TAGS,
            opts=self.data("taskassistdata", "accountName"),
        )

    def lock(self, name: str, scope: pulumi.Input[str], locked: list[pulumi.Resource]) -> None:
        """`protect` stops Pulumi alone; this stops everybody. It must be the first to go, or it stops Pulumi too."""
        authorization.ManagementLockByScope(
            name,
            lock_name=stem(),
            scope=scope,
            level=authorization.LockLevel.CAN_NOT_DELETE,
            notes="Task Assist's database is in here. How to delete it on purpose: docs/DEPLOYMENT.md",
            opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=locked),
        )

    def data(self, earlier: str, *names: str) -> pulumi.ResourceOptions:
        """Options of what holds data: `earlier` is its name in version 0.1, `names` the inputs that never change."""
        return pulumi.ResourceOptions(
            parent=self, protect=True, ignore_changes=list(names), aliases=[pulumi.Alias(name=earlier)]
        )


def account_key(group: pulumi.Input[str], account: pulumi.Input[str], index: int) -> pulumi.Output[str]:
    """One of the account's two keys, always a secret."""
    keys = storage.list_storage_account_keys_output(account_name=account, resource_group_name=group)
    return pulumi.Output.secret(keys.keys[index - 1].value)


def kept(account: pulumi.Output[str], share: pulumi.Output[str]) -> list[Kept]:
    return [
        Kept(pulumi.Output.concat("storage account ", account), "protected, with a lock against deletion, free"),
        Kept(
            pulumi.Output.concat("share ", share),
            f"protected, billed; {SOFT_DELETE_DAYS} days of soft delete after that",
        ),
    ]
