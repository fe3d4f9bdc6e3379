"""The check tells a library's known faults, and is silent about nothing that it could not look up."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.audit import NotLookedUp, known_faults

FAULT = {"id": "PYSEC-2026-1", "fix_versions": ["3.2"]}


def pip_audit(*libraries: dict[str, Any], stderr: str = "") -> tuple[str, ...]:
    """One that says this."""
    said = json.dumps({"dependencies": libraries}) if libraries else ""
    return (sys.executable, "-c", f"import sys; print({said!r}); print({stderr!r}, file=sys.stderr)")


def test_each_fault_is_a_line_with_what_mends_it():
    flask = {"name": "flask", "version": "3.1", "vulns": [FAULT, FAULT]}
    unknown = {"name": "own", "skip_reason": "not found on PyPI"}
    assert known_faults([Path("a.txt")], pip_audit(flask, unknown)) == ["flask 3.1 has PYSEC-2026-1, mended in 3.2"]
    assert known_faults([Path("a.txt")], pip_audit({**flask, "vulns": []})) == []


@pytest.mark.parametrize(
    ("libraries", "stderr", "why"),
    [
        ([{"name": "flask", "skip_reason": "not found on PyPI"}], "", "can't be reached"),
        ([], "Traceback\nrequests.ConnectionError: no such host", "ConnectionError: no such host"),
        ([], "", "said nothing"),
    ],
)
def test_what_could_not_be_looked_up_is_no_all_clear(libraries: list[dict[str, Any]], stderr: str, why: str):
    with pytest.raises(NotLookedUp, match=why):
        known_faults([Path("a.txt")], pip_audit(*libraries, stderr=stderr))
