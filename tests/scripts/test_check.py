"""scripts/check asks each of the programs that read the code, and a fault that one finds is its own fault."""

import pytest

from tests.scripts.conftest import Checkout

PROGRAMS = ("ruff", "lint-imports", "basedpyright", "python")


@pytest.fixture
def checked(checkout: Checkout) -> Checkout:
    """A checkout whose programs note how they were called; the one that FAILS names finds a fault."""
    (checkout.path / "scripts/install").write_text("#!/bin/sh\n")
    programs = checkout.path / ".venv/bin"
    programs.mkdir(parents=True)
    for name in PROGRAMS:
        (programs / name).write_text(
            f'#!/bin/sh\necho "{name} $*" >>"{checkout.path}/calls"\n'
            f'[ "$FAILS" != {name} ] || {{ echo "{name} has found a fault"; exit 1; }}\n'
        )
        (programs / name).chmod(0o755)
    return checkout


def test_it_reads_the_style_the_rooms_the_types_and_the_known_vulnerabilities(checked: Checkout):
    done = checked.run("scripts/check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert checked.calls() == [
        "ruff check --quiet .",
        "lint-imports --no-cache",
        "basedpyright --level error",
        "python scripts/audit.py",
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_fault_is_shown_and_fails_it(checked: Checkout, program: str):
    done = checked.run("scripts/check", FAILS=program)
    assert done.returncode == 1
    assert f"{program} has found a fault" in done.stdout + done.stderr


def test_the_clouds_programs_are_read_where_their_libraries_are(checked: Checkout):
    for folder in ("requirements", ".venv/requirements"):
        (checked.path / folder).mkdir()
        (checked.path / folder / "infra.txt").write_text("pulumi==1\n")
    assert checked.run("scripts/check").returncode == 0
    assert "basedpyright -p infra --level error" in checked.calls()
