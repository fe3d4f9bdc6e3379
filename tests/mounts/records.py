"""What a database holds, from inside a guest and when no instance of the app runs, as a JSON object.

titles: of all its tasks. integrity: "ok", or SQLite's list of faults.        usage: python3 records.py DATABASE
"""

import json
import sys
from pathlib import Path

from app.database.sqlite import sqlite_driver, sqlite_uri
from app.storage.mounts import storage_under

WAIT_SECONDS = 30
"""How long a file server may keep the lock of a process that has ended."""


def read(database: Path) -> dict:
    uri = sqlite_uri(storage_under(database), "rw")
    connection = sqlite_driver().connect(uri, uri=True, timeout=WAIT_SECONDS)
    faults = [line for (line,) in connection.execute("PRAGMA integrity_check")]
    titles = [title for (title,) in connection.execute("SELECT title FROM tasks")]
    connection.close()
    return {"titles": titles, "integrity": "\n".join(faults)}


if __name__ == "__main__":
    print(json.dumps(read(Path(sys.argv[1]))))
