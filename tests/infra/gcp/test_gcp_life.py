"""On the real engine: the network stays with the data, so that what was destroyed can be made again."""

import shutil
from pathlib import Path

import pytest

from tests.infra.engine import Engine
from tests.infra.plans import CONFIGS
from tests.infra.standins import StandIns

pytestmark = pytest.mark.skipif(shutil.which("pulumi") is None, reason="no `pulumi` on the PATH")

NETWORK = {"gcp:compute/network:Network", "gcp:compute/subnetwork:Subnetwork"}


@pytest.mark.parametrize("name", ["gcp-disk-ready", "gcp-filestore-ready"])
def test_the_network_is_neither_destroyed_nor_made_again_beside_the_data(
    name: str, stand_ins: StandIns, tmp_path: Path
):
    engine = Engine(tmp_path, stand_ins.environment, CONFIGS[name], stack="gcp")
    engine.up()
    stand_ins.log.taken()
    engine.run("destroy", "--yes", "--skip-preview", "--exclude-protected")
    destroyed = stand_ins.log.taken()
    assert destroyed
    engine.up()
    made = stand_ins.log.taken()
    # In a network that stays, a subnet of the same range is refused.
    assert not [event for event in destroyed + made if event.type in NETWORK]
