"""scripts/test uses the cores and names what it left out or skipped, and why; with --all a skip is a failure."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.conftest import Checkout

ROOT = Path(__file__).parents[2]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_runs(): pass\n"
        "@pytest.mark.skip(reason='no Docker engine here')\n"
        "def test_engine(): pass\n"
        "def test_late(): pytest.skip('no Chromium here')\n"
        "@pytest.mark.skip(reason='no `pulumi` on the PATH')\n"
        "def test_up(): pass\n"
        "@pytest.mark.xfail\n"
        "def test_known(): assert False\n"
    )
    (tmp_path / "test_module.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    return tmp_path


def run_pytest(suite: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=suite, capture_output=True, text=True, check=False)


def test_what_was_skipped_is_named_with_its_reason(suite: Path):
    done = run_pytest(suite)
    assert done.returncode == 0
    _, summary = done.stdout.split("not run on this machine")
    assert "no Docker engine here:\n  test_some.py::test_engine\n" in summary
    assert "no Chromium here:\n  test_some.py::test_late\n" in summary
    assert "could not import 'no_such_module'" in summary
    assert "\n  test_module.py\n" in summary


def test_all_fails_where_it_would_skip(suite: Path):
    done = run_pytest(suite, "--all", "--continue-on-collection-errors")
    assert done.returncode == 1
    # A mark and a module are skipped before their test begins: pytest calls that an error.
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 2 errors" in done.stdout
    assert "no Docker engine here" in done.stdout


def test_all_names_what_only_lacks_pulumi(suite: Path):
    done = run_pytest(suite, "--all", "-k", "test_up", "test_some.py")
    assert done.returncode == 0
    assert "no `pulumi` on the PATH:\n  test_some.py::test_up\n" in done.stdout


def test_nothing_skipped_is_nothing_said(suite: Path):
    assert "not run on this machine" not in run_pytest(suite, "-k", "test_runs", "test_some.py").stdout


# --- the command ------------------------------------------------------------------------------------------


@pytest.fixture
def tested(checkout: Checkout) -> Checkout:
    """A checkout whose scripts/install and scripts/check do nothing, and whose Python says how it was called."""
    for name in ("install", "check"):
        (checkout.path / "scripts" / name).write_text("#!/bin/sh\n")
    python = checkout.path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "python $*"\nexit ${FAILS:-0}\n')
    python.chmod(0o755)
    (checkout.path / "tests").mkdir()
    (checkout.path / "tests/test_one.py").touch()
    return checkout


def test_it_uses_the_cores_and_names_what_it_left_out(tested: Checkout):
    done = tested.run("scripts/test", "-q")
    assert "python -m pytest -n auto --no-loadscope-reorder -m not long -q\n" in done.stdout
    left_out = ("tests/mounts", "tests/adversary", "-m long tests/app tests/browser tests/containers", "--all")
    assert all(f"scripts/test {what}" in done.stdout for what in left_out)


def test_what_is_left_out_is_run_by_what_it_names(tested: Checkout):
    done = tested.run("scripts/test", "-m", "long", "tests/test_one.py")
    assert done.stdout == "python -m pytest -m long tests/test_one.py\n"


def test_all_leaves_nothing_out(tested: Checkout):
    done = tested.run("scripts/test", "--all", "-n", "2")
    assert done.stdout == "python -m pytest --all -n 2\n"
    assert tested.run("scripts/test", "--all").stdout == "python -m pytest -n auto --no-loadscope-reorder --all\n"


def test_one_file_is_run_as_it_is(tested: Checkout):
    done = tested.run("scripts/test", "tests/test_one.py::test_it")
    assert done.stdout == "python -m pytest tests/test_one.py::test_it\n"


@pytest.mark.parametrize("option", ["-k", "-p", "--ignore", "--deselect"])
def test_the_word_behind_an_option_is_no_folder(tested: Checkout, option: str):
    done = tested.run("scripts/test", option, "tests")
    assert f"python -m pytest -n auto --no-loadscope-reorder -m not long {option} tests\n" in done.stdout


def test_the_word_behind_an_option_is_no_number_of_processes(tested: Checkout):
    done = tested.run("scripts/test", "-k", "note")
    assert "python -m pytest -n auto --no-loadscope-reorder -m not long -k note\n" in done.stdout


@pytest.mark.parametrize("named", ["tests/app/nosuch", "test_one.py", "tests/test_two.py::test_it"])
def test_a_file_that_is_not_there_is_named_before_anything_runs(tested: Checkout, named: str):
    done = tested.run("scripts/test", named)
    assert (done.returncode, done.stdout) == (4, "")
    assert f"There is no {named.partition('::')[0]} in {tested.path}" in done.stderr


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_it_says_how_it_is_typed(tested: Checkout, option: str):
    done = tested.run("scripts/test", option)
    assert done.returncode == 0
    assert "usage: scripts/test [--all]" in done.stdout
    assert "pytest -n" not in done.stdout


def test_ctrl_c_ends_it_also_in_a_program_that_catches_it(tested: Checkout):
    (tested.path / "scripts/check").write_text("#!/bin/sh\nkill -INT $PPID\nexit 1\n")
    done = tested.run("scripts/test")
    assert (done.returncode, done.stdout) == (130, "")


def test_with_a_mark_of_its_own_nothing_else_is_left_out(tested: Checkout):
    done = tested.run("scripts/test", "-m", "browser")
    assert done.stdout == "python -m pytest -n auto --no-loadscope-reorder -m browser\n"


@pytest.mark.parametrize(("fault", "environment"), [("check", {}), ("tests", {"FAILS": "1"})])
def test_a_fault_in_either_fails_it(tested: Checkout, fault: str, environment: dict[str, str]):
    if fault == "check":
        (tested.path / "scripts/check").write_text("#!/bin/sh\nexit 1\n")
    assert tested.run("scripts/test", **environment).returncode == 1
