"""Files that other users can read are told, with the command that mends it."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from app.operations.doctor.doctor import examine
from app.storage.mounts import Storage, storage_under
from app.storage.privacy import open_to_others


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    tmp_path.chmod(0o755)
    found = storage_under(tmp_path / "my tasks.db", "shared")
    for file in (found.path, Path(f"{found.path}-wal"), found.secret):
        file.touch(0o600)
    return found


def test_what_is_for_its_own_user_alone_is_not_spoken_of(storage: Storage):
    assert open_to_others(storage, keeps_secret=True) == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_each_file_that_others_can_open_is_told_and_the_command_mends_it(storage: Storage, mode: int):
    for file in (storage.path, Path(f"{storage.path}-wal"), storage.secret):
        file.chmod(mode)
        (said,) = open_to_others(storage, keeps_secret=True)
        assert f"(mode {mode:03o})" in said
        subprocess.run(shlex.split(said.split(":  ")[1]), check=True)
        assert open_to_others(storage, keeps_secret=True) == []


def test_a_secret_that_is_not_used_does_not_matter(storage: Storage):
    storage.secret.chmod(0o644)
    assert open_to_others(storage, keeps_secret=False) == []


def test_in_a_folder_that_nobody_else_can_enter_modes_do_not_matter(storage: Storage):
    storage.path.chmod(0o644)
    storage.path.parent.chmod(0o700)
    assert open_to_others(storage, keeps_secret=True) == []


def test_where_a_file_has_no_mode_of_its_own_no_command_could_mend_it(storage: Storage):
    storage.path.chmod(0o777)
    on_smb = replace(storage, mount=replace(storage.mount, filesystem="cifs"))
    assert open_to_others(on_smb, keeps_secret=True) == []


def test_the_doctor_says_it_too(storage: Storage, place: Path):
    storage.path.unlink()
    Path(f"{storage.path}-wal").unlink()
    storage.secret.chmod(0o644)
    found = {each.name: each for each in examine(storage, production=False, keeps_secret=True, full=False)}
    assert found["rights"].level == "note"
    assert str(storage.secret) in found["rights"].text
    assert found["rights"].fix == shlex.join(("chmod", "600", str(storage.secret)))
