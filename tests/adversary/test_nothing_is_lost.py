"""Two minutes of all that can happen to an app's files, disk and processes, by a seed that is printed.

An hour of it, and other seeds: the usage of tests/adversary/__main__.py.
"""

import os
import shutil
import sys

import pytest

from tests.adversary.deck import Run, play

SECONDS = 120
"""What has begun by then still comes to its end."""
SEED = 271126
"""Always the same, so that what a change breaks shows with that change. New ones are tried by hand."""

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root on Linux: it breaks a disk"),
    pytest.mark.skipif(not shutil.which("mkfs.ext4"), reason="needs mkfs.ext4"),
]


def test_nothing_acknowledged_is_lost_without_a_refusal_and_nothing_is_green_that_is_not_well(measured):
    run = play(Run(SEED), SECONDS)
    measured(
        f"{run.faults} faults ({run.kinds}), {run.acknowledged} changes acknowledged, {len(run.broken)} times broken, "
        f"seed {run.seed}"
    )
    assert run.broken == []
    assert run.acknowledged > 0
