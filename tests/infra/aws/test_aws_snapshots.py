"""Recovery points stay locked, are kept when no more are made, and go to another region if that is asked for."""

from tests.infra.plans import REGIONS, plan
from tests.infra.recording import Plan, record

AWS = {"cloud": "aws", **REGIONS["aws"]}


def test_each_vault_is_locked_and_no_lock_can_ever_become_final():
    for found in (plan("aws-efs"), plan("aws-efs-full"), record({**AWS, "backupSchedule": "off"})):
        vaults, locks = found.of("backup/vault:Vault"), found.of("VaultLockConfiguration")
        assert len(vaults) == len(locks) > 0
        for lock in locks:
            # Days to change it in would make it a lock in compliance mode.
            assert "changeableForDays" not in lock.inputs
            assert lock.protect


def test_a_lock_is_the_same_for_every_retention():
    locks = [record({**AWS, "backupKeep": keep}).one("VaultLockConfiguration").inputs for keep in ("daily=7", "last=1")]
    assert locks[0] == locks[1]
    assert locks[0]["minRetentionDays"] == 1


def test_with_backups_off_the_vault_stays_and_only_the_plan_goes():
    on, off = plan("aws-efs"), record({**AWS, "backupSchedule": "off"}, "aws")
    gone = {one.type for one in on.resources} - {one.type for one in off.resources}
    assert gone == {
        "aws:backup/plan:Plan",
        "aws:backup/selection:Selection",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    } - {one.type for one in off.resources}
    assert off.one("backup/vault:Vault").inputs == on.one("backup/vault:Vault").inputs
    assert any("backup vault" in kept for kept in off.outputs["kept_on_destroy"])
    assert any("earlier ones stay" in line for line in off.log)


def copies(found: Plan) -> list[dict[str, object]]:
    return [copy for rule in found.one("backup/plan:Plan").inputs["rules"] for copy in rule.get("copyActions") or []]


def test_every_recovery_point_is_copied_to_a_locked_vault_in_the_other_region():
    found = record({**AWS, "backupCopy": "eu-west-1"})
    vault = found.one("backup/vault:Vault", "snapshots-copies")
    assert vault.inputs["region"] == "eu-west-1"
    assert found.one("VaultLockConfiguration", "snapshots-copies-lock").inputs["region"] == "eu-west-1"
    rules = found.one("backup/plan:Plan").inputs["rules"]
    assert len(copies(found)) == len(rules) == 3
    for rule in rules:
        assert rule["copyActions"][0]["lifecycle"] == rule["lifecycle"]
    assert copies(plan("aws-efs")) == []


def test_the_copies_stay_when_no_more_backups_are_made():
    found = record({**AWS, "backupCopy": "eu-west-1", "backupSchedule": "off"})
    assert found.one("backup/vault:Vault", "snapshots-copies").protect
    assert any("backup vault of the copies" in kept for kept in found.outputs["kept_on_destroy"])
