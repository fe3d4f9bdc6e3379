"""Backups and restores beside a running app, which on a network mount has the database for itself."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from app import create_app
from app.cli import main
from app.operations.control.control_commands import listen
from app.settings import load


@pytest.fixture(params=["shared", "exclusive"])
def client(request: pytest.FixtureRequest, tmp_path: Path, place: Path, monkeypatch):
    """Of an app that answers commands."""
    (tmp_path / "store").mkdir()
    environment = {
        "DATABASE_PATH": str(tmp_path / "task_manager.db"),
        "DATABASE_STORAGE": request.param,
        "AUTH_DISABLED": "true",
        "BACKUP_URL": (tmp_path / "store").as_uri(),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    app = create_app(load())
    control = listen(app.instance)
    assert control
    yield app.test_client()
    control.close()
    app.instance.stop()


def titles(client) -> list[str]:
    return [item["title"] for item in client.get("/api/v1/work-items").get_json()["items"]]


def type_(*words: str) -> str:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_backup_is_made_proven_and_restored_while_the_app_runs(client):
    client.post("/api/v1/work-items", json={"title": "Before"})
    assert "0 tasks in 1 items" in type_("backup")
    client.post("/api/v1/work-items", json={"title": "Since"})
    assert "can be restored" in type_("backup", "drill")
    assert "1 item made since will go" in type_("restore", "latest", "--dry-run")
    assert titles(client) == ["Since", "Before"]
    type_("restore", "latest")
    client.application.instance.gate.wait_for_handover(20)
    assert titles(client) == ["Before"]
    type_("undo")
    client.application.instance.gate.wait_for_handover(20)
    assert titles(client) == ["Since", "Before"]
