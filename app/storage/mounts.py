"""What lies under DATABASE_PATH: the mount, its file system, and how SQLite must lock there."""

import os
import re
import shlex
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.errors import DOCKERS_FOLDER, CannotStart
from app.storage.symlinks import Link, links_on

if TYPE_CHECKING:
    from app.settings import Settings

Profile = Literal["shared", "exclusive"]

# Local file systems whose locks and shared memory work between processes. All others, known or not, are "exclusive".
LOCAL = frozenset("ext2 ext3 ext4 xfs btrfs zfs f2fs jfs reiserfs bcachefs overlay tmpfs ramfs apfs hfs ntfs".split())
IN_MEMORY = frozenset(("tmpfs", "ramfs"))
CLOUDS = ("WEBSITE_SITE_NAME", "ECS_CONTAINER_METADATA_URI_V4", "K_SERVICE")
"""Set in every container by App Service, ECS and Cloud Run."""
LEASE = ".lease"
"""How the name of the folder ends that says who writes."""
MOUNTED_WITHIN = 30
"""Seconds. App Service lets a container 230 to answer."""
DOCKER_VOLUME = re.compile(r"/volumes/(?P<name>[^/]+)/_data")
ANONYMOUS = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Mount:
    """One line of /proc/self/mountinfo (proc_pid_mountinfo(5)); `root` is the mounted folder of the file system."""

    point: str
    root: str
    filesystem: str
    source: str
    read_only: bool
    turned_read_only: bool = False
    """It was mounted for writing, but its file system takes no writes any more."""

    @property
    def volume(self) -> str | None:
        """The name of the Docker volume that this is, if it is one."""
        found = DOCKER_VOLUME.search(self.root)
        return found["name"] if found else None


@dataclass(frozen=True)
class Storage:
    """Where the database is. `path` is absolute and free of symbolic links, `links` are those that lead to it."""

    path: Path
    mount: Mount
    profile: Profile
    links: tuple[Link, ...] = ()
    named: Path | None = None
    """DATABASE_PATH as it was typed, but absolute."""

    @property
    def typed(self) -> Path:
        return self.named or self.path

    @property
    def secret(self) -> Path:
        """Signs the session cookies where SECRET_KEY does not."""
        return self.path.with_suffix(".secret")

    @property
    def lease(self) -> Path:
        """The folder that says who writes (app/writer/lease_files.py)."""
        return beside(self.path, LEASE)

    @property
    def own_mount(self) -> bool:
        return self.mount.point != "/"

    @property
    def anonymous(self) -> bool:
        """True on a Docker volume without a name: `docker run --rm` and `docker compose down -v` delete it."""
        return bool(ANONYMOUS.fullmatch(self.mount.volume or ""))

    @property
    def persistent(self) -> bool:
        """False where a rebuild, a redeploy or a reboot erases the file."""
        erased_with_container = self.mount.filesystem == "overlay" and not self.own_mount
        return not (self.mount.filesystem in IN_MEMORY or erased_with_container or self.anonymous)


def storage_once_mounted(path: Path, override: Profile | Literal["auto"], *, production: bool) -> Storage:
    """What lies under `path`, a while later where a cloud starts the container a moment before its mount is there."""
    until = time.monotonic() + (MOUNTED_WITHIN if production and any(map(os.environ.get, CLOUDS)) else 0)
    while True:
        storage = storage_under(path, override)
        if storage.own_mount or time.monotonic() >= until:
            return storage
        time.sleep(1)


def storage_of(settings: "Settings") -> Storage:
    """What DATABASE_PATH and DATABASE_STORAGE name. Raises what storage_under() does."""
    return storage_under(settings.database_path, settings.database_storage)


def storage_under(path: Path, override: Profile | Literal["auto"] = "auto") -> Storage:
    """What lies under `path`, which need not exist yet. Raises CannotStart where it can't be a database at all."""
    try:
        named = path.absolute()
        links, real = links_on(named), named.resolve(strict=False)
        # A folder that this user can't look into is for guard() to speak of.
        is_folder = os.access(real.parent, os.X_OK) and real.is_dir()
    except (OSError, RuntimeError) as error:
        raise CannotStart(
            f"DATABASE_PATH={path} can't be followed: {error}.",
            f"To see where it leads:  {shlex.join(('ls', '-ld', str(path)))}",
        ) from None
    mounts = read_mounts()
    _refuse_mounted_file(path, real, mounts, is_folder=is_folder)
    if is_folder:
        raise CannotStart(
            f"DATABASE_PATH={path} is a folder.", f"Name a file in it: DATABASE_PATH={path}/task_manager.db"
        )
    mount = mount_of(real.parent, mounts)
    return Storage(real, mount, profile_of(mount) if override == "auto" else override, links, named)


def _refuse_mounted_file(path: Path, real: Path, mounts: list[Mount], *, is_folder: bool) -> None:
    mounted = next((each for each in reversed(mounts) if each.point == str(real)), None)
    if not mounted:
        return
    whole = f"Mount the folder that holds it instead:  {shlex.join(('-v', f'FOLDER:{real.parent}'))}"
    if is_folder:
        on_host = mounted.root != "/" and not mounted.volume
        away = (
            f"\nOn the host this takes Docker's empty folder away:  sudo rmdir {shlex.quote(mounted.root)}"
            if on_host
            else ""
        )
        raise CannotStart(f"DATABASE_PATH={path} is a folder that is mounted there. {DOCKERS_FOLDER}", whole + away)
    raise CannotStart(
        f"DATABASE_PATH={path} is mounted as a single file, so SQLite's -wal file beside it would be lost.", whole
    )


def profile_of(mount: Mount) -> Profile:
    return "shared" if mount.filesystem in LOCAL else "exclusive"


def mount_of(folder: Path, mounts: Iterable[Mount]) -> Mount:
    """The mount that holds `folder`: the longest mount point above it, the last one where several lie on each other."""
    found = Mount("/", "/", "unknown", "", read_only=False)
    for mount in mounts:
        if folder.is_relative_to(mount.point) and len(mount.point) >= len(found.point):
            found = mount
    return found


def outside(folder: Path) -> str:
    """What `folder` is called outside of the container in which it is mounted, where that can be told from here."""
    here = folder.resolve()
    mount = mount_of(here, read_mounts())
    return str(here if mount.root == "/" else Path(mount.root) / here.relative_to(mount.point))


def read_mounts(file: Path = Path("/proc/self/mountinfo")) -> list[Mount]:
    """The mounts this process sees; none where the system has no /proc."""
    try:
        lines = file.read_text(errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return []
    return [_mount(line) for line in lines]


def _mount(line: str) -> Mount:
    # 36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    before, _, after = line.partition(" - ")
    root, point, options = before.split(" ")[3:6]
    filesystem, source, super_options = [*after.split(" "), "", ""][:3]
    mounted_read_only = "ro" in options.split(",")
    # ext4 of Linux 6.15 and newer says "emergency_ro" and no more "ro", and statvfs says nothing.
    turned = not mounted_read_only and bool({"ro", "emergency_ro"} & set(super_options.split(",")))
    read_only = mounted_read_only or turned
    return Mount(_unescaped(point), _unescaped(root), filesystem, _unescaped(source), read_only, turned)


def _unescaped(text: str) -> str:
    """The kernel writes space, tab, newline and backslash as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda digits: chr(int(digits[1], 8)), text)


def beside(database: Path, ending: str) -> Path:
    """What has the database's name and more: SQLite's "-wal", "-shm" and "-journal", and the ".lease"."""
    return database.with_name(database.name + ending)


def files_beside(database: Path) -> list[Path]:
    """All that SQLite may keep beside `database`, there or not."""
    return [beside(database, ending) for ending in ("-wal", "-journal", "-shm")]
