"""What lies under DATABASE_PATH, and the starts that are refused because data would be lost."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from app.errors import CannotStart, ReadOnly
from app.storage import guard as guards
from app.storage import mounts as module
from app.storage.guard import guard, how_to_own, in_place, refuse_unmounted
from app.storage.mounts import Mount, Storage, mount_of, read_mounts, storage_under

MOUNTINFO = r"""71 47 0:39 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib
91 71 254:0 /var/lib/docker/volumes/tasks/_data /app/data rw,relatime master:1 - ext4 /dev/vda rw
92 71 0:50 / /app/database rw - tmpfs tmpfs rw
93 71 0:51 / /mnt/with\040space rw,relatime shared:1 master:2 - nfs4 server:/tasks rw,vers=4.1
94 71 0:52 / /mnt/share rw - cifs //server/share rw
95 71 0:53 / /mnt/share/ro ro,relatime - ext4 /dev/vdb rw
96 71 0:54 / /mnt/object rw - fuse.gcsfuse bucket rw
97 71 0:55 / /mnt/share rw - ext4 /dev/vdc rw
98 71 0:56 / /mnt/desktop rw - fakeowner /run/host rw
99 71 7:1 / /mnt/broken rw,relatime - ext4 /dev/sdb1 rw,errors=remount-ro,emergency_ro
100 71 7:2 / /mnt/older rw,relatime - ext4 /dev/sdc1 ro,errors=remount-ro
"""


@pytest.fixture
def mounts(tmp_path: Path) -> list[Mount]:
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTINFO)
    return read_mounts(file)


def on(mount: Mount, folder: Path) -> Storage:
    return Storage(folder / "task_manager.db", mount, "shared")


def volume(**changes) -> Mount:
    usual = {"point": "/app/data", "root": "/var/lib/docker/volumes/tasks/_data", "filesystem": "ext4"}
    return Mount(**{**usual, "source": "/dev/vda", "read_only": False, **changes})


@pytest.mark.parametrize(
    ("folder", "point", "filesystem"),
    [
        ("/app/data", "/app/data", "ext4"),
        ("/app/data/deeper", "/app/data", "ext4"),
        ("/app/database", "/app/database", "tmpfs"),  # not a folder of /app/data, though the name begins like it
        ("/app", "/", "overlay"),
        ("/mnt/with space", "/mnt/with space", "nfs4"),
        ("/mnt/share", "/mnt/share", "ext4"),  # the later mount hides the earlier one
    ],
)
def test_the_mount_is_the_longest_one_above_the_folder(mounts, folder: str, point: str, filesystem: str):
    found = mount_of(Path(folder), mounts)
    assert (found.point, found.filesystem) == (point, filesystem)


@pytest.mark.parametrize(
    ("folder", "read_only", "turned"),
    [
        ("/app/data", False, False),
        ("/mnt/share/ro", True, False),
        ("/mnt/broken", True, True),  # as Linux 6.15 and newer say it
        ("/mnt/older", True, True),
    ],
)
def test_one_that_became_read_only_is_told_from_one_that_was_mounted_so(mounts, folder: str, read_only, turned):
    found = mount_of(Path(folder), mounts)
    assert (found.read_only, found.turned_read_only) == (read_only, turned)


@pytest.mark.parametrize(
    ("filesystem", "profile"),
    [("ext4", "shared"), ("xfs", "shared"), ("nfs4", "exclusive"), ("cifs", "exclusive"), ("fakeowner", "exclusive"),
     ("something-new", "exclusive")],
)  # fmt: skip
def test_only_known_local_file_systems_are_shared(monkeypatch, tmp_path: Path, filesystem: str, profile: str):
    monkeypatch.setattr(module, "read_mounts", lambda: [volume(point=str(tmp_path), filesystem=filesystem)])
    assert storage_under(tmp_path / "a.db").profile == profile
    assert storage_under(tmp_path / "a.db", "exclusive").profile == "exclusive"


def test_a_symbolic_link_is_followed_to_the_mount_it_leads_to(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert storage_under(tmp_path / "link" / "a.db").path == tmp_path / "real" / "a.db"


def test_paths_that_can_be_no_database_are_refused(monkeypatch, tmp_path: Path):
    with pytest.raises(CannotStart, match="is a folder"):
        storage_under(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(CannotStart, match="can't be followed"):
        storage_under(tmp_path / "loop" / "a.db")
    monkeypatch.setattr(module, "read_mounts", lambda: [volume(point=str(tmp_path / "a.db"))])
    with pytest.raises(CannotStart, match="mounted as a single file"):
        storage_under(tmp_path / "a.db")


def test_a_file_that_docker_made_a_folder_of_is_told_as_that(monkeypatch, tmp_path: Path):
    (tmp_path / "a.db").mkdir()
    monkeypatch.setattr(module, "read_mounts", lambda: [volume(point=str(tmp_path / "a.db"), root="/srv/a.db")])
    with pytest.raises(CannotStart) as refused:
        storage_under(tmp_path / "a.db")
    assert "Docker makes a folder" in refused.value.message
    assert f"-v FOLDER:{tmp_path}\n" in refused.value.hint and "sudo rmdir /srv/a.db" in refused.value.hint


# --- the guard --------------------------------------------------------------------------------------------


def test_in_production_a_volume_of_its_own_is_fine(tmp_path: Path):
    assert guard(on(volume(), tmp_path), production=True, keeps_secret=False) == []


@pytest.mark.parametrize(
    "mount",
    [volume(point="/", root="/", filesystem="overlay"), volume(filesystem="tmpfs"), volume(filesystem="ramfs"),
     volume(point="/", root="/", filesystem="ext4")],
)  # fmt: skip
def test_in_production_nothing_starts_where_data_would_be_erased(tmp_path: Path, mount: Mount):
    with pytest.raises(CannotStart) as refused:
        guard(on(mount, tmp_path), production=True, keeps_secret=False)
    for way in ("docker run    -v task-manager-data:/app/data", "Compose", "Azure", "AWS", "Google Cloud"):
        assert way in str(refused.value)
    guard(on(mount, tmp_path), production=False, keeps_secret=False)


def test_a_volume_without_a_name_starts_with_a_warning(tmp_path: Path):
    anonymous = on(volume(root=f"/var/lib/docker/volumes/{'0123456789abcdef' * 4}/_data"), tmp_path)
    assert "without a name" in guard(anonymous, production=True, keeps_secret=False)[0]
    assert not anonymous.persistent


@pytest.mark.parametrize("kind", ["fuse.gcsfuse", "fuse.s3fs", "fuse.blobfuse2", "fuse.rclone"])
@pytest.mark.parametrize("production", [True, False])
def test_object_stores_are_refused_by_name(tmp_path: Path, kind: str, production: bool):
    with pytest.raises(CannotStart, match=kind):
        guard(on(volume(filesystem=kind), tmp_path), production=production, keeps_secret=False)


def test_a_read_only_mount_and_a_missing_folder_are_told(tmp_path: Path):
    with pytest.raises(ReadOnly, match="mounted read-only"):
        guard(on(volume(read_only=True), tmp_path), production=True, keeps_secret=False)
    with pytest.raises(CannotStart, match="mkdir -p"):
        guard(on(volume(), tmp_path / "missing"), production=True, keeps_secret=False)


@pytest.mark.parametrize(
    ("mount", "command"),
    [
        (volume(), "docker run --rm --user 0 -v tasks:/app/data task-assist sh -c 'chown -R 1000:100 /app/data && "),
        (volume(), "chmod -R u+rwX /app/data'"),
        (volume(root="/srv/tasks"), "mounted at /app/data, on the host:  sudo sh -c 'chown -R 1000:100 FOLDER && "),
        (volume(root="/srv/tasks"), "In its own file system that is /srv/tasks."),
        (volume(root="/", filesystem="nfs4"), "mounted at /app/data, on the host:  sudo sh -c 'chown -R"),
        (volume(point="/", root="/"), "sudo sh -c 'chown -R 1000:100"),
    ],
)
def test_what_this_user_cannot_write_is_answered_with_the_command_to_type(monkeypatch, tmp_path, mount, command):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getgid", lambda: 100)
    with pytest.raises(CannotStart) as refused:
        guard(on(mount, tmp_path), production=False, keeps_secret=False)
    assert command in str(refused.value)
    assert f"user {os.getuid()} can't write" in str(refused.value)
    # What is at the root of a mounted share is no folder of the host.
    assert "-v /:" not in str(refused.value) and not str(refused.value).endswith(" /")


def test_for_another_user_than_the_images_a_file_is_put_into_the_volume_to_keep_the_owner(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(os, "getuid", lambda: 99)
    with pytest.raises(CannotStart, match=r"sh -c 'touch /app/data/\.keep && chown -R 99:"):
        guard(on(volume(), tmp_path), production=False, keeps_secret=False)


def test_an_own_folder_of_a_wrong_mode_is_told_as_that(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    tmp_path.chmod(0o500)
    with pytest.raises(CannotStart, match=r"belongs to this user and has mode 500, so user .* can't write it"):
        guard(on(volume(), tmp_path), production=False, keeps_secret=False)


@pytest.mark.parametrize(
    ("mount", "typed"),
    [
        (volume(), "docker run --rm -v tasks:/app/data task-assist rm /app/data/x"),
        (volume(root="/srv/tasks"), "rm /app/data/x"),
    ],
)
def test_a_command_for_a_container_that_has_ended_is_typed_in_one_of_its_own(tmp_path: Path, mount: Mount, typed: str):
    assert in_place(on(mount, tmp_path), "rm /app/data/x") == typed


def test_the_folder_is_handed_over_and_made_by_what_is_typed_though_its_name_has_a_space(monkeypatch, tmp_path: Path):
    storage = on(volume(point="/", root="/"), tmp_path / "my data")
    with pytest.raises(CannotStart) as refused:
        guard(storage, production=False, keeps_secret=False)
    subprocess.run(["sh", "-c", refused.value.hint.removeprefix("Make it:  ")], check=True)
    storage.path.touch(0o400)
    script = how_to_own(storage).removeprefix("Hand it over:  sudo ")
    subprocess.run(["sh", "-c", script], check=True)
    assert storage.path.stat().st_mode & 0o600 == 0o600
    words = shlex.split(how_to_own(on(volume(point="/my data"), tmp_path)))
    assert words[words.index("-v") + 1] == "tasks:/my data"
    assert shlex.split(words[-1])[-1] == "/my data"
    assert "-v 'tasks:/my data' task-assist" in in_place(on(volume(point="/my data"), tmp_path), "check")


KEPT = ["task_manager.db", "task_manager.db-wal", "task_manager.db-journal", "task_manager.db.lease"]


@pytest.mark.parametrize("name", [*KEPT, "task_manager.secret"])
def test_a_single_file_of_another_user_is_told_too(monkeypatch, tmp_path: Path, name: str):
    file = tmp_path / name
    file.mkdir() if name.endswith(".lease") else file.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == tmp_path)
    with pytest.raises(CannotStart, match=f"{name} belongs to"):
        guard(on(volume(), tmp_path), production=False, keeps_secret=True)


def test_a_secret_that_is_not_used_may_belong_to_anybody(monkeypatch, tmp_path: Path):
    (tmp_path / "task_manager.secret").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == tmp_path)
    assert guard(on(volume(), tmp_path), production=False, keeps_secret=False) == []


def test_a_volume_over_the_app_itself_is_refused(monkeypatch, tmp_path: Path):
    code = volume(point=str(Path(guards.__file__).parents[2]), root="/var/lib/docker/volumes/old/_data")
    monkeypatch.setattr(guards, "read_mounts", lambda: [code, volume(point=str(tmp_path))])
    with pytest.raises(CannotStart, match=r"volume old .* over the app itself(.|\n)*-v old:/app/data"):
        guard(on(volume(), tmp_path), production=True, keeps_secret=False)
    guard(on(volume(), tmp_path), production=False, keeps_secret=False)


# --- a mount that comes late ------------------------------------------------------------------------------


@pytest.fixture
def looks(monkeypatch, tmp_path: Path) -> list[Mount]:
    """The mount that each look finds; the last one stays."""
    found: list[Mount] = []
    monkeypatch.setattr(module, "mount_of", lambda _folder, _mounts: found.pop(0) if len(found) > 1 else found[0])
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    return found


INSIDE, SHARE = Mount("/", "/", "overlay", "", False), Mount("/app/data", "/", "cifs", "", False)


def test_in_a_cloud_a_mount_that_comes_late_is_waited_for(looks, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("WEBSITE_SITE_NAME", "tasks")
    looks += [INSIDE, INSIDE, SHARE]
    assert module.storage_once_mounted(tmp_path / "a.db", "auto", production=True).mount == SHARE


@pytest.mark.parametrize(("cloud", "production"), [("", True), ("tasks", False)])
def test_elsewhere_nobody_waits_for_one(looks, monkeypatch, tmp_path: Path, cloud: str, production: bool):
    monkeypatch.setenv("WEBSITE_SITE_NAME", cloud)
    looks += [INSIDE, SHARE]
    assert module.storage_once_mounted(tmp_path / "a.db", "auto", production=production).mount == INSIDE


def test_one_that_never_comes_is_refused_in_the_end(looks, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("K_SERVICE", "tasks")
    monkeypatch.setattr(module, "MOUNTED_WITHIN", 0)
    looks += [INSIDE]
    with pytest.raises(CannotStart, match="not on a mount of its own"):
        refuse_unmounted(module.storage_once_mounted(tmp_path / "a.db", "auto", production=True))


def test_shared_forced_on_a_network_mount_is_warned_of(tmp_path: Path):
    forced = Storage(tmp_path / "a.db", Mount(str(tmp_path), "/", "nfs4", "", False), "shared")
    (warning,) = guard(forced, production=False, keeps_secret=False)
    assert "DATABASE_STORAGE=shared" in warning and "Use auto" in warning
