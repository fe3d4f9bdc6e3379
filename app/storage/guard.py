"""The mount guard: refuses to start where data would be lost or can't be written, and says what to type."""

import os
import shlex
from pathlib import Path

from app.errors import DOCKERS_FOLDER, CannotStart, Problem
from app.storage.full_or_read_only import read_only
from app.storage.hint_commands import set_aside
from app.storage.led_elsewhere import why_led_elsewhere
from app.storage.mounts import IN_MEMORY, Mount, Storage, files_beside, mount_of, profile_of, read_mounts
from app.storage.owner import owner_model, typed_as

MOUNT_PATH = "/app/data"
CODE = Path(__file__).resolve().parents[1]
IMAGE_USER = 1000
"""Whose the image's folder at MOUNT_PATH is."""
OBJECT_STORES = frozenset("gcsfuse s3fs blobfuse blobfuse2 mount-s3 mountpoint-s3 goofys geesefs rclone".split())

HOW_TO_MOUNT = f"""\
The database would be erased with the container. Mount a volume or share at {MOUNT_PATH}:
  docker run    -v task-manager-data:{MOUNT_PATH} ... task-assist
  Compose       volumes: ["task-manager-db:{MOUNT_PATH}"]
  Azure         an Azure Files share as path mapping {MOUNT_PATH}: pulumi up -s azure, or
                az webapp config storage-account add
  AWS           an EFS access point as mount point {MOUNT_PATH} of the task definition: pulumi up -s aws
  Google Cloud  a persistent disk or Filestore share at {MOUNT_PATH}: pulumi up -s gcp
and set DATABASE_PATH={MOUNT_PATH}/task_manager.db. To try the app without keeping anything: APP_ENV=development."""


def guard(storage: Storage, *, production: bool, keeps_secret: bool) -> list[str]:
    """Raises CannotStart where data would be lost, CannotStart or ReadOnly where it can't be written; returns warnings.

    `keeps_secret`: the secret of the sessions is beside the database, and not in SECRET_KEY.
    """
    refuse_object_store(storage)
    if production:
        refuse_covered_app(mount_of(CODE, read_mounts()))
        refuse_unmounted(storage)
    refuse_unwritable(storage)
    if keeps_secret:
        _refuse_folder(storage, storage.secret, "that holds the session secret")
        _refuse_denied(storage, storage.secret, os.R_OK)
    warnings = []
    if production and storage.anonymous:
        warnings.append(
            f"{storage.mount.point} is a Docker volume without a name: docker run --rm and docker compose down -v "
            f"delete it. Give it one: -v task-manager-data:{storage.mount.point}"
        )
    if storage.profile == "shared" and profile_of(storage.mount) == "exclusive":
        warnings.append(
            f"DATABASE_STORAGE=shared, but {storage.mount.point} is {storage.mount.filesystem}, where SQLite's shared "
            "memory and locks can't be relied on: two processes can damage the database. Use auto."
        )
    return warnings


def refuse_object_store(storage: Storage) -> None:
    kind = storage.mount.filesystem.removeprefix("fuse.")
    if kind in OBJECT_STORES or storage.mount.source in OBJECT_STORES:
        raise CannotStart(
            f"{storage.mount.point} is an object store ({storage.mount.filesystem}). SQLite can't work there: "
            "it has neither locks nor writes in place.",
            "Mount a disk or a file share instead (Azure Files, EFS, Filestore).",
        )


def refuse_covered_app(mount: Mount) -> None:
    """`mount` is the one that holds this code. Docker fills an empty volume from the image, and never again."""
    if mount.volume:
        raise CannotStart(
            f"The volume {mount.volume} is mounted at {mount.point}, over the app itself: whatever image comes next, "
            "this version would go on running from the volume.",
            f"Mount it at {MOUNT_PATH} instead:  docker run -v {mount.volume}:{MOUNT_PATH} ... task-assist",
        )


def refuse_unmounted(storage: Storage) -> None:
    where = f"DATABASE_PATH={storage.path}"
    if not storage.own_mount:
        raise CannotStart(f"{where} is not on a mount of its own, but inside the container.", HOW_TO_MOUNT)
    if storage.mount.filesystem in IN_MEMORY:
        raise CannotStart(
            f"{where} is in memory ({storage.mount.filesystem} at {storage.mount.point}), gone at the next restart.",
            HOW_TO_MOUNT,
        )


def why_no_folder(storage: Storage) -> Problem | None:
    """Why there is no folder for the database; None where there is one."""
    folder = storage.path.parent
    if folder.is_dir():
        return None
    return why_led_elsewhere(storage) or CannotStart(
        f"The folder of DATABASE_PATH={storage.path} does not exist.",
        f"Make it:  {shlex.join(('mkdir', '-p', str(folder)))}",
    )


def refuse_unwritable(storage: Storage) -> None:
    if missing := why_no_folder(storage):
        raise missing
    folder = storage.path.parent
    if storage.mount.read_only:
        raise read_only(storage.path, storage.mount)
    _refuse_denied(storage, folder, os.R_OK | os.W_OK | os.X_OK)
    _refuse_no_folder(storage, storage.lease)
    _refuse_denied(storage, storage.lease, os.R_OK | os.W_OK | os.X_OK)
    _refuse_folder(storage, storage.lease / "lock", "by which one instance alone writes")
    for file in (storage.path, *files_beside(storage.path)):
        _refuse_denied(storage, file, os.R_OK | os.W_OK)


def _refuse_no_folder(storage: Storage, lease: Path) -> None:
    if lease.exists() and not lease.is_dir():
        raise CannotStart(
            f"{lease} is a file, and should be the folder that says who writes.",
            f"Move it away:  {in_place(storage, set_aside(lease))}",
        )


def _refuse_folder(storage: Storage, file: Path, which: str) -> None:
    """Of what SQLite keeps: app/storage/cant_open.py."""
    if file.is_dir():
        raise CannotStart(f"{file} is a folder, and should be the file {which}.", _without_folder(storage, file))


def _without_folder(storage: Storage, file: Path) -> str:
    if any(mount.point == str(file) for mount in read_mounts()):
        return f"{DOCKERS_FOLDER} Leave out what is mounted at {file}: the whole of {file.parent} is mounted."
    return f"Take it away, if it is empty:  {in_place(storage, shlex.join(('rmdir', str(file))))}"


def _refuse_denied(storage: Storage, path: Path, what: int) -> None:
    # In this order: another instance may take its files away meanwhile.
    if not os.access(path, what) and path.exists():
        status, user, verb = path.stat(), os.getuid(), "write" if what & os.W_OK else "read"
        owner = "this user" if status.st_uid == user else f"user {status.st_uid}"
        raise CannotStart(
            f"{path} belongs to {owner} and has mode {status.st_mode & 0o777:03o}, so user {user} can't {verb} it.",
            how_to_own(storage),
        )


def in_place(storage: Storage, command: str) -> str:
    """`command` as it can be typed though the app's own container has ended."""
    mount = storage.mount
    where = shlex.quote(f"{mount.volume}:{mount.point}")
    return f"docker run --rm -v {where} task-assist {command}" if mount.volume else command


def how_to_own(storage: Storage) -> str:
    """The command that hands all of it over, for the kind of place it is in, and lets its user write.

    Not to root, who may be without its rights (--cap-drop): the app's user would lose what is handed over.
    """
    mount = storage.mount
    if os.getuid() == 0 and (owner := owner_model(storage.path).stat().st_uid):
        return typed_as(owner)
    if not storage.own_mount:
        return f"Hand it over:  sudo sh -c {_hand_over(str(storage.path.parent))}"
    if mount.volume:
        where = shlex.quote(f"{mount.volume}:{mount.point}")
        # An empty volume gets the owner of the image's folder back each time that it is mounted.
        stays = "" if os.getuid() == IMAGE_USER else f"{shlex.join(('touch', f'{mount.point}/.keep'))} && "
        return f"Hand it over:  docker run --rm --user 0 -v {where} task-assist sh -c {_hand_over(mount.point, stays)}"
    # Where it is on the host can't be seen from here, only where it is inside the mounted file system.
    return (
        f"Hand over the folder or share that is mounted at {mount.point}, on the host:  "
        f"sudo sh -c {_hand_over('FOLDER')}"
        + ("" if mount.root == "/" else f"\nIn its own file system that is {mount.root}.")
    )


def _hand_over(folder: str, first: str = "") -> str:
    """For a shell, as one word."""
    named = shlex.quote(folder)
    return shlex.quote(f"{first}chown -R {os.getuid()}:{os.getgid()} {named} && chmod -R u+rwX {named}")
