"""Stacks that an earlier version made go on with this one, and nothing that holds data is made anew.

states/*.json are what version 0.1 left behind on the stand-ins (`pulumi stack export --show-secrets` after an `up`,
without times); nothing in them is a real name or secret.
"""

import json
import shutil
from pathlib import Path

import pytest

from rules.data import HOLDERS, STORES
from tests.infra.engine import Engine
from tests.infra.plans import CONFIGS
from tests.infra.standins import StandIns

pytestmark = pytest.mark.skipif(shutil.which("pulumi") is None, reason="no `pulumi` on the PATH")

STATES = Path(__file__).parent / "states"
DATA = {*STORES, *HOLDERS}


def data_of(state: Path) -> dict[str, str]:
    """The ID of everything that holds data, by its URN."""
    resources = json.loads(state.read_text())["deployment"]["resources"]
    return {one["urn"]: one["id"] for one in resources if one["type"] in DATA and one.get("protect")}


@pytest.mark.parametrize("name", sorted(file.stem for file in STATES.glob("*.json")))
def test_an_earlier_stack_goes_on_and_its_data_stays(name: str, stand_ins: StandIns, tmp_path: Path):
    engine = Engine(tmp_path, stand_ins.environment, CONFIGS[name], stack=CONFIGS[name]["cloud"])
    before = data_of(STATES / f"{name}.json")
    assert before
    engine.run("stack", "import", "--file", str(STATES / f"{name}.json"))
    stand_ins.log.taken()
    engine.up()
    events = stand_ins.log.taken()
    # What holds data is changed in place. New are only kinds that the earlier version did not have, such as locks.
    known = {urn.split("::")[2].rpartition("$")[2] for urn in before}
    again = {("delete", type_) for type_ in DATA} | {("create", type_) for type_ in known}
    of_the_backups = {"store-account", "store-volume"}
    assert not [event for event in events if (event.verb, event.type) in again and event.name not in of_the_backups]
    after = json.loads(engine.run("stack", "export"))["deployment"]["resources"]
    kept = {one["id"] for one in after if one["type"] in DATA and one.get("protect")}
    assert set(before.values()) <= kept
    engine.up()
    assert stand_ins.log.taken() == []
