"""The rooms of app/ are as the contract in pyproject.toml says, the docs draw it, and what is in them is small."""

import ast
import re
import statistics
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
FILES = sorted(APP.rglob("*.py"))


def layers(container: str) -> list[str]:
    """Those that import-linter holds in it, the highest first; rooms side by side are separated by " | "."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (found,) = [contract["layers"] for contract in contracts if contract.get("containers") == [container]]
    return found


def picture(container: str) -> str:
    """The contract as a Mermaid flowchart: an arrow leads from who imports to what it may import."""
    rows = [layer.split(" | ") for layer in layers(container)]
    arrows = [f"  {' & '.join(above)} --> {' & '.join(below)}" for above, below in pairwise(rows)]
    return "\n".join(["```mermaid", "flowchart TD", *arrows, "```"])


def lengths() -> Iterator[tuple[str, int]]:
    """Each function and its lines, its signature and docstring included. A version of the schema is never changed."""
    for file in FILES:
        if file.parent == APP / "database/migrations/versions":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{file}: {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("container", ["app", "app.backup", "app.operations"])
def test_the_docs_draw_the_contract(container: str):
    drawn = picture(container)
    assert drawn in (ROOT / "docs/tour.md").read_text(), f"docs/tour.md should draw this:\n{drawn}"


def imported(file: Path) -> Iterator[str]:
    """What a file imports, whole names, also inside its functions; of relative imports nothing."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def imported_by_a_call(file: Path) -> Iterator[str]:
    """What import_module() and __import__() are called with, as it is written."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            yield ast.unparse(node.args[0])


@pytest.mark.parametrize(
    ("of", "never"),
    [
        ("app", {"scripts", "infra", "tests", "benchmarks"}),
        ("scripts", {"app", "infra", "tests", "benchmarks"}),
        ("infra", {"app", "scripts", "tests", "benchmarks"}),
    ],
)
def test_the_app_its_scripts_and_the_clouds_programs_do_not_know_each_other(of: str, never: set[str]):
    files = sorted((ROOT / of).rglob("*.py"))
    known = {str(file): names for file in files if (names := {name.split(".")[0] for name in imported(file)} & never)}
    assert files
    assert known == {}


def test_no_import_is_hidden_from_the_contract():
    """Of these import-linter sees nothing."""
    hidden = {str(file): names for file in FILES if (names := [*imported_by_a_call(file)])}
    known = {
        "database/sqlite.py": ["'pysqlite3'", "'sqlite3'"],
        "backup/transfer/encryption.py": ["'pyrage'"],
        "operations/commands/lazy_group.py": ["f'app.operations.commands.{module}'"],  # its own room
    }
    assert hidden == {str(APP / file): names for file, names in known.items()}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert [contract for contract in contracts if "ignore_imports" in contract] == []


def test_each_folder_of_code_is_a_package():
    """Else import-linter does not read it. The schema's versions are loaded by their place, and keep to the room."""
    loose = [file for file in FILES if not (file.parent / "__init__.py").exists()]
    assert {file.parent for file in loose} == {APP / "database/migrations/versions"}
    ours = {name for file in loose for name in imported(file) if name.partition(".")[0] == "app"}
    assert {name for name in ours if not name.startswith("app.database")} == set()


def test_few_modules_stand_outside_the_rooms():
    assert len(list(APP.glob("*.py"))) <= 8


def test_no_file_is_long():
    long = {str(file): lines for file in FILES if (lines := len(file.read_text().splitlines())) > 250}
    assert long == {}


def test_functions_are_short():
    assert statistics.median(lines for _, lines in lengths()) <= 8
    assert {name: lines for name, lines in lengths() if lines > 40} == {}


def test_the_tour_leads_through_files_and_functions_that_are_there():
    """What is named in code's letters beside a link to app/ is in one of the files that its step links to."""
    for step in re.split(r"\n(?=\d\. |\n|#)", (ROOT / "docs/tour.md").read_text()):
        links = {(ROOT / "docs" / link).resolve() for link in re.findall(r"\]\(([^):#]+)", step)}
        assert [str(link) for link in links if not link.exists()] == []
        code = "".join(link.read_text() for link in links if APP in link.parents)
        named = re.findall(r"`([a-z]+_[a-z_]+)(?:\(\))?`", step)
        assert [name for name in named if not re.search(rf"\b{name}\b", code)] == [], step
