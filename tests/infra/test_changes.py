"""Whatever a person changes, and wherever an `up` is cut off, what holds data is never made anew.

On the real engine, with stand-in providers that make anew what the clouds' own references say (replacements.py).
"""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from rules.data import HOLDERS, STORES
from tests.infra.engine import Engine
from tests.infra.plans import CONFIGS, READY
from tests.infra.replacements import REPLACES
from tests.infra.standins import Event, StandIns

pytestmark = pytest.mark.skipif(shutil.which("pulumi") is None, reason="no `pulumi` on the PATH")

DATA = {*STORES, *HOLDERS}
NAMES = ("azure-smb", "aws-efs", "gcp-disk", "gcp-filestore", "docker-volume")
# The last thing that an `up` makes: with it refused or cut off, all that holds data is there already.
SERVICE = {
    "azure": "azure-native:web:WebApp",
    "aws": "aws:ecs/service:Service",
    "gcp": "gcp:compute/instance:Instance",
    "docker": "docker:index/container:Container",
}
EMAIL = "you@example.org"
# Azure says with the share's own entry in its vault whether snapshots of it are made; those that there are stay.
STOPPED_AND_RESUMED = "azure-native:recoveryservices:ProtectedItem"


def service(name: str) -> str:
    return "gcp:cloudrunv2/service:Service" if name == "gcp-filestore" else SERVICE[CONFIGS[name]["cloud"]]


def changes(name: str) -> Iterator[tuple[str, str]]:
    """Key and value of each change in turn; an empty value is the default again."""
    cloud = CONFIGS[name]["cloud"]
    ready = READY[cloud]
    yield from (
        ("image", ready),
        ("image", ready.replace("ab" * 32, "cd" * 32).replace("1.2.3", "1.2.4")),
        ("image", ""),
    )
    yield from (("domain", "tasks.example.org"), ("domain", ""))
    yield from (("backupSchedule", "off"), ("backupSchedule", ""))
    if cloud == "docker":
        yield from (("port", "8001"), ("port", ""))
        yield from (("backupStore", "s3://a-bucket"), ("backupStore", ""))
    else:
        yield from (("alertEmail", EMAIL), ("alertEmail", ""))
    if cloud == "azure":
        yield from (("storageKeyIndex", "2"), ("storageKeyIndex", ""))
    if name == "gcp-disk":
        # It makes and takes a way out of the network that the data's disk depends on.
        yield from (("notifyUrl", "https://hooks.example.org/a"), ("notifyUrl", ""))
    if name in ("azure-smb", "gcp-disk"):
        yield "storageGb", "20"


class Stack:
    """A stack on the stand-ins, and what is protected in it."""

    def __init__(self, engine: Engine, stand_ins: StandIns) -> None:
        self.engine, self.stand_ins = engine, stand_ins
        self.data: set[tuple[str, str]] = set()

    def take(self) -> list[Event]:
        """What happened since the last look. Fails if anything that is protected was made anew or deleted."""
        events = self.stand_ins.log.taken()
        lost = [
            event for event in events if event.verb in ("create", "delete") and (event.type, event.name) in self.data
        ]
        assert not lost
        self.data |= {(one["type"], one["urn"].rpartition("::")[2]) for one in self.resources() if one.get("protect")}
        return events

    def resources(self) -> list[dict[str, Any]]:
        return json.loads(self.engine.run("stack", "export"))["deployment"]["resources"]

    def up(self) -> list[Event]:
        self.engine.up()
        return self.take()

    def set(self, key: str, value: str) -> None:
        if value:
            self.engine.set(key, value)
        else:
            self.engine.run("config", "rm", key)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def stack(name: str, stand_ins: StandIns, tmp_path) -> Stack:
    stand_ins.log.taken()
    cloud = CONFIGS[name]["cloud"]
    return Stack(Engine(tmp_path, stand_ins.environment, CONFIGS[name], stack=cloud), stand_ins)


def test_no_change_of_the_config_makes_data_anew(name: str, stack: Stack):
    stack.up()
    assert stack.data
    for key, value in changes(name):
        stack.set(key, value)
        assert stack.up(), f"{key}={value} changed nothing"
        assert stack.up() == [], f"after {key}={value} a second `up` changes something"


def test_a_stack_that_began_without_backups_gets_them_and_loses_them_and_no_data_is_touched(stack: Stack):
    stack.set("backupSchedule", "off")
    stack.up()
    for value in ("", "off"):
        there = set(stack.data)
        stack.set("backupSchedule", value)
        events = stack.up()
        assert events
        touched = {event.type for event in events if (event.type, event.name) in there}
        assert touched <= {STOPPED_AND_RESUMED}, value


@pytest.mark.parametrize("name", ["gcp-disk"], indirect=True)
def test_a_preview_of_alarms_makes_no_data_anew(stack: Stack):
    """They need one API more, of which a preview knows nothing yet."""
    stack.up()
    stack.set("alertEmail", EMAIL)
    assert "storage-disk replace" not in stack.engine.run("preview")


def test_what_is_destroyed_but_for_the_data_comes_back_with_it(stack: Stack):
    stack.up()
    before = set(stack.data)
    stack.engine.run("destroy", "--yes", "--skip-preview", "--exclude-protected")
    stack.take()
    made = stack.up()
    assert made
    assert stack.data == before
    assert stack.up() == []


def test_an_up_that_the_cloud_refuses_in_the_middle_goes_on_with_the_next(name: str, stack: Stack):
    stack.stand_ins.faults.refuse.add(service(name))
    refused = stack.engine.try_("up", "--yes", "--skip-preview")
    assert refused.returncode != 0
    assert f"the cloud refuses {service(name)}" in refused.stdout + refused.stderr
    stack.take()
    assert [event for event in stack.up() if event.type == service(name)]
    assert stack.up() == []


def test_an_up_that_is_killed_goes_on_after_a_cancel(name: str, stack: Stack):
    faults = stack.stand_ins.faults
    faults.hang.add(service(name))
    faults.hanging.clear()
    faults.go_on.clear()
    running = subprocess.Popen(
        ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"],
        cwd=stack.engine.project,
        env=stack.engine.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert faults.hanging.wait(120)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait(30)
        faults.go_on.set()
    stack.take()
    stack.engine.run("cancel", "--yes")
    stack.engine.up()
    stack.take()
    pending = json.loads(stack.engine.run("stack", "export"))["deployment"].get("pending_operations")
    assert not {one["resource"]["type"] for one in pending or []} & DATA


def test_it_is_known_of_all_that_holds_data_what_makes_it_anew():
    assert set(REPLACES) >= DATA
    assert all(rule.source and rule.properties for rule in REPLACES.values())
