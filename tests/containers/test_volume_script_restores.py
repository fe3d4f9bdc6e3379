"""No wrong file and no kill leaves a volume with anything but its old database or the new one."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.backup.test_verify import WRONG
from tests.containers.conftest import Run
from tests.containers.running import WITHOUT_SIGN_IN, Container
from tests.containers.volume_script import Script

THOROUGH = bool(os.environ.get("THOROUGH"))
"""THOROUGH=1 tries every wrong file, and kills a restore before each of its requests to the engine: many minutes."""

STEPS = 5
MENDED = {"copied while the app ran"}
"""Not wrong for the script: it takes the -wal along."""


@pytest.fixture
def script(image: str, volume: str, tmp_path: Path) -> Script:
    """On a volume with the database A, and a backup of each of A and B in its folder."""
    made = Script(volume, image, tmp_path)
    made.seed(2, "B")
    made.ask("backup", "B.db")
    made.inside("sh", "-c", "rm /app/data/*")
    made.seed(3, "A")
    made.ask("backup", "A.db")
    return made


@pytest.fixture
def app(run: Run, script: Script) -> Container:
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{script.volume}:/app/data")
    container.wait_until_ready()
    return container


def test_no_wrong_file_changes_anything(script: Script):
    """Every kind that `task-assist verify` tells apart, given to the script."""
    before = script.fingerprint()
    kinds = sorted(set(WRONG) - MENDED)
    assert len(kinds) >= 30
    for kind in kinds if THOROUGH else kinds[::3]:
        spoil, exit_code, why = WRONG[kind]
        folder = script.folder / kind.replace(" ", "-")
        folder.mkdir()
        for name in ("B.db", "B.db.manifest.json"):
            shutil.copy(script.folder / name, folder)
        spoil(folder / "B.db")
        said = script.refused(4 if "No such file" in why else 5, "restore", f"{folder.name}/B.db", "--yes")
        # What is no file at all is told before the image is asked.
        assert exit_code == 1 or re.search(why, said), f"{kind}: {said}"
        assert "Nothing was changed." in said
    assert not (script.folder / "backups").exists()
    assert script.fingerprint() == before
    assert script.leftovers() == []


def _which(container: Container) -> str:
    titles = container.site.item_titles()
    whole = {"A": {"A 0", "A 1", "A 2"}, "B": {"B 0", "B 1"}}
    (found,) = (name for name, all_titles in whole.items() if titles == all_titles)
    return found


def _steps(script: Script, app: Container) -> Iterator[int]:
    done = script.killed(0, 0, "restore", "B.db")
    assert done.returncode == 0, done.stderr
    requests = int(done.stderr.splitlines()[-1].removeprefix("requests: "))
    yield from range(1, requests + 1, 1 if THOROUGH else requests // STEPS)


def test_killed_at_any_step_the_next_command_mends_it(script: Script, app: Container):
    found = []
    for step in _steps(script, app):
        before = _which(app)
        other = "B" if before == "A" else "A"
        killed = script.killed(signal.SIGKILL, step, "restore", f"{other}.db")
        assert killed.returncode == -signal.SIGKILL
        mended = script.run("inspect")
        assert mended.returncode == 0, mended.stderr
        app.wait_until_ready()
        after = _which(app)
        found.append(after == other)
        if "A restore of" in mended.stdout:
            said = f"the database of {other}.db" if after == other else "the old database, unchanged"
            assert f"A restore of {script.volume} was interrupted. It has {said}." in mended.stdout
        assert script.leftovers() == []
        listed = {file["name"] for file in script.ask("list")["files"]}
        assert not {name for name in listed if "restoring" in name}
        assert app.integrity() == "ok"
    assert {False, True} == set(found)


def test_interrupted_it_says_what_is_there_and_how_to_finish(script: Script, app: Container):
    # In the middle the container is stopped, and nothing is replaced yet.
    *_, middle, _, _ = _steps(script, app)
    before = _which(app)
    other = "B" if before == "A" else "A"
    done = script.killed(signal.SIGINT, middle, "restore", f"{other}.db")
    assert done.returncode == 130
    there = f"the database of {other}.db" if _which(app) == other else "the old database, unchanged"
    finish = f"To restore it:  python scripts/manage_db_volume.py restore {other}.db --volume {script.volume}"
    said, _requests = done.stderr.split("requests: ")
    assert said == (
        f"Interrupted.\n{script.volume}: It has {there}. Started again: {app.name}."
        + ("" if _which(app) == other else f" {finish}")
        + "\n"
    )
    assert script.leftovers() == []
