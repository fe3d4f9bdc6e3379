"""The task-assist command."""

import errno
import os
import socket
import subprocess
import sys
import threading

import pytest
from click.testing import CliRunner

from app import create_app
from app.cli import main
from app.domain import accounts
from app.domain.passwords import password_fits
from app.operations.control.control_commands import listen
from tests.app.conftest import EMAIL, PASSWORD


@pytest.fixture
def run(monkeypatch, locked_settings):
    monkeypatch.setenv("DATABASE_PATH", str(locked_settings.database_path))
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def listening(locked_app, place):
    """The app answers commands, as the server lets it."""
    control = listen(locked_app.instance)
    assert control
    yield locked_app
    control.close()


def test_a_new_password_is_printed_once_and_works(run, listening, locked_app):
    result = run("reset-password", EMAIL.upper())
    assert result.exit_code == 0
    password = result.stdout.split()[-1]
    with locked_app.instance.database.read() as session:
        account = accounts.find_account(session, EMAIL)
        assert account and password_fits(account.password_hash, password)
        assert not password_fits(account.password_hash, PASSWORD)


def test_an_unknown_account_is_answered_with_those_there_are(run, listening):
    result = run("reset-password", "eve@example.com")
    assert result.exit_code == 1
    assert "There is no account eve@example.com" in result.stderr and EMAIL in result.stderr


def test_a_password_can_be_reset_while_no_app_runs(run, locked_app, locked_settings):
    locked_app.instance.stop()
    password = run("reset-password", EMAIL).stdout.split()[-1]
    again = create_app(locked_settings)
    with again.instance.database.read() as session:
        account = accounts.find_account(session, EMAIL)
        assert account and password_fits(account.password_hash, password)
    again.instance.stop()


def test_beside_an_app_that_can_not_be_asked_it_is_said_where_to_type_it(run, locked_app):
    result = run("reset-password", EMAIL)
    assert result.exit_code == 1
    assert "A running app has the database" in result.stderr and "docker exec" in result.stderr


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "no room left"), (errno.EDQUOT, "no room left"), (errno.EIO, "dmesg")]
)
@pytest.mark.parametrize("command", [("snapshot", "/tmp/a.db"), ("doctor",), ("check",)])
def test_what_the_system_refuses_is_told_in_words(run, locked_app, monkeypatch, command, number: int, words: str):
    def refuse(*_given, **_options):
        raise OSError(number, os.strerror(number), "/somewhere")

    for each in (
        "app.backup.copies.snapshot.snapshot",
        "app.operations.doctor.doctor.examine",
        "app.storage.guard.guard",
    ):
        monkeypatch.setattr(each, refuse)
    result = run(*command)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert words in result.stderr and "/somewhere" in result.stderr


def test_without_a_database_no_empty_one_is_made(run, locked_settings):
    result = run("reset-password", EMAIL)
    assert result.exit_code == 1
    assert "There is no database" in result.stderr
    assert not locked_settings.database_path.exists()


def test_check_says_where_the_database_is_and_changes_nothing(run, locked_settings):
    result = run("check")
    assert result.exit_code == 0
    assert str(locked_settings.database_path) in result.stdout
    assert list(locked_settings.database_path.parent.iterdir()) == []


def test_help_is_quick_because_it_imports_little():
    large = ("flask", "sqlalchemy", "pydantic", "structlog", "asyncio")
    loaded = f"import sys, app.cli; print(*sys.modules.keys() & {set(large)})"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).split() == []


def test_every_command_explains_itself():
    for name in main.commands:
        assert len(CliRunner().invoke(main, [name, "--help"]).stdout.splitlines()) > 3, name


def test_a_mistyped_command_is_answered_with_the_one_that_was_meant():
    for typed, meant in (("docto", "doctor"), ("backup drlil", "drill")):
        done = CliRunner().invoke(main, typed.split())
        assert (done.exit_code, f"Did you mean '{meant}'?" in done.stderr) == (2, True)


def test_only_the_command_that_is_typed_is_loaded():
    loaded = (
        "import sys; from app.cli import main; main(['serve', '--help'], standalone_mode=False); print(*sys.modules)"
    )
    names = subprocess.check_output([sys.executable, "-c", loaded], text=True).split()
    assert [name for name in names if name.startswith("app.operations.commands.")] == [
        "app.operations.commands.lazy_group",
        "app.operations.commands.app_commands",
    ]


def test_a_mistyped_option_is_answered_with_a_command_that_can_be_typed():
    done = subprocess.run([sys.executable, "-m", "app", "doctor", "--ful"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Try 'task-assist doctor --help'" in done.stderr


INTERRUPTED_AT_IMPORT = """
import os, runpy, signal, sys
class Interrupts:
    def find_spec(name, *_):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts)
sys.argv = ["task-assist", "serve"]
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where a shell began this in the background
runpy.run_module("app", run_name="__main__")
"""


def test_ctrl_c_while_python_imports_is_an_end_without_a_traceback():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT_IMPORT], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (130, "")


@pytest.mark.parametrize("command", ["serve", "healthcheck"])
@pytest.mark.parametrize("port", ["0", "-1", "65536", "http"])
def test_a_port_that_is_none_is_refused_in_words(command: str, port: str):
    done = subprocess.run(
        [sys.executable, "-m", "app", command, "--port", port], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Invalid value for '--port'" in done.stderr


def test_what_answers_on_the_port_but_is_no_web_server_is_not_the_app():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example.org\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        result = CliRunner().invoke(main, ["healthcheck", "--port", str(listening.getsockname()[1])])
        thread.join()
    assert result.exit_code == 1
    assert "nothing answers on port" in result.output
