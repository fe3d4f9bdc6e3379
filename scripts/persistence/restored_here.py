"""The newest backup of a store, restored on this machine: for an app where nobody can type a command."""

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
from .stop import Failed, Unproven

ROOT = Path(__file__).parents[2]


def restored_here(store: str, canary: Canary) -> dict[str, Any]:
    """The newest backup of the store, restored on this machine and read. Raises Unproven where it is of before."""
    command = [sys.executable, "-P", "-m", "app"]
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "task_manager.db")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_PATH": str(database), "APP_ENV": "development"}
        said = _typed([*command, "restore", f"{store}/latest", "--json"], environment)
        listed = _typed([*command, "backup", "--store", store, "list", "--json"], environment)
        newest = listed["backups"][-1]
        return {
            "name": newest["name"],
            "made_at": newest["database"]["created_at"],
            "rows": sum(said["rows"].values()),
        } | (_canary_in(database, canary, newest))


def _canary_in(database: Path, canary: Canary, newest: dict[str, Any]) -> dict[str, Any]:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT title FROM work_items WHERE id = ?", (canary.id,)).fetchone()
        tasks = connection.execute("SELECT count(*) FROM tasks WHERE work_item_id = ?", (canary.id,)).fetchone()[0]
    if found == (canary.title,) and tasks == len(canary.tasks):
        return {"restored_elsewhere": True}
    made = datetime.fromisoformat(newest["database"]["created_at"])
    written = datetime.fromisoformat(canary.item["created_at"])
    if made < written:
        raise Unproven(
            "backup_older",
            f"The newest backup is of {made:%Y-%m-%d %H:%M} UTC, before the canary. It restores, and that is all.",
            "Try again with a backup of now, or name where task-assist is typed:  --exec 'COMMAND'",
        )
    raise Failed(
        "wrong_backup",
        f"{newest['name']} was made after the canary and does not hold it: it is another database's.",
        "Is the store that of this app? One store is for one database.",
    )


def _typed(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        said = json.loads(done.stdout)
    except ValueError:
        raise Unproven(
            "store", f"The store can't be read from here: {done.stderr.strip()[-500:]}", "scripts/install"
        ) from None
    if "error" in said:
        raise Unproven("store", f"The store can't be read from here: {said['error']['message']}", said["error"]["hint"])
    return said
