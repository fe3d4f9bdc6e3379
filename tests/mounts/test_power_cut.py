"""A machine whose power is cut with the app on its own ext4: under load, in the first start, a migration and a restore.

The machine is a guest that is switched off, so what its kernel had not written is gone; its disk is then mounted here,
and the app is started on what is left.
"""

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.database import migrations
from app.database.sqlite import opened, sqlite_uri
from app.storage.mounts import storage_under
from tests.app.newer_code import newer_code, next_revision
from tests.app.processes import Serving, wait_until_ready
from tests.mounts.guests import ALONE, Guest, image
from tests.mounts.instances import AS_IN_A_CONTAINER, READY_SECONDS, Instance, Load
from tests.ports import free_port

CUTS, CUTS_IN_A_SOAK = 1, 6
THREADS = 4
WRITES = 100
"""Acknowledged before something else happens."""
WITHIN_SECONDS = 1.0
"""About as long as what is cut takes in a guest, once its first file is there."""


class Machine:
    """A guest with the app on its disk; `found()` is what is on that after the cut."""

    def __init__(self, folder: Path) -> None:
        self.guest = Guest(ALONE, folder / ALONE)
        self._folder = folder
        self.guest.boot(image(), [])
        self.guest.wait_until_up()
        self.app = Instance(self.guest, "ext4", "cut")

    def filled(self) -> Load:
        """A load on it, which goes on, once enough was acknowledged."""
        self.app.wait_until_ready()
        load = Load.on(self.guest, self.app.port, sync=True, threads=THREADS)
        wait_for(load, WRITES)
        return load

    def command(self, words: str) -> str:
        """A line for the shell of the guest that runs a command of the app."""
        return f"{AS_IN_A_CONTAINER} env DATABASE_PATH={self.app.database} python3 -m app {words}"

    def cut_power_after(self, files: str) -> None:
        """At a random moment once one of these, a pattern beside the database, is there."""
        there = f"cd {Path(self.app.database).parent} 2>/dev/null && ls -A {files} 2>/dev/null | grep -q ."
        self.guest.run(f"until {there}; do sleep 0.01; done", READY_SECONDS)
        time.sleep(random.uniform(0, WITHIN_SECONDS))
        self.guest.switch_off()

    def cut_power_under_load(self, load: Load) -> None:
        wait_for(load, random.randint(1, WRITES))
        self.guest.switch_off()

    @contextmanager
    def found(self) -> Iterator[Path]:
        """The database on its disk, which is mounted here meanwhile."""
        mounted = self._folder / "mounted"
        mounted.mkdir(exist_ok=True)
        subprocess.run(["mount", "-o", "loop", self.guest.data, mounted], check=True)
        try:
            yield mounted / Path(self.app.database).relative_to("/mnt/ext4")
        finally:
            subprocess.run(["umount", mounted], check=True)


def wait_for(load: Load, count: int) -> None:
    wanted, give_up = len(load.acknowledged()) + count, time.monotonic() + 120
    while len(load.acknowledged()) < wanted:
        assert time.monotonic() < give_up, load.job.output
        time.sleep(0.02)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "machine" in metafunc.fixturenames:
        cuts = CUTS_IN_A_SOAK if metafunc.config.getoption("--soak") else CUTS
        metafunc.parametrize("machine", range(cuts), indirect=True)


@pytest.fixture
def machine(guests_run_here: None, tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    try:
        yield made
    finally:
        made.guest.switch_off()
        made.guest.data.unlink()


def started_on(database: Path, before: str = "") -> set[str]:
    """The titles of all tasks, once the app has started by itself on what is there, and is well."""
    port = free_port()
    log = database.parents[2]
    settings = {"DATABASE_PATH": str(database), "APP_ENV": "production"}
    with Serving(log, port, before=before, **settings) as process:
        try:
            wait_until_ready(port, process)
        finally:
            process.terminate()
    with opened(sqlite_uri(storage_under(database), "rw"), database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return {title for (title,) in connection.execute("SELECT title FROM tasks")}


def titles(load: Load) -> set[str]:
    return {title for _, title in load.acknowledged()}


def test_under_load_every_acknowledged_row_is_on_the_disk(machine: Machine, measured):
    load = machine.filled()
    machine.cut_power_under_load(load)
    with machine.found() as database:
        there = started_on(database)
    measured(f"power cut under load: {len(titles(load) & there)} of {len(titles(load))} acknowledged rows are there")
    assert titles(load) - there == set()


def test_a_first_start_that_is_cut_off_goes_by_itself_the_next_time(machine: Machine, measured):
    machine.cut_power_after("task_manager.db")
    with machine.found() as database:
        database.parent.mkdir(exist_ok=True)
        measured(f"power cut in a first start: it left {sizes(database.parent)}")
        assert started_on(database) == set()


def sizes(folder: Path) -> str:
    return ", ".join(f"{file.name} {file.stat().st_size}" for file in sorted(folder.iterdir())) or "nothing"


def test_a_migration_that_is_cut_off_loses_nothing(machine: Machine, tmp_path: Path, measured):
    load = machine.filled()
    load.stop()
    assert machine.app.stop() == 0
    known = len(migrations.known_revisions())
    file = f"/src/app/database/migrations/versions/{known + 1:04}_newer.py"  # in the guest's own layer
    machine.guest.run(f"cat > {file} <<'END'\n{next_revision(known)}\nEND")
    machine.app.start()
    machine.cut_power_after("*before-upgrade*")
    with machine.found() as database:
        measured(f"power cut in a migration: it left {sizes(database.parent)}")
        assert titles(load) - started_on(database, newer_code(tmp_path / "migrations")) == set()


def test_a_restore_that_is_cut_off_leaves_the_old_database_or_the_backup(machine: Machine, measured):
    load = machine.filled()
    backup = f"{Path(machine.app.database).parent}/backup.db"
    before = titles(load)
    machine.guest.run(machine.command(f"snapshot {backup}"))
    after = titles(load)
    wait_for(load, WRITES)
    load.stop()
    assert machine.app.stop() == 0
    machine.guest.begin(machine.command(f"restore {backup}"))
    machine.cut_power_after(".task_manager.db.restoring *before-restore*")
    with machine.found() as database:
        there = started_on(database)
    went_back = bool(titles(load) - there)
    measured(f"power cut in a restore: it left the {'backup' if went_back else 'old database'}")
    if went_back:
        assert before - there == set()
        assert len(there) <= len(after) + THREADS, "neither the old database nor the backup"
