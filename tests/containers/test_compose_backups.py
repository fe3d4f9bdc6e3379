"""Docker Compose backs the app up to a folder beside the project: off, until one line in .env switches it on."""

import os
from pathlib import Path

import pytest

from tests.containers.conftest import Project

ON = "BACKUP_URL=file:///backups\n"


@pytest.fixture
def folder(project: Project) -> Path:
    """As it is in a clone of user 1000, which is the first user of most machines."""
    made = project.folder / "backups/app"
    made.mkdir(parents=True)
    os.chown(made, 1000, 1000)
    return made


@pytest.mark.long
def test_one_line_in_env_switches_it_on(project: Project, folder: Path):
    container = project.up()
    project.site.add_item("Written before the first backup")
    assert project.site.get("/healthz").json()["backup"] is None
    assert list(folder.iterdir()) == []

    (project.folder / ".env").write_text(ON)
    container = project.up()
    # The schedule runs; what it types is typed here at once.
    assert project.site.get("/healthz").json()["backup"]["failing"] is False
    assert "Backed up to file:///backups" in project.compose("exec", "-T", "app", "task-assist", "backup").stdout
    assert {file.name.partition(".")[2] for file in folder.iterdir()} == {"db.zst", "manifest.json"}
    assert {(file.stat().st_uid, oct(file.stat().st_mode)[-3:]) for file in folder.iterdir()} == {(1000, "600")}
    assert "1 items" in project.compose("exec", "-T", "app", "task-assist", "restore", "latest", "--dry-run").stdout
    assert container.state("Running") == "true"


def test_a_folder_of_another_user_is_told_with_the_command_that_mends_it(project: Project, folder: Path):
    os.chown(folder, 1001, 1001)
    (project.folder / ".env").write_text(ON)
    project.up()
    told = project.compose("exec", "-T", "app", "sh", "-c", "task-assist backup 2>&1 || true").stdout
    assert "Can't write /backups" in told and f"sudo chown -R 1000 {folder}" in told
