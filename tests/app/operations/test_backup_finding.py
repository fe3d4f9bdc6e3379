"""What the doctor says of the backups."""

from datetime import UTC, datetime

from app.operations.backup_finding import backup_finding

URL = "file:///b"


def test_where_none_are_made_it_says_what_is_lost_and_which_line_mends_it(app, place):
    found = backup_finding(app.instance.storage, None)
    assert found.level == "note" and "none are made" in found.text and "BACKUP_URL=file:///backups" in found.fix


def test_without_a_running_app_it_says_what_to_type(app, place):
    found = backup_finding(app.instance.storage, URL)
    assert found.level == "note" and "task-assist backup status" in found.fix


def test_it_says_how_old_the_newest_is_and_when_one_was_proven(app, said_by_app):
    said_by_app.made_at = said_by_app.drilled_at = said_by_app.next_at = datetime(2026, 6, 1, 3, 15, tzinfo=UTC)
    found = backup_finding(app.instance.storage, URL)
    assert found.level == "ok" and found.text.count("2026-06-01T03:15:00+00:00") == 3


def test_what_failed_is_a_fault_with_its_reason(app, said_by_app):
    said_by_app.error = "There is no such bucket."
    found = backup_finding(app.instance.storage, URL)
    assert found.level == "fault" and "There is no such bucket." in found.text and "task-assist backup" in found.fix
