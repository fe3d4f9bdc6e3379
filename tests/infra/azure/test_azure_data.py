"""What holds data on Azure: where it stands, what it is called, and that it is protected. Changed on purpose only."""

from tests.infra.plans import plan

# By its URN's end: the name that we choose, the inputs that an existing stack keeps, and what version 0.1 called it.
PINNED = {
    "pulumi:pulumi:Stack$azure-native:resources:ResourceGroup::task-assist": (
        "task-assist",
        ["resourceGroupName"],
        "task-assist",
    ),
    "task-assist:azure:Storage$azure-native:storage:StorageAccount::storage-account": (
        "taskassistdatax7k2p9",
        ["accountName"],
        "taskassistdata",
    ),
    "task-assist:azure:Storage$azure-native:storage:FileServiceProperties::storage-soft-delete": (
        "default",
        [],
        "soft-delete",
    ),
    "task-assist:azure:Storage$azure-native:storage:FileShare::storage-share": (
        "task-manager-data",
        ["shareName"],
        "task-manager-data",
    ),
    "task-assist:azure:Storage$azure-native:authorization:ManagementLockByScope::storage-lock": (
        "task-assist",
        [],
        "storage-lock",
    ),
    "task-assist:azure:Snapshots$azure-native:recoveryservices:Vault::snapshots-vault": (
        "task-assist-backups",
        ["vaultName"],
        "backups",
    ),
    "task-assist:azure:Snapshots$azure-native:recoveryservices:ProtectionContainer::snapshots-account": (
        "storagecontainer;Storage;task-assist;taskassistdatax7k2p9",
        ["containerName"],
        "account",
    ),
    "task-assist:azure:Snapshots$azure-native:recoveryservices:ProtectedItem::snapshots-share": (
        "task-manager-data",
        ["containerName", "protectedItemName"],
        "share",
    ),
    **{
        f"task-assist:azure:Store$azure-native:{type_}::store-{word}": (name, kept, f"store-{word}")
        for type_, word, name, kept in (
            ("storage:StorageAccount", "account", "taskassistbackupx7k2p9", ["accountName"]),
            ("storage:BlobContainer", "container", "backups", []),
            ("storage:BlobServiceProperties", "versions", "default", []),
            ("storage:ManagementPolicy", "lifecycle", "default", []),
            ("authorization:ManagementLockByScope", "lock", "task-assist", []),
            ("authorization:RoleAssignment", "write", "store-container-id", []),
            ("authorization:RoleDefinition", "role", "task-assist-id", []),
        )
    },
}
NAMED_BY = (
    "protectedItemName",
    "containerName",
    "vaultName",
    "shareName",
    "fileServicesName",
    "blobServicesName",
    "managementPolicyName",
    "lockName",
    "scope",
    "accountName",
    "resourceGroupName",
)


def test_what_holds_data_stands_where_it_stood_and_is_called_what_it_was():
    protected = {resource.urn: resource for resource in plan("azure-smb").resources if resource.protect}
    assert set(protected) == {f"urn:pulumi:azure::task-assist::{urn}" for urn in PINNED}
    for urn, (name, kept, earlier) in PINNED.items():
        resource = protected[f"urn:pulumi:azure::task-assist::{urn}"]
        first = next(key for key in NAMED_BY if key in resource.plain)
        assert resource.plain[first] == name
        assert resource.options.get("ignoreChanges", []) == kept
        assert earlier == resource.name or earlier in resource.aliases


def test_the_lock_stops_everybody_and_goes_first():
    found = plan("azure-smb")
    lock, share = found.one("ManagementLockByScope", "storage-lock"), found.one("storage:FileShare")
    assert lock.inputs["level"] == "CanNotDelete"
    assert lock.plain["scope"] == "storage-account-id"
    assert share.urn in lock.depends_on
