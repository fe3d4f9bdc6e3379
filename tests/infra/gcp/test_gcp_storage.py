"""What holds data has the name, the place and the locks that it must have."""

import re
from typing import Any

import pytest

from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import record

OLD = "urn:pulumi:gcp::task-assist::task-assist:gcp:"
# Name, what must not change in it, and the logical name of version 0.1.
PINNED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "gcp-disk": (
        "gcp:compute/disk:Disk",
        "DataDisk$gcp:compute/disk:Disk::storage-disk",
        {"name": "task-assist-data", "ignoreChanges": ["name"], "earlier": "task-assist-data"},
    ),
    "gcp-filestore": (
        "gcp:filestore/instance:Instance",
        "Filestore$gcp:filestore/instance:Instance::storage-instance",
        {"name": "task-assist-data", "ignoreChanges": ["fileShares.name", "name"], "earlier": "task-assist-data"},
    ),
}


@pytest.mark.parametrize("name", PINNED)
def test_what_holds_data_is_pinned(name: str):
    type_, urn, wanted = PINNED[name]
    store = plan(name).one(type_)
    assert store.urn.endswith(urn)
    assert store.protect
    assert store.inputs["name"] == wanted["name"]
    assert store.options["ignoreChanges"] == wanted["ignoreChanges"]
    assert wanted["earlier"] in store.aliases


def test_the_shares_name_is_one_that_the_basic_tier_takes():
    """FileShareConfig.name: 1 to 16 of a-z, 0-9 and "_" there (discovery document file.v1)."""
    share = plan("gcp-filestore").one("filestore/instance:Instance").inputs["fileShares"]["name"]
    assert re.fullmatch(r"[a-z0-9_]{1,16}", share)


def test_google_itself_keeps_the_share_and_a_last_snapshot_of_the_disk():
    assert plan("gcp-filestore").one("filestore/instance:Instance").inputs["deletionProtectionEnabled"] is True
    assert plan("gcp-disk").one("compute/disk:Disk").inputs["createSnapshotBeforeDestroy"] is True


@pytest.mark.parametrize("name", PINNED)
def test_the_data_keeps_its_network_when_the_rest_is_destroyed(name: str):
    """`destroy --exclude-protected` keeps what a protected resource depends on: the subnet, not the network alone."""
    found = plan(name)
    needs = found.one(PINNED[name][0]).depends_on
    for part in ("compute/network:Network", "compute/subnetwork:Subnetwork"):
        assert found.one(part).urn in needs


def test_an_adopted_share_keeps_its_own_name_and_the_service_mounts_it():
    found = plan("gcp-filestore")
    share = found.one("filestore/instance:Instance").inputs["fileShares"]["name"]
    for resource in (found.one("cloudrunv2/service:Service"), found.one("Job", "storage-hand-over")):
        assert f"'path': '/{share}'" in str(resource.inputs)


def test_the_size_is_the_configs():
    assert record({**CONFIGS["gcp-disk"], "storageGb": "50"}).one("disk:Disk").inputs["size"] == 50
    found = record({**CONFIGS["gcp-filestore"], "storageGb": "2048"})
    assert found.one("filestore/instance:Instance").inputs["fileShares"]["capacityGb"] == 2048
