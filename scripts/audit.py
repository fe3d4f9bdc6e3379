#!/usr/bin/env python3
"""Has a library that requirements/*.txt pin a known vulnerability? Asks PyPI's index of them, by pip-audit.

Where that can't be reached it says so, in one line, and lets the check pass.
usage: .venv/bin/python scripts/audit.py
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FIRST = ROOT / "requirements/app.txt"
PIP_AUDIT = (str(Path(sys.executable).with_name("pip-audit")),)
SECONDS = 600
HOW = "--disable-pip --require-hashes --progress-spinner off --timeout 10 --format json".split()


class NotLookedUp(Exception):
    """Why nothing was found out."""


def known_faults(files: list[Path], pip_audit: tuple[str, ...] = PIP_AUDIT) -> list[str]:
    """A line for each library of the files that has one. Raises NotLookedUp."""
    wanted = [option for file in files for option in ("--requirement", str(file))]
    command = [*pip_audit, *HOW, *wanted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603 our own files
    try:
        libraries = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise NotLookedUp((done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]) from None
    known = [each for each in libraries if "skip_reason" not in each]
    if not known:
        raise NotLookedUp("the index of them, PyPI's, can't be reached from here")
    return sorted({_line(each, fault) for each in known for fault in each["vulns"]})


def _line(library: dict[str, Any], fault: dict[str, Any]) -> str:
    mended = f", mended in {', '.join(fault['fix_versions'])}" if fault["fix_versions"] else ""
    return f"{library['name']} {library['version']} has {fault['id']}{mended}"


def main() -> int:
    try:
        known_faults([FIRST])  # the quickest: all are many requests, which may each take until their timeout
        faults = known_faults(sorted(FIRST.parent.glob("*.txt")))
    except FileNotFoundError:
        print(f"{PIP_AUDIT[0]} is missing.  To install it:  scripts/install dev", file=sys.stderr)
        return 1
    except (NotLookedUp, subprocess.TimeoutExpired) as why:
        print(f"Known vulnerabilities were not looked up: {why}.", file=sys.stderr)
        return 0
    for line in faults:
        print(f"{line}.  To take it:  scripts/lock --upgrade", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
