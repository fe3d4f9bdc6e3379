"""requirements/*.txt are what scripts/lock makes of pyproject.toml: all of it, pinned, one version of each."""

import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FILES = sorted((ROOT / "requirements").glob("*.txt"))
EXTRAS = {"app": [], "dev": ["scripts", "dev"]}


def declared(file: Path) -> list[Requirement]:
    """What pyproject.toml asks for in `file`: the app's dependencies, and the extra of the file's name."""
    lines = list(PROJECT["dependencies"])
    for extra in EXTRAS.get(file.stem, [file.stem]):
        lines += PROJECT["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def pins(file: Path) -> dict[str, set[str]]:
    """Name → versions; several where the version depends on the platform."""
    versions: dict[str, set[str]] = defaultdict(set)
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", file.read_text(), re.MULTILINE):
        versions[canonicalize_name(name)].add(version)
    return versions


def asked_for(file: Path) -> set[str]:
    """The names that scripts/lock took from pyproject.toml, by the notes it leaves."""
    entries = re.split(r"^(?=[A-Za-z0-9])", file.read_text(), flags=re.MULTILINE)
    return {canonicalize_name(entry.split("==")[0]) for entry in entries if "task-assist (pyproject.toml)" in entry}


@pytest.fixture(params=FILES, ids=[file.stem for file in FILES])
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_every_declared_requirement_is_met_by_a_pin(file: Path):
    pinned = pins(file)
    behind = [
        str(requirement)
        for requirement in declared(file)
        if not pinned.get(canonicalize_name(requirement.name))
        or not all(requirement.specifier.contains(version) for version in pinned[canonicalize_name(requirement.name)])
    ]
    assert not behind, f"{file.name} is behind pyproject.toml; to compile it anew: scripts/lock"


def test_nothing_is_pinned_that_is_no_longer_declared(file: Path):
    left_over = asked_for(file) - {canonicalize_name(requirement.name) for requirement in declared(file)}
    assert not left_over, f"{file.name} is behind pyproject.toml; to compile it anew: scripts/lock"


def test_every_pin_has_hashes_and_no_line_names_a_place(file: Path):
    text = file.read_text()
    for entry in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in text
    assert not re.search(r"^\s*-(-index-url|-extra-index-url|-find-links|f|i)\b", text, re.MULTILINE)


def test_files_that_are_installed_together_agree():
    versions: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for file in FILES:
        for name, pinned in pins(file).items():
            versions[name][file.stem] = pinned
    differing = {name: by_file for name, by_file in versions.items() if len(set(map(frozenset, by_file.values()))) > 1}
    assert not differing
