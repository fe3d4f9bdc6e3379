"""scripts/manage_db_volume.py where no engine is needed: its help, its words, and what it refuses by itself."""

import ast
import importlib.util
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest

from app.backup.copies import overwrite_rules as app_rules
from app.database.sqlite import APPLICATION_ID
from app.storage.files import SIDECARS
from app.storage.mounts import LEASE
from scripts.volume import overwrite_rules as rules
from scripts.volume.backup import refuse_target
from scripts.volume.cli import COMMANDS, main
from scripts.volume.engine import Place, command
from scripts.volume.helper import Helper
from scripts.volume.leftovers import alone_at
from scripts.volume.overwrite_rules import manifest_of
from scripts.volume.restore import readable_files
from scripts.volume.speak import Speaker, size
from scripts.volume.stop import EXIT_CODES, REFUSED, Stop
from tests.scripts.conftest import ROOT

SCRIPT = ROOT / "scripts/manage_db_volume.py"
SLOW = "docker requests urllib3 rich"


def run(*words: str, python: str = sys.executable, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(SCRIPT), *words],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_help_fits_the_terminal_and_gives_two_examples(words: list[str]):
    done = run(*words, COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    text, examples = done.stdout.split("examples:\n")
    assert max(map(len, text.splitlines())) <= 80
    assert (
        len([line for line in examples.splitlines() if line.startswith("  python scripts/manage_db_volume.py ")]) == 2
    )


def test_help_waits_for_no_library():
    script = (
        "import sys; from scripts.volume.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print(sorted(set('{SLOW}'.split()) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_help_lists_every_exit_code():
    for code, meaning in EXIT_CODES.items():
        assert f"{code:>5}  {meaning}\n" in run("--help").stdout


def test_the_documentation_lists_every_exit_code():
    page = (ROOT / "docs/DATABASE_PERSISTENCE.md").read_text()
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in page


def sentences() -> set[str]:
    """Every text in the code of app and script, with "…" for what is filled in."""
    found: set[str] = set()
    for file in [*(ROOT / "app").rglob("*.py"), *(ROOT / "scripts/volume").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(re.sub(r"{\w+}", "…", node.value))
    return found


def test_each_message_in_the_documentation_is_one_that_is_said():
    page = (ROOT / "docs/DATABASE_PERSISTENCE.md").read_text()
    (table,) = re.findall(r"\| message \| what to do \|\n(.*?)\n\n", page, re.DOTALL)
    messages = [message for row in table.splitlines()[1:] for message in re.findall("`(.*?)`", row.split(" | ")[0])]
    assert len(messages) > 30
    said = sentences()
    assert [message for message in messages if not any(message.strip("… ") in text for text in said)] == []


def test_the_rules_of_what_may_be_replaced_are_the_apps():
    assert (rules.COUNTED, rules.FAR) == (app_rules.COUNTED, app_rules.FAR)
    assert (rules.APPLICATION_ID, rules.LEASE, rules.LOGS) == (APPLICATION_ID, LEASE, SIDECARS)


def database_of(file: Path, items: int, *, schema: str = "0001", app: int = APPLICATION_ID) -> Path:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA application_id = {app}")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (schema,))
        for table in ("work_items", "tasks"):
            connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY)")
            connection.executemany(f"INSERT INTO {table} VALUES (?)", [(number,) for number in range(items)])
        connection.commit()
    return file


def proof(items: int, tasks: int) -> dict[str, Any]:
    return {"rows": {"work_items": items, "tasks": tasks}, "revision": "0001"}


def test_a_far_fuller_backup_is_not_replaced_without_a_yes(tmp_path: Path):
    """By what it holds, whatever the manifest beside it says, which may be another file's."""
    file = database_of(tmp_path / "b.db", 5)
    manifest_of(file).write_text(json.dumps({"sha256": "0", "rows": {"work_items": 0, "tasks": 0}}))
    rules.refuse_or_confirm(file, proof(2, 3), Speaker())  # half of it is not far
    with pytest.raises(Stop, match=r"holds 10 items and tasks, and the database only 4\. .* no terminal") as stopped:
        rules.refuse_or_confirm(file, proof(2, 2), Speaker())
    assert stopped.value.hint == (
        f"{file} was not replaced. Choose another name, or look first why the database holds so few. To say yes:  --yes"
    )
    rules.refuse_or_confirm(file, proof(0, 0), Speaker(yes=True))


def test_with_force_a_backup_is_replaced_and_what_holds_nothing(tmp_path: Path):
    (tmp_path / "nothing").touch()
    for name in ("nothing", "none", database_of(tmp_path / "b.db", 5).name):
        refuse_target(tmp_path / name, force=True)
        rules.refuse_or_confirm(tmp_path / name, proof(5, 5), Speaker())


def no_backups(folder: Path) -> Iterator[tuple[str, str]]:
    """Names of files that are no backups, with what is said of each."""
    (folder / "words").write_text("shopping")
    yield "words", r"it can't be read \(file is not a database\)"
    yield database_of(folder / "music.db", 1, app=7).name, "another app's database"
    (folder / "link").symlink_to("words")
    yield "link", "a link to words"
    yield database_of(folder / "hand.db", 1).name, "not whole without hand.db-wal"
    (folder / "hand.db-wal").write_bytes(b"changes")
    yield database_of(folder / "live.db", 1).name, "is the database of a Task Assist"
    (folder / "live.db.lease").mkdir()
    yield database_of(folder / "b.db", 1).name, "is not the manifest of a backup"
    (folder / "b.db.manifest.json").write_text("[]")


def test_nothing_else_is_replaced_not_even_with_a_yes(tmp_path: Path):
    for name, said in list(no_backups(tmp_path)):
        with pytest.raises(Stop, match=f"{name} was not replaced: .*{said}") as stopped:
            refuse_target(tmp_path / name, force=True)
        assert stopped.value.code == REFUSED
    with pytest.raises(Stop, match="keeps who writes"):
        refuse_target(tmp_path / "live.db.lease/lock", force=True)
    (tmp_path / "gone.db.manifest.json").write_text("{}")
    with pytest.raises(Stop, match=r"gone\.db\.manifest\.json exists already"):
        refuse_target(tmp_path / "gone.db", force=False)


def test_a_backup_of_a_newer_version_is_not_replaced_not_even_with_a_yes(tmp_path: Path):
    with pytest.raises(Stop, match=r"is of a newer Task Assist .schema 0002, the database has 0001"):
        rules.refuse_or_confirm(database_of(tmp_path / "b.db", 1, schema="0002"), proof(9, 9), Speaker(yes=True))


def test_two_backups_to_one_file_are_not_at_work_at_once(tmp_path: Path):
    file = tmp_path / "b.db"
    for _ in range(2):
        with alone_at(file), alone_at(tmp_path / "another.db"), pytest.raises(Stop, match="is being written to"):
            alone_at(file).__enter__()


@pytest.mark.parametrize("name", ["README.md", "docker-compose.yml", "scripts/run"])
def test_where_a_person_reads_of_down_he_reads_that_down_with_v_deletes_the_data(name: str):
    lines = [line for line in (ROOT / name).read_text().splitlines() if "docker compose down" in line]
    assert lines
    assert [line for line in lines if not re.search("down -v .*delete", line, re.IGNORECASE)] == []


@pytest.fixture
def bare_python(tmp_path: Path) -> list[str]:
    """A copy of the scripts, and a Python without any library."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    return [sys.executable, "-S", str(tmp_path / "scripts/manage_db_volume.py"), "inspect"]


def test_without_the_docker_sdk_it_says_what_installs_it(bare_python: list[str]):
    done = subprocess.run(bare_python, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == (
        "The Docker SDK for Python is not installed here.\n"
        "Install it into .venv, where this script finds it:  scripts/install\n"
    )


def test_without_the_docker_sdk_it_goes_on_with_the_projects_own_python(bare_python: list[str], tmp_path: Path):
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").write_text('#!/bin/sh\necho "instead: $*"\n')
    (tmp_path / ".venv/bin/python").chmod(0o755)
    done = subprocess.run(bare_python, capture_output=True, text=True, check=False)
    assert done.stdout == f"instead: {tmp_path}/scripts/manage_db_volume.py inspect\n"


def test_without_an_engine_it_says_how_to_start_one(tmp_path: Path):
    done = run("inspect", DOCKER_HOST=f"unix://{tmp_path}/docker.sock")
    assert done.returncode == 3
    assert done.stderr.startswith(f"No Docker engine answers at unix://{tmp_path}/docker.sock.\n")
    assert "sudo systemctl start docker" in done.stderr


def test_an_engine_that_cant_be_asked_says_why():
    done = run("inspect", DOCKER_HOST="nonsense")
    assert done.returncode == 3
    assert done.stderr.startswith("No Docker engine answers (Invalid bind address format: port is required: nonsense")


def test_an_engine_over_ssh_is_reached_through_a_tunnel():
    done = run("backup", DOCKER_HOST="ssh://you@server")
    assert done.returncode == 3
    assert done.stderr.startswith("DOCKER_HOST=ssh://you@server is not an address that this script can use.\n")
    assert "ssh -N -L /tmp/docker.sock:/var/run/docker.sock ssh://you@server" in done.stderr


@pytest.mark.root
def test_a_socket_that_may_not_be_used_says_who_may(tmp_path: Path, capfd, monkeypatch):
    door = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(door))
        made.listen()
        door.chmod(0o600)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{door}")
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            os._exit(main(["inspect"]))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert capfd.readouterr().err.startswith("This user may not use the Docker engine's socket.\nLet it:  sudo usermod")


@pytest.mark.root
def test_a_file_that_may_not_be_read_is_told_as_such(tmp_path: Path):
    file = tmp_path / "b.db"
    file.touch(mode=0o600)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            readable_files(file)
        except Stop as stop:
            os._exit(0 if (stop.message, stop.code) == (f"Can't read {file}: Permission denied.", 5) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_log_without_its_database_is_told_as_such(tmp_path: Path):
    (tmp_path / "b.db-wal").touch()
    with pytest.raises(Stop, match=r"There is no file .*b\.db\. Only its -wal is there"):
        readable_files(tmp_path / "b.db")


def test_a_backup_takes_the_place_of_no_device_pipe_or_link(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("gone.db")
    (tmp_path / "loop").symlink_to("loop")
    for path in (Path("/dev/null"), tmp_path / "pipe"):
        with pytest.raises(Stop, match="is a pipe, socket or device, not a file"):
            refuse_target(path, force=True)
    for name in ("link", "loop"):
        with pytest.raises(Stop, match="exists already"):
            refuse_target(tmp_path / name, force=False)


def test_an_error_is_json_too():
    done = run("inspect", "--json", DOCKER_HOST="unix:///nowhere/docker.sock")
    error = json.loads(done.stdout)["error"]
    assert (error["exit_code"], done.stderr) == (3, "")
    assert error["message"].startswith("No Docker engine answers")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["inspect", "--file", "../etc/passwd"], "--file ../etc/passwd is not the name of a file in the volume."),
        (["inspect", "--file", "/etc/passwd"], "--file /etc/passwd is not the name of a file in the volume."),
        (["inspect", "--volume", "/srv/data"], "--volume /srv/data is not the name of a volume."),
        (["inspect", "--volume", ""], "--volume  is not the name of a volume."),
        (["create", "--volume", "tâches"], "--volume tâches is not the name of a volume."),
        (["create", "--volume", "x" * 201], f"--volume {'x' * 201} is not the name of a volume."),
    ],
)
def test_names_that_are_paths_are_refused(words: list[str], said: str):
    done = run(*words)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, said)


def test_a_fault_of_the_script_is_one_sentence_and_no_traceback(monkeypatch, capsys):
    monkeypatch.setattr("scripts.volume.cli.connect", lambda: 1 / 0)
    assert main(["inspect"]) == 1
    assert capsys.readouterr().err.startswith("This is a fault of the script: ZeroDivisionError: division by zero\n")


class Terminal:
    """A person who types `answer`."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self._answer


@pytest.mark.parametrize("answer", ["\n", "n\n", "", "yess\n", "no\n"])
def test_whatever_is_not_a_yes_is_a_no(answer: str, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    with pytest.raises(Stop, match="Not confirmed"):
        Speaker().confirm("Go on?", "Nothing was changed.")


def test_a_yes_goes_on(monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal("Yes\n"))
    Speaker().confirm("Go on?", "Nothing was changed.")


def test_a_volume_goes_by_its_name_alone(monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal("mine\n"))
    Speaker().confirm_by_name("Delete?", "mine", "Nothing was deleted.")
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    with pytest.raises(Stop, match="Not confirmed"):
        Speaker().confirm_by_name("Delete?", "mine", "Nothing was deleted.")


def test_a_table_aligns_and_fits(capsys):
    Speaker().table([("A", "B"), ("long name", "x" * 100), ("s", "y")])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:11] for line in lines] == ["A          ", "long name  ", "s          "] or lines[0] == "A          B"
    assert {line.index(mark) for line, mark in zip(lines, "Bxy", strict=True)} == {11}
    assert len(lines[1]) == 80


def test_a_name_too_long_for_its_column_has_a_line_of_its_own(capsys):
    Speaker().table([("VOLUME", "HOLDS"), ("v" * 70, "1 task in 1 item"), ("short", "nothing")])
    assert capsys.readouterr().out.splitlines() == [
        f"{'VOLUME':62}  HOLDS",
        "v" * 70,
        f"{'':62}  1 task in 1 item",
        f"{'short':62}  nothing",
    ]


def test_wide_and_combining_characters_align(capsys):
    Speaker().table([("FILE", "SIZE"), ("データ.db", "1"), ("e\u0301.db", "2")])
    assert capsys.readouterr().out.splitlines() == ["FILE       SIZE", "データ.db  1", "e\u0301.db       2"]


def test_a_name_can_neither_move_the_cursor_nor_stop_the_output(capsys):
    Speaker().table([("a\x1b[2Jb", "x"), ("no\udcffutf8", "y"), ("two\nlines", "z")])
    assert capsys.readouterr().out.splitlines() == [
        "a\\x1b[2Jb     x",
        "no\\udcffutf8  y",
        "two\\nlines    z",
    ]


SAY = """
import sys
from scripts.volume.cli import main
from scripts.volume import cli, create
from types import SimpleNamespace
cli.connect = lambda: SimpleNamespace(close=lambda: None)
def run(place, options, speaker):
    for number in range(3):
        speaker.say(f"line {number}")
    sys.stderr.write("done\\n")
    return {"lines": 3}
create.run = run
sys.exit(main(["create", *sys.argv[1:]]))
"""


def say(redirected: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command that says three lines, in a shell that redirects it."""
    line = f'"{sys.executable}" -c "$SAY" {" ".join(words)} {redirected}'
    environment = os.environ | {"SAY": SAY, "PYTHONPATH": str(ROOT)}
    return subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [[], ["--json"]], ids=" ".join)
def test_a_command_goes_on_when_nobody_reads_any_more(words: list[str]):
    done = say("| true; echo ${PIPESTATUS[0]}", *words)
    assert (done.stdout, done.stderr) == ("0\n", "done\n")


@pytest.mark.parametrize("redirected", [">&-", "<&-", ">&- <&-"])
def test_a_closed_stdin_or_stdout_is_no_fault(redirected: str):
    done = say(redirected)
    assert (done.returncode, done.stderr) == (0, "done\n")


def test_a_full_disk_under_stdout_is_told():
    done = say(">/dev/full")
    assert done.returncode == 8
    assert done.stderr.startswith("There is no room left for what is printed.\n")
    done = say(">/dev/full", "--json")
    assert (done.returncode, done.stderr) == (8, "done\n")


def test_commands_to_paste_are_quoted():
    place = Place(None, "mine", "task_manager.db", "task-assist")
    assert command("restore", Path("my backups/b.db"), place=place) == (
        "python scripts/manage_db_volume.py restore 'my backups/b.db' --volume mine"
    )


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (1_234_567, "1.2 MB"), (5e12, "5.0 TB")]
)
def test_sizes_are_as_people_say_them(count: int, said: str):
    assert size(count) == said


class Container:
    """One whose first starts fail, each for the next of these reasons."""

    def __init__(self, *reasons: str) -> None:
        self._reasons = list(reasons)

    def attach(self, **_options: bool) -> list[tuple[bytes, None]]:
        return [(b'{"sha256": "9f2c"}', None)]

    def start(self) -> None:
        if self._reasons:
            raise docker.errors.APIError("500", explanation=self._reasons.pop(0))

    def wait(self) -> dict[str, int]:
        return {"StatusCode": 0}


def test_a_container_that_was_lost_before_it_began_is_started_once_more():
    lost = "runc create failed: waiting for init preliminary setup: read init-p: connection reset by peer: unknown"

    def run_with(*reasons: str) -> dict[str, str]:
        place = Place(None, "v", "task_manager.db", "task-assist")
        return Helper(Container(*reasons), place).run(lambda *_: None)

    assert run_with(lost) == {"sha256": "9f2c"}
    for reasons in ([lost, lost], ["no such device"]):
        with pytest.raises(docker.errors.APIError):
            run_with(*reasons)


def test_without_rich_there_is_no_bar_and_no_crash(monkeypatch):
    """As where somebody has installed the Docker SDK alone."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rich" else find(name))
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True))
    with Speaker().progress() as advance:
        advance("Copying", 1, 2)
