"""age: whoever has only the public keys can make backups, and read none.

`pyrage.encrypt_io` is used alone: it streams, and lets other threads run. Its `encrypt_file` lets none run, and
`encrypt` takes three times the file.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from app.backup.stores.store import Writer
from app.backup.transfer.hashing import Reader
from app.errors import AS_ANOTHER, Broken, CannotStart, Forbidden, Unreadable

KEY_FILE = "Name the file that age-keygen wrote when the public key in BACKUP_RECIPIENT was made."
SECRET = "AGE-SECRET-KEY-"  # noqa: S105


def refuse_bad_recipients(keys: tuple[str, ...]) -> None:
    """Raises CannotStart for a public key with a typing mistake in it (each has a checksum)."""
    _recipients(keys)


def encrypt(source: Reader, target: Writer, keys: tuple[str, ...]) -> None:
    """For each of the public keys `keys`."""
    pyrage = _pyrage()
    given = _Kept(source, target)
    try:
        pyrage.encrypt_io(given, given, _recipients(keys))
    except (pyrage.EncryptError, OSError):
        given.raise_own()
        raise


def decrypt(source: Reader, target: Writer, identities: list[Any]) -> None:
    """Raises Forbidden where none of the keys fits, Broken for what is damaged or was never encrypted."""
    pyrage = _pyrage()
    given = _Kept(source, target)
    try:
        pyrage.decrypt_io(given, given, identities)
    except (pyrage.DecryptError, OSError) as error:
        given.raise_own()
        if "No matching keys" in str(error):
            raise Forbidden(
                "It was encrypted for other keys than those in the file that --identity names.",
                "Its manifest says for which public keys:  task-assist backup list --json",
            ) from None
        raise Broken(f"It can't be decrypted: {error}.") from None


def identities_in(file: Path) -> list[Any]:
    """The private keys in a file as age-keygen writes it. Nothing of it is ever told."""
    pyrage = _pyrage()
    try:
        lines = file.read_text(encoding="utf-8").split()
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith(SECRET)]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text, or a key in it has a mistake"
        hint = AS_ANOTHER if isinstance(error, PermissionError) else KEY_FILE
        raise Unreadable(f"Can't read the keys in {file}: {why}.", hint) from None
    if not found:
        raise Unreadable(f"{file} holds no private key of age: a line that begins with {SECRET}.", KEY_FILE)
    return found


def public_keys_of(identities: list[Any]) -> set[str]:
    return {str(identity.to_public()) for identity in identities}


def _recipients(keys: tuple[str, ...]) -> list[Any]:
    pyrage = _pyrage()
    made = []
    for key in keys:
        try:
            made.append(pyrage.x25519.Recipient.from_str(key))
        except pyrage.RecipientError:
            raise CannotStart(
                f"BACKUP_RECIPIENT: {key} is no public key of age; there is a mistake in it.",
                "Copy the line again that age-keygen printed:  Public key: age1...",
            ) from None
    return made


def _pyrage() -> Any:
    """Its own description of its types lacks most of it."""
    return import_module("pyrage")


class _Kept:
    """pyrage tells of an error that Python's reader or writer raised by its text alone, so the error is kept here."""

    def __init__(self, source: Reader, target: Writer) -> None:
        self._source, self._target = source, target
        self._error: Exception | None = None

    def read(self, size: int) -> bytes:
        try:
            return self._source.read(size)
        except Exception as error:
            self._error = error
            raise

    def write(self, data: bytes) -> int:
        try:
            return self._target.write(data)
        except Exception as error:
            self._error = error
            raise

    def flush(self) -> None:
        """pyrage asks for it."""

    def raise_own(self) -> None:
        if self._error:
            raise self._error from None
