"""No wrong file and no kill leaves a volume with anything but its old database or the new one."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from scripts.volume.engine import Place, command
from tests.app.backup.test_verify import WRONG
from tests.containers.conftest import Run
from tests.containers.running import WITHOUT_SIGN_IN, Container, docker
from tests.containers.volume_script import Script

THOROUGH = bool(os.environ.get("THOROUGH"))
"""THOROUGH=1 tries every wrong file, and kills a restore before each of its requests to the engine: many minutes."""

MENDED = {"copied while the app ran"}
"""Not wrong for the script: it takes the -wal along."""
STEPS = [
    ("/stop", 1),  # of the app; all that comes before only looks
    ("/start", 3),  # of the helper that replaces the file, after those that verify and look
    ("/wait", 3),  # for it: it is at work
    ("/start", 5),  # of the app, after the helper that says which database is there
    ("/volumes/task-assist-restore-of-", 1),  # the app runs again; only two notes are left
    ("/volumes/task-assist-outcome-of-", 1),  # only the second one
]
"""Names of requests to the engine."""
ITEMS = {"A": 3, "B": 2}
DATABASE = "task_manager.db"


@pytest.fixture
def script(image: str, volume: str, tmp_path: Path) -> Script:
    """On a volume with the database A, and a backup of each of A and B in its folder."""
    made = Script(volume, image, tmp_path)
    for title, items in ITEMS.items():
        made.has_backup(f"{title}.db", items, title)
    made.seed(ITEMS["A"], "A")
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


def _which(app: Container) -> str:
    titles = app.site.item_titles()
    (found,) = (name for name, items in ITEMS.items() if titles == {f"{name} {number}" for number in range(items)})
    return found


def _steps() -> Iterator[tuple[str, int]]:
    if not THOROUGH:
        yield from STEPS
        return
    for number in count(1):
        yield "", number


@pytest.mark.long
def test_killed_at_any_step_the_next_command_mends_it(script: Script, app: Container):
    found = []
    for step in _steps():
        before = _which(app)
        other = "B" if before == "A" else "A"
        killed = script.stopped_by(signal.SIGKILL, step, "restore", f"{other}.db", "--yes")
        if THOROUGH and killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
        mended = script.run("inspect")
        assert mended.returncode == 0, mended.stderr
        app.wait_until_ready()
        after = _which(app)
        found.append(after == other)
        tells = "A restore of" in mended.stdout
        assert THOROUGH or tells == (step != STEPS[-1])
        if tells:
            said = f"the database of {other}.db" if after == other else "the old database, unchanged"
            assert f"A restore of {script.volume} was interrupted. It has {said}." in mended.stdout, step
        assert script.leftovers() == []
        assert not [name for name in script.files() if "restoring" in name]
        assert app.integrity() == "ok"
    assert (found[0], found[-1]) == (False, True)


def test_killed_and_started_by_hand_it_claims_no_more_than_it_knows(script: Script, app: Container):
    """The app has changed the file since, so it can't be told from its bytes which one it is."""
    script.stopped_by(signal.SIGKILL, ("/wait", 4), "restore", "B.db", "--yes")
    docker("start", app.name)
    app.wait_until_ready()
    assert _which(app) == "B"
    said = script.run("inspect").stdout
    assert "It has the database of B.db or the old one; a container was started before this could tell." in said
    assert script.leftovers() == []


def test_interrupted_it_says_what_is_there_and_how_to_finish(script: Script, app: Container):
    done = script.stopped_by(signal.SIGINT, ("/start", 3), "restore", "B.db", "--yes")
    assert done.returncode == 130
    assert done.stderr == (
        f"Interrupted.\n{script.volume}: It has the old database, unchanged. Started again: {app.name}. "
        f"To restore it:  {command('restore', 'B.db', place=Place(None, script.volume, DATABASE, script.image))}\n"
    )
    assert _which(app) == "A"
    assert script.leftovers() == []


def test_interrupted_after_the_file_was_replaced_it_says_so_too(script: Script, app: Container):
    done = script.stopped_by(signal.SIGINT, ("/wait", 3), "restore", "B.db", "--yes")
    assert done.returncode == 130
    there = "the old database, unchanged" if _which(app) == "A" else "the database of B.db"
    assert done.stderr.startswith(f"Interrupted.\n{script.volume}: It has {there}. Started again: {app.name}.")
    assert script.leftovers() == []
