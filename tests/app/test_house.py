"""The rooms of app/ are as the contract in pyproject.toml says, the docs draw it, and what is in them is small."""

import ast
import statistics
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
FILES = sorted(file for file in APP.rglob("*.py") if "versions" not in file.parts)


def layers() -> list[str]:
    """Those that import-linter holds, the highest first; rooms side by side are separated by " | "."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (found,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return found


def picture() -> str:
    """The contract as a Mermaid flowchart: an arrow leads from who imports to what it may import."""
    rows = [layer.split(" | ") for layer in layers()]
    arrows = [f"  {' & '.join(above)} --> {' & '.join(below)}" for above, below in pairwise(rows)]
    return "\n".join(["```mermaid", "flowchart TD", *arrows, "```"])


def lengths() -> Iterator[int]:
    """Lines of each function, its signature and docstring included."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1


def test_the_docs_draw_the_contract():
    assert picture() in (ROOT / "docs/tour.md").read_text(), f"docs/tour.md should draw this:\n{picture()}"


def test_few_modules_stand_outside_the_rooms():
    assert len(list(APP.glob("*.py"))) <= 8


def test_no_file_is_long():
    long = {str(file): lines for file in FILES if (lines := len(file.read_text().splitlines())) > 250}
    assert long == {}


def test_functions_are_short():
    assert statistics.median(lengths()) <= 8
