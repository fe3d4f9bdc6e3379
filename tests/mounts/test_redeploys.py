"""Redeploys under steady load, on each kind of mount: no request fails, and nothing is lost or damaged.

Each new instance starts on the other client, asks for the database and takes it over; then the old one is stopped. The
load comes through a proxy that sends requests to the newest healthy instance, as the clouds do (proxy.py).
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.mounts.guests import MOUNTS, Job, Lab
from tests.mounts.instances import EMAIL, PASSWORD, Instance, Load, held

REDEPLOYS, REDEPLOYS_IN_A_SOAK = 4, 20
THREADS, PAUSE = 2, 0.2
ASKED, RELEASED = "Asked the instance that has the database", "released it"


class Front:
    """The proxy before the instances of one mount, on the server's machine; `port` is its."""

    def __init__(self, lab: Lab, first: Instance) -> None:
        self._guest, self.port = lab.srv, first.port
        self._file = self._guest.folder / f"{self.port}.instances"
        self._route_to(first)
        proxy = "exec python3 /src/tests/mounts/proxy.py"
        self._job: Job = self._guest.begin(f"{proxy} {self.port} /host/{self._file.name} {EMAIL} {PASSWORD}")
        self._guest.run(f"python3 /src/tests/mounts/ask.py {self.port} /readyz", 120)

    def add(self, new: Instance, old: Instance) -> None:
        self._route_to(old, new)

    def leave_only(self, new: Instance) -> None:
        self._route_to(new)

    def end(self) -> None:
        self._job.kill()

    def _route_to(self, *instances: Instance) -> None:
        making = self._file.with_suffix(".making")
        making.write_text("".join(f"{each.guest.name} {each.port}\n" for each in instances))
        making.rename(self._file)


@dataclass
class Run:
    """What happened on one mount."""

    load: dict[str, Any]
    releases: list[float]
    """Seconds from each request for the database to its release."""
    exit_codes: set[int]
    lost: set[str]
    integrity: str


def run_on(lab: Lab, mount: str, redeploys: int) -> Run:
    with ExitStack() as running:
        instance = running.enter_context(Instance(lab.c1, mount, "redeployed", sign_in=True))
        instance.wait_until_ready()
        front = Front(lab, instance)
        running.callback(front.end)
        load = Load.on(lab.srv, front.port, threads=THREADS, pause=PAUSE)
        running.callback(load.job.kill)
        exit_codes, releases = set(), []
        for _ in range(redeploys):
            other = lab.c2 if instance.guest is lab.c1 else lab.c1
            old, instance = instance, running.enter_context(Instance(other, mount, "redeployed", sign_in=True))
            front.add(instance, old)
            instance.wait_until_ready()
            front.leave_only(instance)
            exit_codes.add(old.stop())
            releases.append(old.said(RELEASED) - instance.said(ASKED))
        summary = load.stop()
        exit_codes.add(instance.stop())
    database = held(instance)
    lost = {title for _, title in load.acknowledged()} - set(database["titles"])
    return Run(summary, releases, exit_codes, lost, database["integrity"])


@pytest.fixture(scope="module")
def runs(lab: Lab, soak: bool) -> Iterator[dict[str, Future[Run]]]:
    """One for each mount, two at a time: more starts at once than processors would measure the wait for those."""
    redeploys = REDEPLOYS_IN_A_SOAK if soak else REDEPLOYS
    with ThreadPoolExecutor(2) as pool:
        yield {mount: pool.submit(run_on, lab, mount, redeploys) for mount in MOUNTS}


@pytest.mark.parametrize("mount", MOUNTS)
def test_no_request_fails(runs: dict[str, Future[Run]], mount: str, measured):
    run = runs[mount].result()
    load = run.load
    measured(
        f"{mount}: {len(run.releases)} redeploys, {sum(load['statuses'].values())} requests, the longest took "
        f"{load['longest']:.2f} s; released {max(run.releases):.2f} s after it was asked at the latest"
    )
    assert load["failures"] == []
    assert set(load["statuses"]) == {"200", "201"}


@pytest.mark.parametrize("mount", MOUNTS)
def test_nothing_is_lost_or_damaged(runs: dict[str, Future[Run]], mount: str):
    run = runs[mount].result()
    assert run.load["acknowledged"] > 0
    assert (run.lost, run.load["missing"], run.integrity) == (set(), [], "ok")


@pytest.mark.parametrize("mount", MOUNTS)
def test_the_old_instances_end_well(runs: dict[str, Future[Run]], mount: str):
    assert runs[mount].result().exit_codes == {0}
