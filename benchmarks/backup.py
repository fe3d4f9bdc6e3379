"""Prints what a backup and a restore cost, as multiples of `cp` and fsync of the same database in the same turns.

All is done by what the app does itself; the backup and the restore are the commands, typed, with their start. The
store is a folder, and nothing is encrypted. The database has items of 3 tasks each and the index for searches, which
is about half of it. Then the app serves it, and one connection creates items, without and with `task-assist backup
--if-due` beside it, as the app runs it itself.

Aims: copy 3.5 times, copy with sha256 and quick_check 7, the whole backup 16, restore with the copy that undoes it 12;
memory at most 150 MB; the 99th percentile of creates 25 ms above the one without a backup.
Exit codes: 0 all met, 1 one missed, 3 inconclusive: `cp` itself took more than twice as long in one turn as in another.
Needs .venv (scripts/install), and seven times the room beneath TMPDIR. Takes about eight minutes.
For docs/benchmarks.md:  .venv/bin/python -m benchmarks.backup --docs
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.report import machine, today, write_into_docs
from benchmarks.served import AS_IN_IMAGE, OURS, PYTHON, ROOT, Load, Served

MIB = 1 << 20
BYTES_PER_ITEM = 1_850
"""About what benchmarks/filled.py makes of one, with its tasks and its part of the index."""
ROOM = 7
"""Times the database, while it is made, and while one is restored."""
UNSTEADY = 2
CP = "cp and fsync"
TIMES = {CP: None, "copy": 3.5, "copy, sha256 and quick_check": 7, "whole backup": 16, "restore": 12}
"""The aims: as many times as long as `cp`."""
MEGABYTES, MILLISECONDS = 150, 25
MET, MISSED, INCONCLUSIVE = 0, 1, 3
WORDS = {MET: "met", MISSED: "**missed**", INCONCLUSIVE: "inconclusive"}
CREATE = (
    "POST /api/v1/work-items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    'Content-Length: 16\r\n\r\n{"title":"milk"}'
)
PAUSE_SECONDS = 0.005


# --- judged and told --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """One line of the table. `value` and `aim` in the same unit; a `timed` one means nothing on an unsteady machine."""

    what: str
    measured: str
    value: float
    aim: float
    unit: str
    timed: bool = True

    def verdict(self, *, steady: bool) -> int:
        if self.timed and not steady:
            return INCONCLUSIVE
        return MET if self.value <= self.aim else MISSED


def is_steady(seconds: list[float]) -> bool:
    return max(seconds) <= UNSTEADY * min(seconds)


def times_of_cp(seconds: dict[str, list[float]]) -> list[Judged]:
    """Medians as multiples of that of `cp`, for all that has an aim."""
    cp = statistics.median(seconds[CP])
    return [
        Judged(what, spread(seconds[what]), statistics.median(seconds[what]) / cp, aim, "times")
        for what, aim in TIMES.items()
        if aim
    ]


def of_memory(megabytes: list[float]) -> Judged:
    return Judged("memory, at most", f"{max(megabytes):.0f} MB", max(megabytes), MEGABYTES, "MB", timed=False)


def of_creates(idle: list[float], meanwhile: list[float]) -> Judged:
    """99th percentiles in milliseconds."""
    above = statistics.median(meanwhile) - statistics.median(idle)
    measured = f"{statistics.median(idle):.1f} ms, then {statistics.median(meanwhile):.1f}"
    return Judged("creates meanwhile, p99 above that without", measured, above, MILLISECONDS, "ms")


def exit_code(judged: list[Judged], *, steady: bool) -> int:
    found = {each.verdict(steady=steady) for each in judged}
    return MISSED if MISSED in found else INCONCLUSIVE if INCONCLUSIVE in found else MET


def spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def table(cp: list[float], judged: list[Judged]) -> list[str]:
    """Markdown."""
    steady = is_steady(cp)
    lines = [
        "| what | median (least to most) | it is | aim | |",
        "|---|---|---|---|---|",
        f"| {CP} | {spread(cp)} | | | |",
    ]
    for each in judged:
        said = WORDS[each.verdict(steady=steady)]
        lines.append(
            f"| {each.what} | {each.measured} | {each.value:.1f} {each.unit} | {each.aim:g} {each.unit} | {said} |"
        )
    if not steady:
        lines += ["", f"Inconclusive: `cp` itself took {min(cp):.2f} to {max(cp):.2f} s. Run it on a quieter machine."]
    return lines


# --- measured ---------------------------------------------------------------------------------------------


@dataclass
class Place:
    """A folder with a database and a store, and what was measured there."""

    folder: Path
    seconds: dict[str, list[float]] = field(default_factory=lambda: {what: [] for what in TIMES})
    megabytes: list[float] = field(default_factory=list)

    @property
    def database(self) -> Path:
        return self.folder / "volume/task_manager.db"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def take_time(self, what: str, doing: Callable[[], object]) -> None:
        began = time.perf_counter()
        doing()
        self.seconds[what].append(time.perf_counter() - began)

    def type(self, *words: str) -> None:
        """A command of the app, to its end, in a process of its own as in the image."""
        given = {"DATABASE_PATH": str(self.database), "BACKUP_URL": self.store.as_uri(), "PYTHONPATH": str(ROOT)}
        command = [str(PYTHON), "-c", AS_IN_IMAGE + OURS, *words]
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(command, env={**os.environ, **given}, cwd=ROOT, stdout=said, stderr=said)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            if process.returncode:
                raise SystemExit(f"task-assist {' '.join(words)} failed:\n{said.read().decode()}")
        self.megabytes.append(used.ru_maxrss * 1024 / 1e6)


def turn(place: Place) -> None:
    """Each of them once. What it made is gone before the next begins."""
    from app.backup.copies.snapshot import snapshot
    from app.storage.mounts import storage_under

    storage, made = storage_under(place.database), place.folder / "made"
    for what, doing in (
        (CP, lambda: copied_by_cp(place.database, made / "copy.db")),
        ("copy", lambda: copy_alone(storage, made / "copy.db")),
        ("copy, sha256 and quick_check", lambda: snapshot(storage, made / "copy.db", check="quick_check")),
        ("whole backup", lambda: place.type("backup")),
        ("restore", lambda: place.type("restore", "latest")),
    ):
        made.mkdir()
        place.take_time(what, doing)
        shutil.rmtree(made)
    empty(place.store)
    for kept in place.database.parent.glob("*-before-restore-*"):
        kept.unlink()


def copied_by_cp(file: Path, to: Path) -> None:
    from app.storage.files import to_disk

    subprocess.run(["cp", "--reflink=never", file, to], check=True)
    to_disk(to)


def copy_alone(storage: Any, to: Path) -> None:
    from app.backup.copies.snapshot import copy_one_moment
    from app.database.sqlite import opened, sqlite_uri
    from app.storage.files import to_disk

    with opened(sqlite_uri(storage, "rw"), storage.path) as source:
        copy_one_moment(source, to, None)
    to_disk(to)


def creates(place: Place, turns: int) -> tuple[list[float], list[float]]:
    """99th percentiles in milliseconds, without a backup and while one is made, in turns."""
    seconds, found = statistics.median(place.seconds["whole backup"]), ([], [])
    with Served(OURS, DATABASE_PATH=str(place.database)) as served:
        p99_of_creates(served, 2)  # its first requests import what they need
        for _ in range(turns):
            found[0].append(p99_of_creates(served, seconds))
            load = Load(served, CREATE, 1, seconds, PAUSE_SECONDS)
            place.type("backup", "--if-due")  # in an empty store one is due at once
            found[1].append(p99(load))
            empty(place.store)
    return found


def p99_of_creates(served: Served, seconds: float) -> float:
    return p99(Load(served, CREATE, 1, seconds, PAUSE_SECONDS))


def p99(load: Load) -> float:
    done = load.done()
    if done["refused"]:
        raise SystemExit(f"{done['refused']} of {done['requests']} creates were refused.")
    return 1000 * done["p99"]


# --- the place --------------------------------------------------------------------------------------------


@contextmanager
def filled_place(size: int) -> Iterator[Place]:
    """With a database of about that many bytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        refuse_folder(folder, size)
        place = Place(folder)
        for each in (place.store, place.database.parent):
            each.mkdir()
        made = [PYTHON, ROOT / "benchmarks/filled.py", place.database, str(size // BYTES_PER_ITEM)]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        place.database.chmod(0o600)  # else the app warns of it
        yield place


def refuse_folder(folder: Path, size: int) -> None:
    from app.storage.mounts import IN_MEMORY, storage_under

    kind, free = storage_under(folder / "a.db").mount.filesystem, shutil.disk_usage(folder).free
    if kind in IN_MEMORY:
        raise SystemExit(f"{folder} is in memory ({kind}). Name a folder on a disk:  TMPDIR=FOLDER ...")
    if free < ROOM * size:
        raise SystemExit(f"{ROOM * size:,} bytes are needed beneath {folder.parent}, {free:,} are free. Set TMPDIR.")


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def main(turns: int, mebibytes: int, docs: bool) -> int:
    for name in [name for name in os.environ if name.startswith(("BACKUP_", "NOTIFY_"))]:
        del os.environ[name]
    with filled_place(mebibytes * MIB) as place:
        size = place.database.stat().st_size
        for _ in range(turns):
            turn(place)
        idle, meanwhile = creates(place, turns)
    cp, judged = (
        place.seconds[CP],
        [*times_of_cp(place.seconds), of_memory(place.megabytes), of_creates(idle, meanwhile)],
    )
    measured = f"Measured on {today()}: a database of {size / MIB:,.0f} MiB, medians of {turns} turns; {machine()}."
    text = "\n".join([*table(cp, judged), "", measured, ""])
    if docs:
        write_into_docs("backup", text)
    print(text)
    return exit_code(judged, steady=is_steady(cp))


if __name__ == "__main__":
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.backup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("turns", nargs="?", type=int, default=5, help="of all that is measured (default 5)")
    options.add_argument("--size", type=int, default=1024, metavar="MIB", help="of the database (default 1024)")
    options.add_argument("--docs", action="store_true", help="write the table into docs/benchmarks.md")
    chosen = options.parse_args()
    sys.exit(main(chosen.turns, chosen.size, chosen.docs))
