"""The storage account that the app backs itself up to: a second one, because the first one's keys mount the share."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, storage

from contract import TAGS, Kept, stem
from kit.azure.identity import may
from kit.backups import DELETED_STAYS_DAYS

CONTAINER = "backups"
# What obstore asks for, by "Permissions for Blob service operations" (learn.microsoft.com/rest/api/storageservices/
# authorize-with-azure-active-directory). It deletes by Blob Batch, whose own request takes containers/write.
IN_IT = "Microsoft.Storage/storageAccounts/blobServices/containers"
ACTIONS = (f"{IN_IT}/write",)
DATA_ACTIONS = (f"{IN_IT}/blobs/read", f"{IN_IT}/blobs/write", f"{IN_IT}/blobs/delete")


@dataclass(frozen=True)
class StoreArgs:
    """The group, by name and by ID; the account's name; who writes there, by principal's and by client's ID."""

    group: pulumi.Input[str]
    group_id: pulumi.Input[str]
    account: pulumi.Input[str]
    writer: pulumi.Input[str]
    client_id: pulumi.Input[str]


class Store(pulumi.ComponentResource):
    """Private, versioned, encrypted, over TLS alone, and without keys: only an identity of Azure's gets in.

    All of it is protected, and locked: it outlives the share, the site and the stack. Azure itself removes the blocks
    of an upload that broke off after a week (*Put Block*, Remarks).
    """

    url: pulumi.Output[str]
    # obstore takes both from there (docs/backups.md).
    settings: dict[str, pulumi.Input[str]]
    granted: pulumi.Resource
    kept: list[Kept]

    def __init__(self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Store", name, opts=opts)
        self.name, self.group = name, args.group
        self.child = pulumi.ResourceOptions(parent=self, protect=True)
        account = self.account(args.account)
        container = storage.BlobContainer(
            f"{name}-container",
            resource_group_name=args.group,
            account_name=account.name,
            container_name=CONTAINER,
            public_access=storage.PublicAccess.NONE,
            opts=self.child,
        )
        role = self.role(args.group_id, account.name)
        # Protected, because Azure takes no role away below a lock.
        self.granted = may(f"{name}-write", role.name, args.writer, container.id, self.child)
        self.lock(account.id, [*self.versioned(account.name), container, role, self.granted])
        self.url = pulumi.Output.concat("az://", container.name)
        self.settings = {"AZURE_STORAGE_ACCOUNT_NAME": account.name, "AZURE_CLIENT_ID": args.client_id}
        self.kept = [
            Kept(
                pulumi.Output.concat("storage account ", account.name, " with the backups"),
                "protected, with a lock against deletion, billed by size",
            )
        ]
        self.register_outputs({"url": self.url})

    def account(self, account: pulumi.Input[str]) -> storage.StorageAccount:
        return storage.StorageAccount(
            f"{self.name}-account",
            account_name=account,
            resource_group_name=self.group,
            kind=storage.Kind.STORAGE_V2,
            sku=storage.SkuArgs(name=storage.SkuName.STANDARD_LRS),
            allow_shared_key_access=False,
            default_to_o_auth_authentication=True,
            enable_https_traffic_only=True,
            minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self, protect=True, ignore_changes=["accountName"]),
        )

    def role(self, group_id: pulumi.Input[str], account: pulumi.Output[str]) -> authorization.RoleDefinition:
        """Writes, reads and deletes blobs, and neither a version nor the container.

        Azure's own Storage Blob Data Contributor may delete the container with all that is in it, and no lock keeps it
        from that (learn.microsoft.com/azure/storage/common/lock-account-resource). A version takes deleteBlobVersion
        (learn.microsoft.com/azure/storage/blobs/versioning-overview#authorize-operations-on-blob-versions).
        """
        return authorization.RoleDefinition(
            f"{self.name}-role",
            # Everybody's in the tenant, as the account's name is everybody's in the world.
            role_name=pulumi.Output.concat("Task Assist backups in ", account),
            role_type="CustomRole",
            description="Writes, reads and deletes blobs; deletes no version and no container.",
            scope=group_id,
            assignable_scopes=[group_id],
            permissions=[authorization.PermissionArgs(actions=list(ACTIONS), data_actions=list(DATA_ACTIONS))],
            opts=self.child,
        )

    def versioned(self, account: pulumi.Output[str]) -> list[pulumi.Resource]:
        """What is deleted or overwritten stays as a version for a while. A version, or the whole container, that
        somebody with more rights deletes can be had back for as long again."""
        soft = storage.DeleteRetentionPolicyArgs(enabled=True, days=DELETED_STAYS_DAYS)
        versions = storage.BlobServiceProperties(
            f"{self.name}-versions",
            resource_group_name=self.group,
            account_name=account,
            blob_services_name="default",
            is_versioning_enabled=True,
            delete_retention_policy=soft,
            container_delete_retention_policy=soft,
            opts=self.child,
        )
        lifecycle = storage.ManagementPolicy(
            f"{self.name}-lifecycle",
            resource_group_name=self.group,
            account_name=account,
            management_policy_name="default",
            policy=storage.ManagementPolicySchemaArgs(rules=[rule_of_old_versions()]),
            opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=[versions]),
        )
        return [versions, lifecycle]

    def lock(self, scope: pulumi.Input[str], locked: list[pulumi.Resource]) -> None:
        """`protect` stops Pulumi alone; this stops everybody. It must be the first to go, or it stops Pulumi too."""
        authorization.ManagementLockByScope(
            f"{self.name}-lock",
            lock_name=stem(),
            scope=scope,
            level=authorization.LockLevel.CAN_NOT_DELETE,
            notes="Task Assist's backups are in here. How to delete them on purpose: docs/DEPLOYMENT.md",
            opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=locked),
        )


def rule_of_old_versions() -> storage.ManagementPolicyRuleArgs:
    """Counted from a version's own day, so an old one goes with the next run; soft delete holds it from then on."""
    after = storage.DateAfterCreationArgs(days_after_creation_greater_than=DELETED_STAYS_DAYS)
    return storage.ManagementPolicyRuleArgs(
        name="oldversions",
        type=storage.RuleType.LIFECYCLE,
        enabled=True,
        definition=storage.ManagementPolicyDefinitionArgs(
            filters=storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"]),
            actions=storage.ManagementPolicyActionArgs(version=storage.ManagementPolicyVersionArgs(delete=after)),
        ),
    )
