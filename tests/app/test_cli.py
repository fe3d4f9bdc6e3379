"""The task-assist command."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from app import accounts
from app.cli import main
from tests.app.conftest import EMAIL, PASSWORD


@pytest.fixture
def run(monkeypatch, locked_settings):
    monkeypatch.setenv("DATABASE_PATH", str(locked_settings.database_path))
    return lambda *arguments: CliRunner().invoke(main, arguments)


def test_a_new_password_is_printed_once_and_works(run, locked_app, stranger):
    result = run("reset-password", EMAIL.upper())
    assert result.exit_code == 0
    password = result.stdout.split()[-1]
    with locked_app.extensions["database"].read() as session:
        account = accounts.find_account(session, EMAIL)
        assert accounts.password_fits(account, password)
        assert not accounts.password_fits(account, PASSWORD)


def test_an_unknown_account_is_answered_with_those_there_are(run, locked_app):
    result = run("reset-password", "eve@example.com")
    assert result.exit_code == 1
    assert "There is no account eve@example.com" in result.stderr and EMAIL in result.stderr


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
    loaded = "import sys, app.cli; print('flask' in sys.modules, 'sqlalchemy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).split() == ["False", "False"]


def test_every_command_explains_itself():
    for name in main.commands:
        assert len(CliRunner().invoke(main, [name, "--help"]).stdout.splitlines()) > 3, name
