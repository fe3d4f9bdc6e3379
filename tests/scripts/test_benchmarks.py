"""The benchmarks say what they measure and take, and answer an argument that is none in words."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# preview imports the SDKs first, which not every machine has
BENCHMARKS = ["floods", "growth", "mounts", "requests", "start"]


def run(name: str, argument: str, *python: str) -> subprocess.CompletedProcess[str]:
    command = [*(python or [sys.executable]), str(ROOT / "benchmarks" / name), argument]
    return subprocess.run(command, capture_output=True, text=True, check=False)


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
