"""What holds data keeps its place in the state, its name and its lock; and EFS lets in whom it should."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from rules.data import HOLDERS, STORES
from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import Plan

AWS = [name for name in CONFIGS if name.startswith("aws")]
STACK = "urn:pulumi:aws::task-assist::"


@dataclass(frozen=True)
class Pinned:
    """What must not change of a resource that holds data. `was`: its URN, or the end of it, in version 0.1."""

    urn: str
    named_by: str
    name: str
    was: tuple[str, ...]


STORAGE, SNAPSHOTS = "task-assist:aws:Storage$", "task-assist:aws:Snapshots$"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
FILE_SYSTEM = Pinned(
    f"{STACK}{STORAGE}aws:efs/fileSystem:FileSystem::storage-data", "creationToken", "task-assist-data", ("data",)
)
VAULT = Pinned(
    f"{STACK}{SNAPSHOTS}aws:backup/vault:Vault::snapshots-vault",
    "name",
    "task-assist",
    (f"{STACK}task-assist:aws:Backups$aws:backup/vault:Vault::task-assist",),
)
VAULT_LOCK = Pinned(f"{STACK}{SNAPSHOTS}{LOCK}::snapshots-vault-lock", "backupVaultName", "task-assist", ())
COPIES = Pinned(f"{STACK}{SNAPSHOTS}aws:backup/vault:Vault::snapshots-copies", "name", "task-assist", ())
COPIES_LOCK = Pinned(f"{STACK}{SNAPSHOTS}{LOCK}::snapshots-copies-lock", "backupVaultName", "task-assist", ())
BUCKET = Pinned(
    f"{STACK}task-assist:aws:Store$aws:s3/bucket:Bucket::store-backups", "bucket", "task-assist-backups-x7k2p9", ()
)
GUARDS = {
    "BucketLifecycleConfiguration": "lifecycle",
    "BucketOwnershipControls": "owner",
    "BucketPolicy": "refuses",
    "BucketPublicAccessBlock": "private",
    "BucketServerSideEncryptionConfiguration": "encrypted",
    "BucketVersioning": "versioned",
}
ALWAYS = (
    FILE_SYSTEM,
    VAULT,
    VAULT_LOCK,
    BUCKET,
    *(
        Pinned(
            f"{STACK}task-assist:aws:Store$aws:s3/{kind[0].lower()}{kind[1:]}:{kind}::store-{word}",
            "bucket",
            "task-assist-backups-x7k2p9",
            (),
        )
        for kind, word in GUARDS.items()
    ),
)


@pytest.fixture(params=AWS)
def found(request: pytest.FixtureRequest) -> Plan:
    return plan(request.param)


def real_urn(found: Plan, urn: str) -> str:
    """The engine's URN: the recorder puts the stack's type in front of it."""
    return urn.replace("pulumi:pulumi:Stack$", "")


@pytest.mark.parametrize("name", AWS)
def test_what_holds_data_is_pinned(name: str):
    found = plan(name)
    pinned = {one.urn: one for one in (*ALWAYS, *((COPIES, COPIES_LOCK) if name.endswith("full") else ()))}
    holding = {real_urn(found, one.urn): one for one in found.resources if one.type in {*STORES, *HOLDERS}}
    assert set(holding) == set(pinned)
    for urn, resource in holding.items():
        assert resource.protect
        assert resource.plain[pinned[urn].named_by] == pinned[urn].name
        assert set(pinned[urn].was) <= set(resource.aliases)
        if resource.type != LOCK and not resource.type.endswith(tuple(GUARDS)):
            # What was made under another name keeps that one.
            assert pinned[urn].named_by in resource.options["ignoreChanges"]


def test_tiny_writes_are_not_billed_as_32_kib_each(found: Plan):
    system = found.one("efs/fileSystem:FileSystem").inputs
    assert system["throughputMode"] == "bursting"
    assert "heartbeat" not in found.outputs["monthly_cost_estimate"]


def test_bursting_is_enough_for_the_lease():
    from app.writer import lease

    least = 1024**2  # bytes a second, without a single credit
    each = 32 * 1024  # a renewal, counted as generously as elastic throughput would
    assert each / lease.RENEW_EVERY < least / 50
    credits = 2.1 * 1024**4
    assert credits / (each / lease.RENEW_EVERY) / 86400 / 365 > 4


def statements(found: Plan) -> list[dict[str, Any]]:
    return json.loads(found.one("FileSystemPolicy").inputs["policy"])["Statement"]


def test_efs_admits_two_roles_through_their_doors_over_tls_alone(found: Plan):
    *admits, refuses = statements(found)
    doors = {(one["Principal"]["AWS"].rpartition("/")[2], point(one)): set(one["Action"]) for one in admits}
    assert {(role.split(":")[-1].partition("-task")[0], where) for role, where in doors}
    assert all(one["Condition"]["Bool"] == {"aws:SecureTransport": "true"} for one in admits)
    assert refuses["Effect"] == "Deny" and refuses["Principal"] == {"AWS": "*"}
    assert refuses["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    as_root = {key for key, actions in doors.items() if "elasticfilesystem:ClientRootAccess" in actions}
    assert len(doors) == 3
    assert len(as_root) == 1
    [(role, where)] = as_root
    assert "restore" in role and "root" in where


def point(statement: dict[str, Any]) -> str:
    return statement["Condition"]["StringEquals"]["elasticfilesystem:AccessPointArn"]


def test_the_app_never_sees_more_than_its_directory(found: Plan):
    app = json.loads(found.one("TaskDefinition", "hosting-task").inputs["containerDefinitions"])[0]
    assert [one["containerPath"] for one in app["mountPoints"]] == ["/app/data"]
    [volume] = found.one("TaskDefinition", "hosting-task").inputs["volumes"]
    configuration = volume["efsVolumeConfiguration"]
    assert configuration["authorizationConfig"]["accessPointId"] == "storage-app-id"
    assert (
        found.one("efs/accessPoint:AccessPoint", "storage-app").inputs["rootDirectory"]["path"] == "/task-manager-data"
    )


def test_each_zone_has_its_mount_target_once_and_the_old_one_goes_on(found: Plan):
    targets = found.of("efs/mountTarget:MountTarget")
    assert sorted(one.name for one in targets) == ["storage-euc1-az1", "storage-euc1-az2"]
    for number, target in enumerate(sorted(targets, key=lambda one: one.name), start=1):
        assert f"data-{number}" in target.aliases
        assert target.options["deleteBeforeReplace"]
