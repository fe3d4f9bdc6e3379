"""Whatever a database is called, that file is opened and no other one."""

import os
from pathlib import Path

import pytest

from app.backup.copies.inspect import facts_of
from app.backup.copies.snapshot import snapshot
from app.backup.copies.verify import verify
from app.storage.mounts import Profile
from tests.app.backup.databases import closed_database, names


@pytest.mark.parametrize("profile", ["shared", "exclusive"])
@pytest.mark.parametrize("name", ["a#b.db", "a?mode=ro.db", "50%20.db", "a & b.db", os.fsdecode(b"a\xff.db")])
def test_a_name_that_means_something_in_a_uri_is_only_a_name(tmp_path: Path, name: str, profile: Profile):
    storage = closed_database(tmp_path / name, 2, profile)
    assert names(tmp_path) == {name}
    snapshot(storage, tmp_path / f"copy {name}")
    assert verify(tmp_path / f"copy {name}").contents.rows["tasks"] == 2
    assert facts_of(tmp_path)["files"][0]["database"]["rows"]["tasks"] == 2
