"""The benchmarks say what they measure and take, and answer an argument that is none in words; their verdicts."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import backup

ROOT = Path(__file__).parents[2]
# preview imports the SDKs first, which not every machine has
BENCHMARKS = ["backup", "floods", "growth", "mounts", "requests", "start"]


def run(name: str, argument: str, *python: str) -> subprocess.CompletedProcess[str]:
    file = ROOT / "benchmarks" / name
    program = [str(file)] if file.exists() else ["-m", f"benchmarks.{name}"]
    command = [*(python or [sys.executable]), *program, argument]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_says_what_it_measures(name: str):
    done = run(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Aims:" in done.stdout


@pytest.mark.parametrize("name", BENCHMARKS)
def test_an_argument_that_is_none_is_answered_in_words(name: str):
    done = run(name, "plenty")
    assert done.returncode == 2
    assert "'plenty'" in done.stderr and "Traceback" not in done.stderr


def test_without_the_clouds_sdks_it_says_what_to_type():
    done = run("preview", "--help", sys.executable, "-S")
    assert done.returncode == 1
    assert "scripts/install dev infra" in done.stderr and "Traceback" not in done.stderr


# --- what benchmarks/backup.py makes of its figures ---------------------------------------------------------

STEADY, UNSTEADY = [1.0, 1.5, 2.0], [1.0, 1.5, 2.1]


def judged(cp: list[float], *, restore: float = 1, memory: float = 100, p99: float = 5) -> list[backup.Judged]:
    """`restore`: times the median of `cp`; `p99`: of creates beside a backup, in milliseconds, alone it is 2."""
    seconds = dict.fromkeys(backup.TIMES, cp) | {"restore": [each * restore for each in cp]}
    return [*backup.times_of_cp(seconds), backup.of_memory([90, memory]), backup.of_creates([1, 2, 9], [p99] * 3)]


@pytest.mark.parametrize(
    ("given", "missed"),
    [
        ({"restore": 12}, None),
        ({"restore": 12.1}, "restore"),
        ({"memory": 150}, None),
        ({"memory": 151}, "memory, at most"),
        ({"p99": 27}, None),
        ({"p99": 27.1}, "creates meanwhile, p99 above that without"),
    ],
)
def test_what_falls_short_is_named_and_ends_with_1(given: dict[str, float], missed: str | None):
    found = judged(STEADY, **given)
    assert backup.exit_code(found, steady=backup.is_steady(STEADY)) == (1 if missed else 0)
    lines = [line for line in backup.table(STEADY, found) if "**missed**" in line]
    assert [line.split("|")[1].strip() for line in lines] == ([missed] if missed else [])


def test_where_cp_itself_is_unsteady_the_times_say_nothing():
    for restore in (1, 100):
        found = judged(UNSTEADY, restore=restore)
        assert backup.exit_code(found, steady=backup.is_steady(UNSTEADY)) == 3
        told = "\n".join(backup.table(UNSTEADY, found))
        assert told.count("| inconclusive |") == 5 and "Inconclusive: `cp` itself took 1.00 to 2.10 s" in told


def test_too_much_memory_is_too_much_on_any_machine():
    assert backup.exit_code(judged(UNSTEADY, memory=151), steady=False) == 1
