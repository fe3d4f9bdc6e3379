"""Azure Backup: what is put under it, what stays when it is turned off, and what a copy changes."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.infra.engine import Engine
from tests.infra.plans import CONFIGS, REGIONS, plan
from tests.infra.recording import Plan, record
from tests.infra.standins import StandIns

HOLDERS = ("recoveryservices:Vault", "recoveryservices:ProtectionContainer", "recoveryservices:ProtectedItem")


def with_(config: Mapping[str, str]) -> Plan:
    return record({"cloud": "azure", **REGIONS["azure"], **config})


def test_the_item_has_the_shares_plain_name_and_waits_for_share_and_container():
    found = plan("azure-smb")
    item = found.one("recoveryservices:ProtectedItem")
    # The provider looks Azure's hash up by it; "AzureFileShare;…" is never found.
    assert item.plain["protectedItemName"] == "task-manager-data"
    assert found.one("storage:FileShare").urn in item.depends["protectedItemName"]
    assert found.one("recoveryservices:ProtectionContainer").urn in item.depends["containerName"]


def test_with_backups_off_everything_that_holds_snapshots_stays_and_none_is_made():
    found = with_({"backupSchedule": "off"})
    assert all(found.one(holder).protect for holder in HOLDERS)
    assert not found.of("ProtectionPolicy")
    properties = found.one("recoveryservices:ProtectedItem").plain["properties"]
    assert properties["protectionState"] == "ProtectionStopped"
    assert properties["policyId"] == ""
    assert any("Backups are off" in line for line in found.log)


def test_with_backups_on_the_item_is_under_the_policy():
    properties = plan("azure-smb").one("recoveryservices:ProtectedItem").plain["properties"]
    assert properties["policyId"] == "snapshots-policy-id"
    assert "protectionState" not in properties


def test_without_a_copy_the_snapshots_lie_in_the_account_alone():
    policy = plan("azure-smb").one("ProtectionPolicy").plain["properties"]
    assert "vaultRetentionPolicy" not in policy
    assert policy["retentionPolicy"]["dailySchedule"]["retentionDuration"] == {"count": 7, "durationType": "Days"}


def test_a_copy_goes_to_the_vault_which_a_second_region_keeps_too():
    found = with_({"backupCopy": "vault", "backupKeep": "daily=9 monthly=3"})
    policy = found.one("ProtectionPolicy").plain["properties"]
    assert "retentionPolicy" not in policy
    kept = policy["vaultRetentionPolicy"]
    assert kept["snapshotRetentionInDays"] == 9
    assert kept["vaultRetention"]["monthlySchedule"]["retentionDuration"] == {"count": 3, "durationType": "Months"}
    vault = found.one("recoveryservices:Vault").plain["properties"]
    assert vault["redundancySettings"] == {"standardTierStorageRedundancy": "GeoRedundant"}


@pytest.mark.skipif(shutil.which("pulumi") is None, reason="no `pulumi` on the PATH")
def test_off_and_on_again_touches_neither_vault_nor_snapshots(stand_ins: StandIns, tmp_path: Path):
    engine = Engine(tmp_path, stand_ins.environment, CONFIGS["azure-smb-ready"], stack="azure")
    engine.up()
    stand_ins.log.taken()
    for schedule, verb in (("off", "delete"), ("15 3 * * *", "create")):
        engine.set("backupSchedule", schedule)
        engine.up()
        events = [(event.verb, event.name) for event in stand_ins.log.taken()]
        # The site is told of it: the app makes its own backups by the same schedule.
        told = ("update", "hosting-site")
        assert sorted(events) == sorted([told, ("update", "snapshots-share"), (verb, "snapshots-policy")])
