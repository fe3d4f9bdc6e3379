"""The running app backs itself up by the schedule, tries again what failed, and says so."""

import errno
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from app.errors import Damaged, Problem
from app.operations.backups import backup_alarm, backup_runner, backup_watch, notify
from app.operations.backups.backup_alarm import Alarm
from app.operations.backups.backup_health import BackupHealth
from app.operations.backups.backup_runner import BackupRunner, run_backups
from app.operations.backups.backup_watch import BackupWatch
from app.operations.backups.notify import notifier
from app.operations.control import command_runner
from app.operations.control.command_runner import CommandRunner, start_command
from app.operations.control.control import ask
from app.operations.control.control_commands import listen
from app.settings import load

NEXT = datetime(2026, 6, 1, 3, 15, tzinfo=UTC)
WELL = {
    "made": {"name": "a-1", "object_size_bytes": 7},
    "store": "file:///b",
    "next": NEXT.isoformat(),
    "warnings": [],
}
NOT_DUE = {"made": None, "next": NEXT.isoformat()}
DRILLED = {"drilled": None, "last": {"drilled_at": NEXT.isoformat()}, "reminders": []}
STANDING = {
    "store": "file:///b",
    "newest": "a-1",
    "made_at": NEXT.isoformat(),
    "due_at": (NEXT + timedelta(days=1)).isoformat(),
    "drill": {"drilled_at": NEXT.isoformat()},
    "error": None,
}
FAILED = {"error": {"message": "There is no such bucket.", "hint": "Make it."}}


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def commands(monkeypatch) -> Iterator[list[tuple[str, ...]]]:
    """Each command is answered with the next of `answers`, from its front."""
    words_typed: list[tuple[str, ...]] = []

    def start(*words: str) -> Any:
        words_typed.append(words)
        answer = ANSWERS.pop(0)
        out = answer if isinstance(answer, str) else json.dumps(answer)
        return SimpleNamespace(
            communicate=lambda **_: (out, "first line\nlast line\n"), returncode=1, terminate=lambda: None
        )

    monkeypatch.setattr(command_runner, "start_command", start)
    yield words_typed
    ANSWERS.clear()


ANSWERS: list[Any] = []


@pytest.fixture
def watch(told, commands) -> BackupWatch:
    instance: Any = SimpleNamespace(writes=True, problem=None)
    alarm = Alarm(lambda event, text: not told.append((event, text)))
    return BackupWatch(instance, BackupHealth(), CommandRunner(), alarm, is_scheduled=True)


@pytest.fixture
def runner(watch: BackupWatch) -> BackupRunner:
    return BackupRunner(
        watch._instance, watch._known, watch._commands, watch._alarm, watch, lambda now: now + timedelta(days=1)
    )


def until(said: Callable[[], Any]) -> None:
    """Waits for what a thread does, however busy the machine is."""
    deadline = time.monotonic() + 60
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def in_minutes(time_: datetime) -> int:
    return round((time_ - datetime.now(UTC)).total_seconds() / 60)


@pytest.mark.parametrize("made", [WELL, NOT_DUE])
def test_what_went_well_is_known_and_the_next_look_is_when_the_command_says(runner, told, commands, made):
    ANSWERS[:] = [made, DRILLED, STANDING]
    assert runner.run_once() == NEXT
    assert commands == [
        ("backup", "--if-due", "--json"),
        ("backup", "drill", "--if-due", "--json"),
        ("backup", "status", "--json"),
    ]
    said = runner.known.as_dict()
    assert (said["newest"], said["next"], said["drilled"]) == ("2026-06-01T03:15:00+00:00",) * 3
    assert said["failing"] is False and told == []


def test_what_failed_is_tried_again_soon_then_later_and_told_once(runner, told):
    ANSWERS[:] = [FAILED] * 4
    assert [in_minutes(runner.run_once()) for _ in range(4)] == [5, 15, 60, 60]
    assert told == [("backup_failed", "A backup of Task Assist failed: There is no such bucket. Make it.")]
    assert runner.known.as_dict()["error"] == "Backup: There is no such bucket. Make it."
    ANSWERS[:] = [WELL, DRILLED, STANDING, WELL, DRILLED, STANDING]
    runner.run_once()
    runner.run_once()
    assert [event for event, _ in told] == ["backup_failed", "backup_recovered"]
    assert runner.known.as_dict()["failing"] is False
    ANSWERS[:] = [FAILED]
    assert in_minutes(runner.run_once()) == 5


def test_a_drill_that_failed_is_no_good_night(runner, told):
    ANSWERS[:] = [{**WELL, "next": "2100-01-01T03:15:00+00:00"}, FAILED, STANDING]
    assert in_minutes(runner.run_once()) == 5
    assert told[0][0] == "drill_failed" and runner.known.as_dict()["failing"]


def test_a_drill_that_fails_hides_no_backup_that_fails_and_each_is_well_again_by_itself(runner, told):
    later = {**WELL, "next": "2100-01-01T03:15:00+00:00"}
    ANSWERS[:] = [later, FAILED, STANDING, FAILED, later, FAILED, STANDING, later, DRILLED, STANDING]
    assert [in_minutes(runner.run_once()) for _ in range(3)] == [5, 5, 15]
    assert [event for event, _ in told] == ["drill_failed", "backup_failed", "backup_recovered"]
    assert runner.known.as_dict()["error"] == "Drill: There is no such bucket. Make it."
    runner.run_once()
    assert told[3:] == [("drill_recovered", "Drills of Task Assist's backups work again.")]
    assert runner.known.as_dict()["error"] is None


def test_what_could_not_be_delivered_is_delivered_later_and_in_its_order(monkeypatch):
    monkeypatch.setattr(backup_alarm, "TRY_AGAIN_AFTER", 0.0)
    heard, there = [], []
    alarm = Alarm(lambda event, _: bool(there) and not heard.append(event))
    alarm.trouble("backup_failed", "No room.")
    alarm.trouble("backup_failed", "No room.")
    alarm.tell("backup_suspicious", "It is empty.")
    alarm.over("backup_failed")
    assert heard == []
    there.append(True)
    alarm.try_again()
    alarm.try_again()
    assert heard == ["backup_failed", "backup_suspicious", "backup_recovered"]


def test_a_webhook_that_is_down_is_not_asked_at_each_turn():
    tries = []
    alarm = Alarm(lambda event, _: bool(tries.append(event)))
    alarm.trouble("backup_failed", "No room.")
    alarm.try_again()
    assert tries == ["backup_failed"]


def test_what_another_run_has_begun_is_no_recovery(runner, told):
    soon = {**NOT_DUE, "claimed": True}
    ANSWERS[:] = [FAILED, soon, DRILLED, STANDING, FAILED]
    assert [in_minutes(runner.run_once()), runner.run_once()] == [5, NEXT]
    assert [event for event, _ in told] == ["backup_failed"] and runner.known.as_dict()["failing"]
    assert in_minutes(runner.run_once()) == 15


def test_a_warning_is_told(runner, told):
    ANSWERS[:] = [{**WELL, "warnings": ["The database holds 1 items."]}, DRILLED, STANDING]
    runner.run_once()
    assert told == [("backup_suspicious", "The database holds 1 items.")]


def test_a_key_that_nobody_has_proven_is_told_with_each_drill(runner, told):
    due = {**DRILLED, "reminders": ["age1a has never been proven."]}
    ANSWERS[:] = [WELL, due, STANDING, WELL, {**due, "drilled": due["last"]}, STANDING]
    runner.run_once()
    assert told == []
    runner.run_once()
    assert told == [("backup_key_unproven", "age1a has never been proven.")]


def test_a_command_that_says_nothing_of_use_is_told_by_its_last_line(runner):
    ANSWERS[:] = ["Traceback"]
    runner.run_once()
    assert runner.known.as_dict()["error"] == "Backup: `task-assist backup --if-due --json` ended with 1: last line."


def test_a_drill_that_can_not_be_started_is_told_as_a_drill(runner, commands, monkeypatch):
    start = command_runner.start_command
    ANSWERS[:] = [WELL, STANDING]

    def refused(*words: str) -> Any:
        if "drill" in words:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return start(*words)

    monkeypatch.setattr(command_runner, "start_command", refused)
    runner.run_once()
    said = runner.known.as_dict()["error"]
    assert said.startswith("Drill: `task-assist backup drill --if-due --json` could not be started: ")
    assert "temporarily unavailable" in said


def test_a_time_of_a_clock_that_was_wrong_is_not_waited_for(runner, commands, monkeypatch):
    monkeypatch.setattr(backup_runner, "FIRST_AFTER", 0.0)
    monkeypatch.setattr(backup_runner, "MOST_JITTER", timedelta(0))
    runner._next_after = lambda now: now + timedelta(milliseconds=1)
    ANSWERS[:] = [{**WELL, "next": "2100-01-01T03:15:00+00:00"}, DRILLED, STANDING] * 2
    runner.start()
    until(lambda: len(commands) >= 6)
    runner._commands.stop()
    runner._thread.join(5)


def test_a_fault_of_its_own_is_told_and_does_not_end_the_schedule(runner, told, monkeypatch):
    monkeypatch.setattr(backup_runner, "FIRST_AFTER", 0.0)
    monkeypatch.setattr(backup_runner, "TRY_AGAIN", (timedelta(0),))
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    ANSWERS[:] = [{"what": "no such answer"}, DRILLED, STANDING, {**WELL, "next": tomorrow}, DRILLED, STANDING]
    runner.start()
    until(lambda: len(told) == 2)
    assert [event for event, _ in told] == ["backup_failed", "backup_recovered"] and "KeyError" in told[0][1]
    runner._commands.stop()
    runner._thread.join(5)


def test_only_the_instance_that_writes_makes_backups(runner, commands, monkeypatch):
    monkeypatch.setattr(backup_runner, "FIRST_AFTER", 0.0)
    monkeypatch.setattr(backup_runner, "LOOK_EVERY", 0.01)
    runner._instance.writes = False
    runner.start()
    time.sleep(0.1)
    assert commands == []
    ANSWERS[:] = [{**WELL, "next": (datetime.now(UTC) + timedelta(days=1)).isoformat()}, DRILLED, STANDING]
    runner._instance.writes = True
    until(lambda: len(commands) == 3)
    runner._commands.stop()
    runner._thread.join(5)
    assert not runner._thread.is_alive()


def test_the_end_of_the_app_ends_a_backup_that_is_under_way(runner, told, monkeypatch):
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(
        command_runner,
        "start_command",
        lambda *_: subprocess.Popen(sleeping, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True),
    )
    monkeypatch.setattr(backup_runner, "FIRST_AFTER", 0.0)
    runner.start()
    while not runner._commands.running:
        time.sleep(0.01)
    (process,) = runner._commands.running
    runner._commands.stop()
    runner._thread.join(5)
    assert process.wait(5) == -15 and not runner._thread.is_alive() and told == []


@pytest.mark.parametrize("deaf", [False, True])
def test_a_command_that_hangs_is_ended_and_told_in_words(monkeypatch, deaf: bool):
    """And where it does not hear SIGTERM, it is killed."""
    hangs = "import signal, time; print(1, flush=True); time.sleep(60)"
    if deaf:
        hangs = hangs.replace("print", "signal.signal(signal.SIGTERM, signal.SIG_IGN); print")
        monkeypatch.setattr(command_runner, "END_WITHIN", 0.1)
    made = []

    def start(*_: str) -> Any:
        process = subprocess.Popen(
            [sys.executable, "-c", hangs], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout and process.stdout.readline()
        made.append(process)
        return process

    monkeypatch.setattr(command_runner, "start_command", start)
    commands = CommandRunner()
    said = commands.run("backup", "--if-due", "--json", within=timedelta(seconds=0.1))
    assert "`task-assist backup --if-due --json` was not done after" in said["error"]["message"]
    assert made[0].returncode == (-9 if deaf else -15) and commands.running == []


def test_the_end_of_the_app_is_told_to_all_commands_before_one_is_waited_for():
    order: list[str] = []
    commands = CommandRunner()
    for name in "ab":
        fake: Any = SimpleNamespace(
            terminate=lambda name=name: order.append(f"terminate {name}"),
            wait=lambda _, name=name: order.append(f"wait {name}"),
        )
        commands.running.append(fake)
    commands.stop()
    assert order == ["terminate a", "terminate b", "wait a", "wait b"]


def test_the_command_is_found_wherever_the_app_was_started(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("BACKUP_URL", tmp_path.as_uri())
    with start_command("backup", "list", "--json") as process:
        out, errors = process.communicate()
    assert json.loads(out)["backups"] == [], errors


def test_without_a_place_nothing_is_said_of_backups(app):
    assert app.test_client().get("/healthz").get_json()["backup"] is None


def test_without_a_schedule_nothing_is_made_but_what_is_there_is_known(app, commands, monkeypatch):
    monkeypatch.setattr(backup_runner, "FIRST_AFTER", 0.0)
    monkeypatch.setattr(backup_watch, "LOOK_EVERY", 0.01)
    ANSWERS[:] = [STANDING]
    running = run_backups(load({"BACKUP_URL": "file:///b", "BACKUP_SCHEDULE": "off"}), app.instance)
    until(lambda: app.instance.backups()["newest"])
    running.stop()
    assert commands == [("backup", "status", "--json")]
    assert app.test_client().get("/healthz").get_json()["backup"]["newest"] == "2026-06-01T03:15:00+00:00"


def test_health_says_how_old_the_backup_is_and_not_why_one_failed(app, place):
    where = "no bucket in s3://secret-place"
    known = BackupHealth(made_at=datetime.now(UTC) - timedelta(hours=2), errors={"backup": where})
    app.instance.backups = known.as_dict
    said = app.test_client().get("/healthz")
    backup = said.get_json()["backup"]
    assert backup["failing"] is True and 7190 < backup["age_seconds"] < 7300
    assert "secret-place" not in said.get_data(as_text=True)
    control = listen(app.instance)
    assert control
    assert (ask(app.instance.storage, "backups") or {})["error"] == "Backup: no bucket in s3://secret-place"
    control.close()


def test_the_app_loads_no_library_of_the_backups():
    """They take memory and a part of the start; the commands load them when they need them."""
    code = (
        "import sys; import app.operations.serving.server, app.operations.serving.bridge;"
        "import app.operations.backups.backup_runner;"
        "from app import create_app, settings; from app.web.factory import make_web_app;"
        "from app.operations.control import control_commands;"
        "print([name for name in ('obstore', 'pyrage', 'cronsim', 'backports.zstd') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# --- one that is missing ------------------------------------------------------------------------------------


def night(day: int) -> dict[str, Any]:
    """What the store says after the backup of that night."""
    made = NEXT + timedelta(days=day)
    return {**STANDING, "made_at": made.isoformat(), "due_at": (made + timedelta(days=1)).isoformat()}


@pytest.fixture
def since_weeks(watch: BackupWatch) -> BackupWatch:
    """It runs since long, and has seen the backup of the night before."""
    watch._began_at = NEXT - timedelta(days=20)
    watch._known.saw(night(0))
    return watch


def test_a_missing_backup_is_told_once_and_so_is_the_next_one_that_is_made(since_weeks, told):
    two_hours_late = NEXT + timedelta(days=1, hours=2)
    ANSWERS[:] = [night(0)]
    since_weeks.turn(two_hours_late - timedelta(minutes=1))
    assert told == [] and not since_weeks._known.as_dict()["missing"]
    ANSWERS[:] = [night(0)] * 3
    for minutes in (1, 5, 60, 100):
        since_weeks.turn(two_hours_late + timedelta(minutes=minutes))
    assert [event for event, _ in told] == ["backup_missing"]
    assert "the backup of 2026-06-02 03:15 UTC is missing; the newest is of 2026-06-01 03:15 UTC" in told[0][1]
    assert since_weeks._known.as_dict()["missing"]
    since_weeks._known.saw(night(1))
    ANSWERS[:] = [night(1)] * 2
    for minutes in (101, 180):
        since_weeks.turn(two_hours_late + timedelta(minutes=minutes))
    assert [event for event, _ in told] == ["backup_missing", "backup_recovered"]
    assert not since_weeks._known.as_dict()["missing"]


def test_before_it_tells_it_looks_whether_somebody_else_has_made_it(since_weeks, told):
    since_weeks._looked_at = NEXT + timedelta(days=1, hours=2)
    ANSWERS[:] = [night(1)]
    since_weeks.turn(NEXT + timedelta(days=1, hours=2, minutes=1))
    assert told == [] and ANSWERS == []


def test_a_store_that_does_not_answer_makes_no_backup_newer(since_weeks, told):
    ANSWERS[:] = [FAILED, FAILED]
    since_weeks._known.errors["backup"] = "There is no such bucket."
    since_weeks.turn(NEXT + timedelta(days=1, hours=3))
    assert told[0][0] == "backup_missing" and told[0][1].endswith("There is no such bucket.")


def test_one_that_failed_and_then_is_missing_is_told_to_be_well_once(since_weeks, runner, told):
    ANSWERS[:] = [FAILED]
    runner.run_once()
    late = NEXT + timedelta(days=1, hours=3)
    ANSWERS[:] = [night(0)] * 2
    since_weeks.turn(late)
    ANSWERS[:] = [WELL, DRILLED, night(1)]
    runner.run_once()
    assert [event for event, _ in told] == ["backup_failed", "backup_missing"]
    since_weeks._looked_at = late
    since_weeks.turn(late)
    assert [event for event, _ in told] == ["backup_failed", "backup_missing", "backup_recovered"]


def test_after_a_start_there_is_time_to_make_up_what_was_missed(watch, told):
    watch._known.saw(night(-9))
    ANSWERS[:] = [night(-9)] * 3
    watch.turn(watch._began_at + timedelta(minutes=119))
    assert told == []
    watch.turn(watch._began_at + timedelta(minutes=121))
    assert [event for event, _ in told] == ["backup_missing"]


def test_a_clock_that_was_wrong_at_the_start_hides_no_missing_backup(since_weeks, told):
    since_weeks._began_at = NEXT + timedelta(days=365)
    ANSWERS[:] = [night(0)] * 4
    since_weeks.turn(NEXT + timedelta(days=1))
    since_weeks.turn(NEXT + timedelta(days=1, hours=3))
    assert [event for event, _ in told] == ["backup_missing"]


def test_where_no_backup_was_ever_made_that_is_told_too(watch, told):
    none = {**STANDING, "newest": None, "made_at": None, "due_at": None, "drill": None}
    ANSWERS[:] = [none] * 2
    watch.turn(watch._began_at + timedelta(hours=3))
    assert "has made no backup since it was started" in told[0][1]


@pytest.mark.parametrize(("problem", "events"), [(None, []), (Damaged("A page is damaged."), ["backup_missing"])])
def test_of_two_instances_the_one_that_writes_tells_and_of_none_the_one_that_would(since_weeks, told, problem, events):
    since_weeks._instance.writes, since_weeks._instance.problem = False, problem
    ANSWERS[:] = [night(0)] * 2
    since_weeks.turn(NEXT + timedelta(days=1, hours=3))
    assert [event for event, _ in told] == events
    assert all("A page is damaged." in text for _, text in told)


def test_without_a_schedule_nothing_is_missing(since_weeks, told):
    since_weeks._is_scheduled = False
    ANSWERS[:] = [night(0)]
    since_weeks.turn(NEXT + timedelta(days=90))
    assert told == []


def test_the_watch_goes_on_whatever_it_meets(since_weeks, told, monkeypatch):
    monkeypatch.setattr(backup_watch, "LOOK_EVERY", 0.01)
    ANSWERS[:] = [{"store": "nonsense"}, night(0), night(0)]  # and then there is no answer at all
    since_weeks.start()
    until(lambda: told)
    since_weeks._commands.stop()
    assert [event for event, _ in told] == ["backup_missing"]


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
            self.send_header("Location", "/there")
            self.end_headers()

        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
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


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_webhook_that_has_moved_was_not_told(webhook, code: int):
    url, heard, answers = webhook
    answers[0] = code
    with structlog.testing.capture_logs() as lines:
        assert not notifier(url)("backup_failed", "No room.")
    assert len(heard) == 1 and f"it answered {code}, so it has another address now" in lines[0]["event"]


def test_what_answers_no_http_hinders_nothing():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(9999)
                connection.sendall(b"SSH-2.0-x\r\n")

        threading.Thread(target=answer, daemon=True).start()
        assert not notifier(f"http://127.0.0.1:{server.getsockname()[1]}/T0")("backup_failed", "No room.")


@pytest.mark.parametrize(
    "wrong",
    ["https://h.example/hush hush", "https://h.example:hush/", "https://me:hush@h.example/", "http://hush\n.x/"],
)
def test_an_address_that_nothing_can_be_sent_to_is_refused_and_not_shown(wrong: str):
    with pytest.raises(Problem) as refused:
        load({"NOTIFY_URL": wrong})
    assert "NOTIFY_URL" in str(refused.value) and "hush" not in f"{refused.value} {refused.value!r}"


def test_a_fault_whose_text_is_a_secret_shows_its_kind_alone(runner, monkeypatch):
    def meets_a_fault() -> datetime:
        raise ValueError("https://h.example/hush")

    monkeypatch.setattr(runner, "run_once", meets_a_fault)
    runner._run_whatever_happens()
    assert "ValueError" in runner.known.as_dict()["error"] and "hush" not in str(runner.known)


def test_the_webhooks_address_is_in_no_text_that_is_made_of_the_settings():
    loaded = load({"NOTIFY_URL": "https://hooks.example.com/hush"})
    assert "hush" not in f"{loaded} {loaded!r} {loaded.model_dump_json()}"


def test_a_webhook_that_never_ends_its_answer_holds_up_no_backup(monkeypatch):
    """Byte by byte, each within the time that is given for one; and it is not asked again while it is at it."""
    monkeypatch.setattr(notify, "SECONDS_IN_ALL", 0.3)
    asked: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    asked.append(1)
                    threading.Thread(target=drip, args=(client,), daemon=True).start()

        def drip(client: socket.socket) -> None:
            with suppress(OSError), client:
                client.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                for _ in range(100):
                    client.sendall(b"x")
                    time.sleep(0.05)

        threading.Thread(target=answer, daemon=True).start()
        tell = notifier(f"http://127.0.0.1:{server.getsockname()[1]}/T0")
        with structlog.testing.capture_logs() as logs:
            assert not tell("backup_failed", "No room.") and not tell("backup_failed", "No room.")
        assert len(asked) == 1 and all("does not end its answer" in line["event"] for line in logs)
