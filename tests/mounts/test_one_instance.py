"""One instance of the app on each kind of mount, side by side: it serves, and is killed again and again under load."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.mounts.guests import MOUNTS, Lab
from tests.mounts.instances import Instance, Load, held

KILLS, KILLS_IN_A_SOAK = 3, 30
MIXED_SECONDS, MIXED_SECONDS_IN_A_SOAK = 15, 60
THREADS = 8
PAUSE_UNDER_KILLS = 0.3
"""Seconds between two requests of a thread: the other mounts' loads must leave a start its share of the processor."""


@dataclass
class Run:
    """What happened on one mount."""

    health: dict
    mixed: dict
    under_kills: dict
    kills_under_load: int
    database: dict
    lost: int


def run_on(lab: Lab, mount: str, kills: int, seconds: float) -> Run:
    """Mixed load for `seconds`, then `kills` times kill -9 and a new start under load, then a clean end."""
    client = lab.c1 if MOUNTS.index(mount) % 2 else lab.c2
    with Instance(client, mount, "one") as instance:
        health = instance.wait_until_ready()
        mixed = Load.on(client, instance.port, seconds, threads=THREADS)
        summary = mixed.summary(seconds + 120)
        load = Load.on(client, instance.port, threads=THREADS, pause=PAUSE_UNDER_KILLS)
        under_load = 0
        for _ in range(kills):
            under_load += kill_under_load(instance, load)
            instance.wait_until_ready()
        under_kills = load.stop()
        instance.stop()
    database = held(instance)
    acknowledged = {title for _, title in mixed.acknowledged() + load.acknowledged()}
    return Run(health, summary, under_kills, under_load, database, len(acknowledged - set(database["titles"])))


def kill_under_load(instance: Instance, load: Load) -> bool:
    """Kills it at a random moment and starts it again. True if writes were acknowledged until then."""
    before = len(load.acknowledged())
    give_up = time.monotonic() + 60
    while len(load.acknowledged()) < before + THREADS and time.monotonic() < give_up:
        time.sleep(0.1)
    time.sleep(random.random())
    instance.job.kill()
    instance.start()
    return len(load.acknowledged()) >= before + THREADS


@pytest.fixture(scope="module")
def runs(lab: Lab, soak: bool) -> Iterator[dict[str, Future[Run]]]:
    """One for each mount, at the same time."""
    kills = KILLS_IN_A_SOAK if soak else KILLS
    seconds = MIXED_SECONDS_IN_A_SOAK if soak else MIXED_SECONDS
    with ThreadPoolExecutor(len(MOUNTS)) as pool:
        yield {mount: pool.submit(run_on, lab, mount, kills, seconds) for mount in MOUNTS}


@pytest.mark.parametrize("mount", MOUNTS)
def test_the_app_takes_a_network_mount_for_itself(runs: dict[str, Future[Run]], mount: str):
    database = runs[mount].result().health["database"]
    assert (database["mount"], database["profile"], database["persistent"]) == (f"/mnt/{mount}", "exclusive", True)


@pytest.mark.parametrize("mount", MOUNTS)
def test_eight_threads_of_mixed_load_see_no_lock_and_no_failure(runs: dict[str, Future[Run]], mount: str):
    mixed = runs[mount].result().mixed
    assert mixed["failures"] == []
    assert set(mixed["statuses"]) == {"200", "201"}
    assert mixed["missing"] == []


@pytest.mark.parametrize("mount", MOUNTS)
def test_every_acknowledged_write_outlives_a_kill(runs: dict[str, Future[Run]], mount: str, soak: bool, measured):
    run = runs[mount].result()
    written = run.mixed["acknowledged"] + run.under_kills["acknowledged"]
    measured(f"{mount}: {run.kills_under_load} times kill -9 under load, {run.lost} of {written} writes lost")
    assert run.kills_under_load == (KILLS_IN_A_SOAK if soak else KILLS)
    assert run.under_kills["acknowledged"] > 0
    assert (run.lost, run.under_kills["missing"]) == (0, [])
    assert run.database["integrity"] == "ok"
