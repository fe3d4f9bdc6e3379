"""scripts/manage_db_volume.py where no engine is needed: its help, its words, and what it refuses by itself."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.volume.cli import COMMANDS, main
from scripts.volume.restore import readable_files
from scripts.volume.speak import Speaker, size
from scripts.volume.stop import EXIT_CODES, Stop
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
    assert done.stderr.startswith("No Docker engine answers (")
    assert "sudo systemctl start docker" in done.stderr


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


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (1_234_567, "1.2 MB"), (5e12, "5.0 TB")]
)
def test_sizes_are_as_people_say_them(count: int, said: str):
    assert size(count) == said
