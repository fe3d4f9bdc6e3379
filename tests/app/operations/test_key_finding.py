"""What the doctor says of the keys that backups are encrypted for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.backup.proofs.key_proof import keep_proofs
from app.backup.stores.store import store_at
from app.operations.doctor.key_finding import key_finding
from app.settings import Settings, load

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY = "age1" + "q" * 58


@pytest.fixture
def encrypted(tmp_path: Path) -> Settings:
    return load({"BACKUP_URL": tmp_path.as_uri(), "BACKUP_RECIPIENT": KEY})


def test_a_key_that_nobody_has_proven_is_a_note_with_what_to_type(encrypted: Settings, tmp_path: Path):
    [found] = key_finding(encrypted, NOW)
    assert found.level == "note" and "never been proven" in found.text and "task-assist backup key-kit" in found.fix
    keep_proofs(store_at(tmp_path.as_uri()), [KEY], "a-1", NOW)
    [found] = key_finding(encrypted, NOW)
    assert found.level == "ok"


def test_a_proof_of_a_time_to_come_is_none(encrypted: Settings, tmp_path: Path):
    keep_proofs(store_at(tmp_path.as_uri()), [KEY], "a-1", NOW + timedelta(hours=1))
    assert key_finding(encrypted, NOW)[0].level == "note"


def test_where_the_store_can_not_be_read_nothing_is_said_to_be_well(encrypted: Settings, tmp_path: Path):
    tmp_path.rmdir()
    [found] = key_finding(encrypted, NOW)
    assert found.level == "note" and "it isn't known when it was proven" in found.text


def test_nothing_is_said_where_nothing_is_encrypted(tmp_path: Path):
    assert key_finding(load({"BACKUP_URL": tmp_path.as_uri()}), NOW) == []
