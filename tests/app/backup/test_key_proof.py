"""The key that opens the backups is proven once a year, and a person is reminded where it was not."""

from datetime import UTC, datetime, timedelta

from app.backup.proofs.drill_records import passed_drill
from app.backup.proofs.key_proof import ENDING, KeyProof, keep_proofs, last_proof, reminders
from app.backup.stores.stored_backup import newest_in
from tests.app.backup.test_stored_backup import new_key

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def test_a_key_is_reminded_of_until_it_was_proven_and_again_after_a_year(store):
    assert "has never been proven" in reminders(store, ["age1a"], NOW)[0]
    keep_proofs(store, ["age1a"], "a-backup", NOW)
    assert reminders(store, ["age1a"], NOW + timedelta(days=365)) == []
    [said] = reminders(store, ["age1a"], NOW + timedelta(days=365, seconds=1))
    assert "last proven on 2026-11-27" in said and "task-assist backup drill --identity /dev/stdin <key.txt" in said
    assert len(reminders(store, ["age1a", "age1b"], NOW)) == 1


def test_a_proof_that_can_not_be_read_is_none(store):
    store.create("age1a" + ENDING, b"{}")
    assert last_proof(store, "age1a") is None


def test_a_proof_takes_the_place_of_those_before_and_also_of_one_with_the_name_of_before(store):
    store.create("age1a" + ENDING, KeyProof(public_key="age1a", proven_at=NOW, backup="old").model_dump_json().encode())
    assert (proof := last_proof(store, "age1a")) and proof.backup == "old"
    for days in (1, 2):
        keep_proofs(store, ["age1a", "age1ab"], f"of day {days}", NOW + timedelta(days=days))
    assert (proof := last_proof(store, "age1a")) and proof.backup == "of day 2"
    assert len(store.entries()) == 2


def test_the_drill_with_the_key_proves_it_and_the_servers_own_drill_forgets_nothing(run, store, tmp_path, monkeypatch):
    key, other = new_key(), new_key()
    monkeypatch.setenv("BACKUP_RECIPIENT", str(key.to_public()))
    run("backup")
    assert run("backup", "drill").exit_code == 0
    assert last_proof(store, str(key.to_public())) is None
    (tmp_path / "key.txt").write_text(f"{other}\n{key}\n")
    assert run("backup", "drill", "--identity", "key.txt").exit_code == 0
    assert run("backup", "drill").exit_code == 0
    assert (record := passed_drill(store, newest_in(store))) and record.proves == "restorable"
    assert (proof := last_proof(store, str(key.to_public()))) and proof.backup == record.name
    assert last_proof(store, str(other.to_public())) is None


def test_status_reminds_and_is_no_fault(run, store, tmp_path, monkeypatch):
    key = new_key()
    monkeypatch.setenv("BACKUP_RECIPIENT", str(key.to_public()))
    run("backup")
    said = run("backup", "status")
    assert said.exit_code == 0 and f"Key      The private key of {key.to_public()} has never been proven" in said.stdout
    (tmp_path / "key.txt").write_text(str(key))
    run("backup", "drill", "--identity", "key.txt")
    assert "Key  " not in run("backup", "status").stdout
