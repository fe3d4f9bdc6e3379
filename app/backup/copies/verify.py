"""Is this file a whole, unchanged backup that this version can restore? Reads only."""

import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

from app.backup.copies import manifest
from app.database.contents import Check, Contents, read_contents, refuse_unsound
from app.database.header import read_header
from app.database.sqlite import fold_in, opened, unchanging, uri_of
from app.database.strange_logs import refuse_strange_log
from app.errors import AS_ANOTHER, Broken, Mismatch, NotSqlite, Unreadable
from app.storage.files import Progress, sha256_of, sidecars, why_not_sqlite

USE_ANOTHER = "Use another backup: an older one may be whole."
UNPROVEN = 3
"""Exit code of the command for a sound file without a manifest."""


@dataclass(frozen=True)
class Verified:
    """A sound database of this app. `proven`: byte for byte the file that was backed up, by its manifest.

    `whole`: also whether the indexes fit the rows was looked at, just now.
    """

    file: Path
    size_bytes: int
    sha256: str
    contents: Contents
    proven: bool
    whole: bool


def verify(
    file: Path,
    *,
    fold: bool = False,
    progress: Progress | None = None,
    sha256: str | None = None,
    proven: Check = "integrity_check",
) -> Verified:
    """Raises the Refused that fits. Writes nothing, unless `fold`, which first brings a -wal beside `file` into it.

    `sha256`: of a file with a manifest, where who has just written it took it on the way; None: it is read for that.
    `proven`: the check for what is byte for byte the file that was checked when it was backed up.
    """
    try:
        return _verify(file, fold=fold, progress=progress, known=sha256, proven=proven)
    except Broken as broken:
        broken.hint = broken.hint or USE_ANOTHER
        raise


def _verify(file: Path, *, fold: bool, progress: Progress | None, known: str | None, proven: Check) -> Verified:
    refuse_unreadable(file, _where_it_may_be(file))
    proof = manifest.read(file)
    if proof:
        # First, so that a changed byte is told as what it is, wherever it stands.
        sha256 = _proven_bytes(file, proof, known, progress)
        refuse_not_sqlite(file)
    else:
        refuse_not_sqlite(file)
        _refuse_or_fold(file, fold=fold)
        _refuse_cut_short(file)
        sha256 = sha256_of(file, progress)
    with opened(unchanging(file), file) as connection:
        contents = read_contents(connection, file)
        check = proven if proof else "integrity_check"
        refuse_unsound(connection, file, check=check)
    if proof:
        proof.refuse_other_contents(file, contents)
    whole = check == "integrity_check"
    return Verified(file, file.stat().st_size, sha256, contents, proven=proof is not None, whole=whole)


def unverified(file: Path) -> Verified:
    """The file's bytes, whatever they are. Raises Unreadable."""
    refuse_unreadable(file, _where_it_may_be(file))
    return Verified(file, file.stat().st_size, sha256_of(file), Contents({}, ""), proven=False, whole=False)


def _where_it_may_be(file: Path) -> str:
    folder, outside = shlex.quote(str(file.parent)), shlex.quote(str(file))
    return (
        f"Is it typed right? What is there:  ls -l {folder}\n"
        "In a container only what is inside is there. For a backup outside, type there:\n"
        f"  python scripts/manage_db_volume.py restore {outside}"
    )


def refuse_unreadable(file: Path, if_missing: str = "") -> None:
    """`if_missing`: what to do then."""
    try:
        status = file.stat()
        if stat.S_ISREG(status.st_mode):
            file.open("rb").close()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        hint = AS_ANOTHER if isinstance(error, PermissionError) else ""
        hint = if_missing if isinstance(error, FileNotFoundError) else hint
        raise Unreadable(f"Can't read {file}: {why}.", hint) from None
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
        raise Unreadable(f"{file} is {kind}, not a file.")


def refuse_not_sqlite(file: Path) -> None:
    """Told from the file's first bytes, without SQLite. Raises Broken where these are damaged."""
    header = read_header(file)
    if why := why_not_sqlite(header.start):
        raise NotSqlite(f"{file} is no backup: {why}.")
    if header.fault:
        raise Broken(f"{file} is damaged: {header.fault}.")


def _proven_bytes(file: Path, proof: manifest.Manifest, known: str | None, progress: Progress | None) -> str:
    if left := sidecars(file):
        raise Mismatch(
            f"{file} is not what its manifest says: it was opened and changed after the backup ({left[0].name}).",
            "Take another backup.",
        )
    sha256 = known or sha256_of(file, progress)
    proof.refuse_other_bytes(file, file.stat().st_size, sha256)
    return sha256


def _refuse_or_fold(file: Path, *, fold: bool) -> None:
    refuse_strange_log(file)
    left = sidecars(file)
    if left and not fold:
        raise Broken(
            f"{file} is not the whole database: {left[0].name} beside it holds changes that are not in it.",
            "It was copied from a running or killed app. Take a backup of that app instead.",
        )
    if left:
        fold_in(file, uri_of(file, "rw"))


def _refuse_cut_short(file: Path) -> None:
    size, whole = file.stat().st_size, read_header(file).least_bytes
    if size < whole:
        raise Broken(f"{file} is cut short: {size:,} of {whole:,} bytes are there.")
