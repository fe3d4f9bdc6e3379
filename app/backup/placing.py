"""How a backup comes to its name: made in a folder of its own beside it, then put in place whole, one at a time."""

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.backup import manifest
from app.backup.fuller import refuse_to_replace_fuller
from app.backup.manifest import Manifest
from app.errors import Conflict, Unreadable
from app.storage.files import to_disk


@contextmanager
def workshop(file: Path) -> Iterator[Path]:
    """An empty folder beside `file` for this one copy, gone afterwards. Those that killed copies left go before."""
    with _one_at_a_time(file.parent):
        for left in file.parent.glob(f".{glob.escape(file.name)}.*.partial"):
            _remove_if_left(left)
        made = Path(tempfile.mkdtemp(prefix=f".{file.name}.", suffix=".partial", dir=file.parent))
        held = _locked(made)
    try:
        yield made
    finally:
        shutil.rmtree(made)
        os.close(held)


def put_in_place(partial: Path, file: Path, proof: Manifest, *, force: bool) -> None:
    """Killed in between, there is a whole file that counts as unproven, never one beside another's manifest.

    Raises what `refuse_taken` does, where another copy came first meanwhile, and Conflict where `file` is far fuller.
    """
    proof_file, partial_proof = manifest.path_for(file), manifest.path_for(partial)
    partial_proof.write_text(proof.model_dump_json(indent=2) + "\n")
    to_disk(partial_proof)
    with _one_at_a_time(file.parent):
        refuse_taken(file, force=force)
        refuse_to_replace_fuller(file, proof.rows)
        proof_file.unlink(missing_ok=True)
        partial.replace(file)
        partial_proof.replace(proof_file)
        to_disk(file.parent)


def refuse_taken(file: Path, *, force: bool) -> None:
    """Raises Conflict where something has the name already, unless `force`, and Unreadable where that is no file."""
    if file.is_dir():
        raise Unreadable(f"{file} is a folder.", f"Name a file in it:  {file / 'backup.db'}")
    if file.exists() and not file.is_file():
        raise Unreadable(f"{file} is a pipe, socket or device, not a file.", "Choose another name.")
    # Also a link that leads nowhere is something that is there.
    if os.path.lexists(file) and not force:
        raise Conflict(f"{file} exists already.", "Choose another name, or overwrite it with --force.")


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
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
