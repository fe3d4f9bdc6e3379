"""The running app backs itself up by the schedule, tries again what failed, and says so."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from app.operations import backup_runner
from app.operations.backup_runner import BackupRunner, run_backups, started
from app.operations.control import ask
from app.operations.control_commands import listen
from app.operations.notify import notifier
from app.settings import load

NEXT = datetime(2026, 6, 1, 3, 15, tzinfo=UTC)
WELL = {
    "made": {"name": "a-1", "object_size_bytes": 7},
    "store": "file:///b",
    "newest": NEXT.isoformat(),
    "next": NEXT.isoformat(),
    "warnings": [],
}
DRILLED = {"drilled": None, "last": {"drilled_at": NEXT.isoformat()}, "reminders": []}
FAILED = {"error": {"message": "There is no such bucket.", "hint": "Make it."}}


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def typed(monkeypatch) -> Iterator[list[tuple[str, ...]]]:
    """Each command is answered with the next of `answers`, from its front."""
    words_typed: list[tuple[str, ...]] = []

    def start(*words: str) -> Any:
        words_typed.append(words)
        answer = ANSWERS.pop(0)
        out = answer if isinstance(answer, str) else json.dumps(answer)
        return SimpleNamespace(
            communicate=lambda: (out, "first line\nlast line\n"), returncode=1, terminate=lambda: None
        )

    monkeypatch.setattr(backup_runner, "started", start)
    yield words_typed
    ANSWERS.clear()


ANSWERS: list[Any] = []


@pytest.fixture
def runner(told, typed) -> BackupRunner:
    instance: Any = SimpleNamespace(writes=True)
    return BackupRunner(instance, lambda event, text: told.append((event, text)))


def in_minutes(time_: datetime) -> int:
    return round((time_ - datetime.now(UTC)).total_seconds() / 60)


def test_what_went_well_is_known_and_the_next_look_is_when_the_command_says(runner, told, typed):
    ANSWERS[:] = [WELL, DRILLED]
    assert runner.run_once() == NEXT
    assert typed == [("backup", "--if-due", "--json"), ("backup", "drill", "--if-due", "--json")]
    said = runner.known.as_dict()
    assert (said["newest"], said["next"], said["drilled"]) == ("2026-06-01T03:15:00+00:00",) * 3
    assert said["failing"] is False and told == []


def test_what_failed_is_tried_again_soon_then_later_and_told_once(runner, told):
    ANSWERS[:] = [FAILED] * 4
    assert [in_minutes(runner.run_once()) for _ in range(4)] == [5, 15, 60, 60]
    assert told == [("backup_failed", "A backup of Task Assist failed: There is no such bucket. Make it.")]
    assert runner.known.as_dict()["error"] == "There is no such bucket. Make it."
    ANSWERS[:] = [WELL, DRILLED, WELL, DRILLED]
    runner.run_once()
    runner.run_once()
    assert [event for event, _ in told] == ["backup_failed", "backup_recovered"]
    assert runner.known.as_dict()["failing"] is False
    ANSWERS[:] = [FAILED]
    assert in_minutes(runner.run_once()) == 5


def test_a_drill_that_failed_is_no_good_night(runner, told):
    ANSWERS[:] = [WELL, FAILED]
    assert in_minutes(runner.run_once()) == 5
    assert told[0][0] == "drill_failed" and runner.known.as_dict()["failing"]


def test_a_warning_is_told(runner, told):
    ANSWERS[:] = [{**WELL, "warnings": ["The database holds 1 items."]}, DRILLED]
    runner.run_once()
    assert told == [("backup_suspicious", "The database holds 1 items.")]


def test_a_key_that_nobody_has_proven_is_told_with_each_drill_and_known_in_between(runner, told):
    due = {**DRILLED, "reminders": ["age1a has never been proven."]}
    ANSWERS[:] = [WELL, due, WELL, {**due, "drilled": due["last"]}]
    runner.run_once()
    assert told == [] and runner.known.as_dict()["reminders"] == ["age1a has never been proven."]
    runner.run_once()
    assert told == [("backup_key_unproven", "age1a has never been proven.")]


def test_a_command_that_says_nothing_of_use_is_told_by_its_last_line(runner):
    ANSWERS[:] = ["Traceback"]
    runner.run_once()
    assert runner.known.as_dict()["error"] == "The backup ended with 1: last line."


def test_only_the_instance_that_writes_makes_backups(runner, typed, monkeypatch):
    monkeypatch.setattr(backup_runner, "FIRST_AFTER", 0.0)
    monkeypatch.setattr(backup_runner, "LOOK_EVERY", 0.01)
    runner._instance.writes = False
    runner.start()
    time.sleep(0.1)
    assert typed == []
    ANSWERS[:] = [{**WELL, "next": (datetime.now(UTC) + timedelta(days=1)).isoformat()}, DRILLED]
    runner._instance.writes = True
    runner._thread.join(0.3)
    assert len(typed) == 2
    runner.stop()
    runner._thread.join(5)
    assert not runner._thread.is_alive()


def test_the_end_of_the_app_ends_a_backup_that_is_under_way(told, monkeypatch):
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(
        backup_runner,
        "started",
        lambda *_: subprocess.Popen(sleeping, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True),
    )
    monkeypatch.setattr(backup_runner, "FIRST_AFTER", 0.0)
    instance: Any = SimpleNamespace(writes=True)
    runner = BackupRunner(instance, lambda event, text: told.append((event, text)))
    runner.start()
    while runner._running is None:
        time.sleep(0.01)
    process = runner._running
    runner.stop()
    runner._thread.join(5)
    assert process.wait(5) == -15 and not runner._thread.is_alive() and told == []


def test_the_command_is_found_wherever_the_app_was_started(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("BACKUP_URL", tmp_path.as_uri())
    with started("backup", "list", "--json") as process:
        out, errors = process.communicate()
    assert json.loads(out)["backups"] == [], errors


def test_without_a_place_or_a_schedule_there_is_no_runner(app):
    for given in ({}, {"BACKUP_URL": "file:///b", "BACKUP_SCHEDULE": "off"}):
        assert run_backups(load(given), app.instance) is None
    assert app.test_client().get("/healthz").get_json()["backup"] is None


def test_health_says_how_old_the_backup_is_and_not_why_one_failed(app, place):
    where = "no bucket in s3://secret-place"
    known = backup_runner.Known(made_at=datetime.now(UTC) - timedelta(hours=2), error=where, reminders=[where])
    app.instance.backups = known.as_dict
    said = app.test_client().get("/healthz")
    backup = said.get_json()["backup"]
    assert backup["failing"] is True and 7190 < backup["age_seconds"] < 7300
    assert "secret-place" not in said.get_data(as_text=True)
    control = listen(app.instance)
    assert control
    assert (ask(app.instance.storage, "backups") or {})["error"] == "no bucket in s3://secret-place"
    control.close()


def test_the_app_loads_no_library_of_the_backups():
    """They take memory and a part of the start; the commands load them when they need them."""
    code = (
        "import sys; import app.operations.server, app.operations.bridge, app.operations.backup_runner;"
        "from app import create_app, settings; from app.web.making import make_web_app;"
        "from app.operations import control_commands;"
        "print([name for name in ('obstore', 'pyrage', 'cronsim', 'backports.zstd') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# --- NOTIFY_URL ---------------------------------------------------------------------------------------------


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[Any], list[int]]]:
    """Its address, what it heard, and what it answers."""
    heard: list[Any] = []
    answers = [200]

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers[0])
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/T0/hush", heard, answers
    server.shutdown()
    server.server_close()


def test_the_webhook_hears_what_happened(webhook):
    url, heard, _ = webhook
    notifier(url)("backup_failed", "No room.")
    assert heard == [{"event": "backup_failed", "text": "No room.", "content": "No room."}]
    notifier(None)("backup_failed", "No room.")
    assert len(heard) == 1


@pytest.mark.parametrize("there", [True, False])
def test_a_webhook_that_fails_is_one_line_in_the_log_without_its_address(webhook, there: bool):
    url, _, answers = webhook
    answers[0] = 500
    with structlog.testing.capture_logs() as lines:
        notifier(url if there else "http://127.0.0.1:9/T0/hush")("backup_failed", "No room.")
    assert len(lines) == 1 and "NOTIFY_URL could not be told of backup_failed" in lines[0]["event"]
    assert "hush" not in str(lines) and ("500" in str(lines)) == there


def test_the_webhooks_address_is_in_no_text_that_is_made_of_the_settings():
    loaded = load({"NOTIFY_URL": "https://hooks.example.com/hush"})
    assert "hush" not in f"{loaded} {loaded!r} {loaded.model_dump_json()}"
