"""How a backup comes to its name: made in a folder of its own beside it, then put in place whole, one at a time."""

import fcntl
import glob
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from app.backup.copies import manifest
from app.backup.copies.manifest import Manifest
from app.backup.copies.overwrite_rules import refuse_taken
from app.storage.files import to_disk
from app.storage.hint_commands import free_name
from app.storage.mounts import beside
from app.storage.owner import chown_like, owner_model

BACKUP = ".backup"
"""The `ending` of temporary_folder_beside() for a backup to a store."""
TIME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
"""In the name of a copy that is made again and again: what an earlier one left has another."""


@contextmanager
def staging_folder(file: Path, like: Path | None = None) -> Iterator[Path]:
    """An empty folder beside `file` for this one copy, gone afterwards. Those that killed copies left go before."""
    with folder_lock(file.parent):
        for left in file.parent.glob(f".{TIME.sub('*', glob.escape(file.name))}.*.partial"):
            _remove_if_left(left)
        made = Path(tempfile.mkdtemp(prefix=f".{file.name}.", suffix=".partial", dir=file.parent))
        chown_like(made, like)
        held = _locked(made)
    try:
        yield made
    finally:
        shutil.rmtree(made)
        os.close(held)


@contextmanager
def temporary_folder_beside(database: Path, ending: str) -> Iterator[Path]:
    """An empty folder beside `database` for copies that are gone afterwards, also when the process is killed: the next
    one of that `ending` sees to it."""
    like = owner_model(database)
    with staging_folder(beside(database, ending), like) as folder:
        inner = folder / "copy"  # `folder` itself is locked, as a sign that it is in use
        inner.mkdir()
        chown_like(inner, like)
        yield inner


def is_copying(database: Path, ending: str) -> bool:
    """Is a process of this machine at it, in the folder that temporary_folder_beside() gave?"""
    for folder in database.parent.glob(f".{glob.escape(beside(database, ending).name)}.*.partial"):
        try:
            os.close(_locked(folder))
        except BlockingIOError:
            return True
        except OSError:
            continue
    return False


def free_copy_name(database: Path, occasion: str) -> Path:
    """A name for a copy that the app makes of its own accord, which nothing has: two in a second get a number."""
    return free_name(database.with_name(f"{database.stem}-{occasion}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"))


def put_in_place(partial: Path, file: Path, proof: Manifest, like: Path | None, *, force: bool) -> None:
    """Killed in between, there is a whole file that counts as unproven, never one beside another's manifest.

    `like`: whose both will be, where root makes them. Raises what `refuse_taken` does.
    """
    proof_file, partial_proof = manifest.path_for(file), manifest.path_for(partial)
    partial_proof.write_text(proof.model_dump_json(indent=2) + "\n")
    to_disk(partial_proof)
    for made in (partial, partial_proof):
        chown_like(made, like)
    with folder_lock(file.parent):
        refuse_taken(file, force=force, rows=proof.rows)
        proof_file.unlink(missing_ok=True)
        partial.replace(file)
        partial_proof.replace(proof_file)
        to_disk(file.parent)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Between all processes of this machine; on a network mount too, whose server is not asked for a folder's lock."""
    held = _locked(folder, wait=True)
    try:
        yield
    finally:
        os.close(held)


def _remove_if_left(folder: Path) -> None:
    # It is being worked in, or has just gone, or is another user's.
    with suppress(BlockingIOError, FileNotFoundError, PermissionError):
        held = _locked(folder)
        try:
            shutil.rmtree(folder)
        finally:
            os.close(held)


def _locked(folder: Path, *, wait: bool = False) -> int:
    """A descriptor that holds the folder's lock, free again when it is closed or its process ends, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
