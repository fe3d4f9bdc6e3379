"""What the doctor says of the keys that backups are encrypted for."""

from datetime import UTC, datetime

from app.operations.key_finding import key_finding
from app.settings import load

ENCRYPTED = load({"BACKUP_URL": "file:///b", "BACKUP_RECIPIENT": "age1" + "q" * 58})


def test_a_key_that_nobody_has_proven_is_a_note_with_what_to_type(app, said_by_app):
    said_by_app.drilled_at = datetime(2026, 6, 1, tzinfo=UTC)
    said_by_app.reminders = ["The private key of age1q has never been proven."]
    [found] = key_finding(app.instance.storage, ENCRYPTED)
    assert found.level == "note" and "never been proven" in found.text and "task-assist backup key-kit" in found.fix
    said_by_app.reminders = []
    [found] = key_finding(app.instance.storage, ENCRYPTED)
    assert found.level == "ok"


def test_nothing_is_said_where_nothing_is_encrypted_or_known(app, said_by_app):
    assert key_finding(app.instance.storage, ENCRYPTED) == []  # no drill yet
    said_by_app.drilled_at = datetime(2026, 6, 1, tzinfo=UTC)
    assert key_finding(app.instance.storage, load({"BACKUP_URL": "file:///b"})) == []
