"""A backup of a store, restored on this machine and read: for an app where nobody can type a command, or beside one."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from .canary import Canary
from .stop import Failed, Stop, Unproven

ROOT = Path(__file__).parents[2]
NOT_FROM_HERE = frozenset("store_failed cannot_start forbidden invalid storage_full newer_revision".split())
"""Codes of what this machine lacks: an address, access, a key, room, a version. By any other the backup is no good."""


def restored_here(store: str, name: str, canary: Canary, identity: Path | None) -> dict[str, Any]:
    """`name`: of a backup there, or "latest". `identity`: the private key, for an encrypted one.

    Raises Unproven where it can't be had from here or is of before, Failed where it can't be restored or is another's.
    """
    command = [sys.executable, "-P", "-m", "app"]
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "task_manager.db")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_PATH": str(database), "APP_ENV": "development"}
        found = _manifest(_typed([*command, "backup", "--store", store, "list", "--json"], environment), store, name)
        key = ["--identity", str(identity.absolute())] if identity else []
        said = _typed([*command, "restore", f"{store}/{found['name']}", *key, "--json"], environment)
        _refuse_without(database, canary, found)
        return {
            "name": found["name"],
            "made_at": found["database"]["created_at"],
            "rows": sum(said["rows"].values()),
            "restored_elsewhere": True,
        }


def _manifest(listed: dict[str, Any], store: str, name: str) -> dict[str, Any]:
    """Raises Failed where it is not there."""
    there = [each for each in listed["backups"] if name in ("latest", each["name"])]
    if not there:
        raise Failed(
            "no_backup",
            f"There is no backup in {store}." if name == "latest" else f"{name}, just made, is not in {store}.",
            "Is that the app's own BACKUP_URL? What it does:  task-assist backup status",
        )
    return there[-1]


def _refuse_without(database: Path, canary: Canary, found: dict[str, Any]) -> None:
    with closing(sqlite3.connect(database)) as connection:
        item = connection.execute("SELECT title, notes FROM work_items WHERE id = ?", (canary.id,)).fetchone()
        tasks = connection.execute("SELECT id, title FROM tasks WHERE work_item_id = ?", (canary.id,)).fetchall()
    wanted = {task["id"]: task["title"] for task in canary.tasks}
    if item == (canary.title, canary.item.get("notes")) and dict(tasks) == wanted:
        return
    made = datetime.fromisoformat(found["database"]["created_at"])
    if made < datetime.fromisoformat(canary.item["created_at"]):
        raise Unproven(
            "backup_older",
            f"The newest backup is of {made:%Y-%m-%d %H:%M} UTC, before the canary. It restores, and that is all.",
            "To wait longer for one of the schedule:  --wait MINUTES\n"
            "or name where task-assist is typed:  --exec 'COMMAND'",
        )
    raise Failed(
        "wrong_backup",
        f"{found['name']} was made after the canary and does not hold it: it is another database's.",
        "Is the store that of this app? One store is for one database.",
    )


def _typed(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    printed, errors = _run(command, environment)
    try:
        said = json.loads(printed)
    except ValueError:
        raise Unproven(
            "store",
            f"The store can't be read from here: {errors.strip()[-500:]}",
            "If a library is missing: scripts/install, then .venv/bin/python scripts/verify_persistence.py ...",
        ) from None
    if "error" in said:
        raise _refused(**{name: said["error"].get(name, "") for name in ("code", "message", "hint")})
    return said


def _run(command: list[str], environment: dict[str, str]) -> tuple[str, str]:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


def _refused(code: str, message: str, hint: str) -> Stop:
    if code in NOT_FROM_HERE:
        return Unproven("store", f"The store can't be read from here: {message}", hint)
    return Failed("no_restore", f"The backup can't be restored: {message}", hint)
