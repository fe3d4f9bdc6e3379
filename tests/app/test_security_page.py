"""docs/security.md names the test of each promise: there is such a test."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_each_test_that_the_page_names_is_there():
    named = NAMED.findall((ROOT / "docs/security.md").read_text())
    assert len(named) > 15
    for file, test in named:
        path = ROOT / (file if "/" in file else f"tests/app/web/{file}")
        assert f"\ndef {test}(" in path.read_text(), f"{file}::{test}"
