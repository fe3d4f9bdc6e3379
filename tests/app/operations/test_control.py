"""The socket through which commands ask the running app for what only it may do."""

import errno
import json
import os
import socket
import stat
import subprocess
import tempfile
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from app.backup.copies import snapshot as copying
from app.backup.copies.manifest import Manifest
from app.backup.copies.verify import verify
from app.cli import main
from app.errors import Broken, CannotStart, Damaged, NotFound, Replaced, Standby
from app.operations.control import control, control_commands
from app.operations.control.control import AppRefused, Control, ask
from app.storage.mounts import Storage, storage_under
from app.writer import instance
from tests.app.backup.databases import add_items

pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return storage_under(tmp_path / "a.db", "exclusive")


@pytest.fixture
def serving(storage: Storage):
    """serving(command): a running app that answers "do" with it."""
    started: list[Control] = []

    def serve(command) -> Control:
        started.append(Control(storage, {"do": command}))
        return started[-1]

    yield serve
    for each in started:
        each.close()


def test_the_answer_and_the_progress_come_back(serving, storage: Storage):
    def command(*, word: str, progress) -> dict:
        progress(1, 2)
        return {"said": word}

    serving(command)
    seen: list[tuple[int, int]] = []
    assert ask(storage, "do", progress=lambda *now: seen.append(now), word="ä") == {"said": "ä"}
    assert seen == [(1, 2)]


def test_what_the_app_refuses_comes_back_in_its_words(serving, storage: Storage):
    def command(*, progress) -> dict:
        raise NotFound("There is no such thing.", "Look elsewhere.")

    serving(command)
    with pytest.raises(AppRefused) as refused:
        ask(storage, "do")
    assert str(refused.value) == "There is no such thing.\nLook elsewhere."
    assert (refused.value.code, refused.value.exit_code) == ("not_found", 1)


def test_an_app_that_hangs_is_not_waited_for(serving, storage: Storage):
    ends = threading.Event()

    def command(*, progress) -> dict:
        ends.wait(60)
        return {}

    serving(command)
    with pytest.raises(AppRefused, match="did not answer within"):
        ask(storage, "do", seconds=0.05)
    ends.set()


def test_nor_where_so_many_wait_that_it_takes_no_more(storage: Storage):
    folder = Path(tempfile.gettempdir(), f"task-assist-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server, closing(socket.socket(socket.AF_UNIX)) as first:
        server.bind(str(folder / f"{control._name(storage)}-{os.getpid()}.sock"))
        server.listen(0)
        first.connect(server.getsockname())
        with pytest.raises(AppRefused, match="did not answer within"):
            ask(storage, "do", seconds=0.1)


def test_without_an_app_there_is_no_answer(storage: Storage):
    assert ask(storage, "do") is None


def test_an_app_whose_folder_was_removed_is_asked_by_root_too(tmp_path: Path):
    (tmp_path / "data").mkdir()
    storage = storage_under(tmp_path / "data/a.db")
    with closing(Control(storage, {"do": lambda progress: {"done": True}})):
        (tmp_path / "data").rmdir()
        assert ask(storage, "do") == {"done": True}


def test_a_standby_is_passed_over(serving, storage: Storage):
    def command(*, progress) -> dict:
        raise Standby("Not me.")

    serving(command)
    assert ask(storage, "do") is None


def test_an_app_that_ends_before_it_answers_is_told(serving, storage: Storage):
    def command(*, progress) -> dict:
        raise RuntimeError

    serving(command)
    with pytest.raises(AppRefused, match="before it had answered"):
        ask(storage, "do")


@pytest.mark.parametrize("alive", [True, False])
def test_only_the_socket_of_a_dead_app_is_taken_away(storage: Storage, alive: bool):
    """One that is bound and does not listen yet refuses connections as well."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    file = control._folder(os.getuid()) / f"{control._name(storage)}-{os.getpid() if alive else ended.pid}.sock"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(str(file))
        assert ask(storage, "do") is None
        assert file.exists() == alive
    file.unlink(missing_ok=True)


def test_what_is_not_a_question_is_an_error_in_the_log(serving, storage: Storage):
    serving(lambda progress: {})
    (file,) = control._sockets(storage)
    with closing(socket.socket(socket.AF_UNIX)) as connection, capture_logs() as logged:
        connection.connect(str(file))
        connection.sendall(b"hello\n")
        connection.recv(100)
    assert [line["log_level"] for line in logged] == ["error"]


def test_an_app_that_ends_before_it_reads_is_told(serving, storage: Storage, monkeypatch):
    serving(lambda progress: {})
    monkeypatch.setattr(control._Conversation, "setup", lambda _: None)
    monkeypatch.setattr(control._Conversation, "handle", lambda _: None)
    monkeypatch.setattr(control._Conversation, "finish", lambda _: None)
    with pytest.raises(AppRefused, match="before it had answered"):
        ask(storage, "do", much="x" * 1_000_000)


def test_without_a_place_for_temporary_files_there_is_no_answer(storage: Storage, monkeypatch):
    def nowhere() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    assert ask(storage, "do") is None


def test_it_is_for_its_own_user_alone(serving, place: Path):
    serving(lambda progress: {})
    folder = place / f"task-assist-{os.getuid()}"
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("made_by", ["somebody else", "others too", "a link"])
def test_a_folder_that_is_not_this_users_alone_is_neither_used_nor_believed(
    serving, storage: Storage, place: Path, monkeypatch, made_by: str
):
    folder = place / f"task-assist-{os.getuid()}"
    serving(lambda progress: {"from": "whoever listens"})
    assert ask(storage, "do") == {"from": "whoever listens"}
    match made_by:
        case "somebody else":
            own = os.lstat(folder)
            theirs = os.stat_result((own.st_mode, 0, 0, 1, own.st_uid + 1, 0, 0, 0, 0, 0))
            monkeypatch.setattr(Path, "lstat", lambda _file: theirs)
        case "others too":
            folder.chmod(0o777)
        case "a link":
            folder.symlink_to(folder.rename(place / "elsewhere"))
    with pytest.raises(CannotStart, match="somebody else may answer there") as refused:
        ask(storage, "do")
    assert refused.value.hint.endswith(f"sudo rm -r {folder}")
    with pytest.raises(CannotStart):
        serving(lambda progress: {})


@pytest.mark.parametrize("request_line", [b"\n", b"{}\n", b"[1]\n", b'{"command": "other"}\n', b"x" * 100_000, b""])
def test_nonsense_breaks_nothing(serving, storage: Storage, place: Path, request_line: bytes):
    serving(lambda progress: {"fine": True})
    (file,) = (place / f"task-assist-{os.getuid()}").iterdir()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(file))
        connection.sendall(request_line)
        connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            assert connection.recv(10) == b""
    assert ask(storage, "do") == {"fine": True}


# --- the app's commands --------------------------------------------------------------------------------------


@pytest.fixture
def running(storage: Storage):
    from app.database import migrations

    made = instance.Instance(storage, migrations.upgrade)
    made.start()
    listening = control_commands.listen(made)
    assert listening
    yield made
    listening.close()
    made.stop()


def test_a_snapshot_of_a_database_that_no_other_process_can_open(running, storage: Storage, tmp_path: Path):
    add_items(running.database, 3)
    proof = ask(storage, "snapshot", file=str(tmp_path / "b.db"), force=False)
    assert proof and proof["rows"]["work_items"] == 3
    assert verify(tmp_path / "b.db").proven
    add_items(running.database, 1)
    with pytest.raises(AppRefused, match="exists already"):
        ask(storage, "snapshot", file=str(tmp_path / "b.db"), force=False)


def test_no_snapshot_is_made_of_a_file_that_took_the_name_of_the_apps_own(running, storage: Storage, tmp_path: Path):
    running.database.condition.report(Replaced("Somebody removed it.", "Type this."))
    told = CliRunner().invoke(main, ["snapshot", str(tmp_path / "b.db")], env={"DATABASE_PATH": str(storage.path)})
    assert (told.exit_code, told.stderr) == (1, "task-assist: Somebody removed it.\nType this.\n")
    assert not (tmp_path / "b.db").exists()


def test_a_snapshot_that_finds_the_database_damaged_tells_all(running, storage: Storage, tmp_path: Path, monkeypatch):
    def unsound(_connection, source: Path, **_: str) -> None:
        raise Broken(f"{source} is damaged: row 1 missing from index a.")

    monkeypatch.setattr(copying, "refuse_unsound", unsound)
    with pytest.raises(AppRefused, match="row 1 missing"):
        ask(storage, "snapshot", file=str(tmp_path / "b.db"), force=False)
    assert isinstance(running.problem, Damaged) and "row 1 missing" in str(running.problem)


def test_a_snapshot_that_was_interrupted_says_nothing_of_damage(running, storage: Storage, tmp_path: Path, monkeypatch):
    def interrupted(*_: object) -> None:
        raise Broken("a.db is damaged or can't be read: interrupted.")

    monkeypatch.setattr(copying, "copy_one_moment", interrupted)
    with pytest.raises(AppRefused):
        ask(storage, "snapshot", file=str(tmp_path / "b.db"), force=False)
    assert running.problem is None


def test_a_snapshot_gives_way_to_a_hand_over(running, storage: Storage, tmp_path: Path):
    add_items(running.database, 1)
    running.heartbeat.requested_by = frozenset(["other"])
    running.gate.state = "writer"
    found: list[BaseException | None] = []

    def acquire() -> None:
        try:
            found.append(ask(storage, "snapshot", file=str(tmp_path / "b.db"), force=False))  # type: ignore[arg-type]
        except AppRefused as told:
            found.append(told)

    thread = threading.Thread(target=acquire)
    thread.start()
    thread.join()
    (told,) = found
    assert isinstance(told, AppRefused) and told.code == "broken_off" and "Run it again" in told.hint
    assert not (tmp_path / "b.db").exists()


def test_what_goes_wrong_in_the_app_is_logged_and_the_command_is_told(running, storage: Storage, monkeypatch, capsys):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of the app")

    monkeypatch.setattr("app.operations.control.control_commands.examined", fail)
    with pytest.raises(AppRefused, match=r"had answered.*\n.*log says why"):
        ask(storage, "examine", full=False)
    assert "a fault of the app" in capsys.readouterr().out


def test_the_running_app_examines_its_database(running, storage: Storage):
    facts = ask(storage, "examine", full=True)
    assert facts and facts["integrity"] == "ok"
    assert facts["pragmas"]["journal_mode"] == "wal"
    assert json.dumps(facts)


def test_an_examination_gives_way_to_a_hand_over(running, storage: Storage, monkeypatch):
    monkeypatch.setattr(
        control_commands, "STEPS", 1
    )  # so small a database is examined in fewer than are looked at else
    assert ask(storage, "examine", full=True)
    with monkeypatch.context() as asked_for, pytest.raises(AppRefused, match="examination was broken off"):
        asked_for.setattr(instance.Instance, "should_yield", True)
        ask(storage, "examine", full=True)
    assert ask(storage, "examine", full=True)


def test_a_hand_over_does_not_wait_until_a_copy_is_checked(running, storage: Storage, tmp_path: Path, monkeypatch):
    inside = []
    prove = copying._prove

    def prove_and_look(*of: Any) -> Manifest:
        inside.append(running.gate.inside)
        return prove(*of)

    monkeypatch.setattr(copying, "_prove", prove_and_look)
    assert ask(storage, "snapshot", file=str(tmp_path / "b.db"), force=False)
    assert inside == [0]
