#!/usr/bin/env python3
"""Proves that what Task Assist keeps outlives a kill, a rebuild, a deployment and a fire, and keeps a receipt."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "verify_persistence.py needs Python 3.11 or newer. The project's own:  scripts/install, then .venv/bin/python"
    )

from persistence.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
