#!/usr/bin/env python3
"""Looks after the Docker volume that holds the database: create, inspect, list, backup, restore, undo, delete."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "manage_db_volume.py needs Python 3.11 or newer. The project's own:  scripts/install, then .venv/bin/python"
    )

from volume.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
