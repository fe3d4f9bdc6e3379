"""Backups in a bucket or container (s3:, az:, gs:), by obstore: one interface for the three clouds.

Keys are never this app's settings. Where the platform gives an identity, that is taken; else what stands in the
provider's own variables (docs/backups.md).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, S3Store

from app.backup.stores.store import SMALL, Entry, StoreFailed, Writer
from app.errors import AS_ANOTHER, CannotStart, Conflict, NotFound
from app.setting_values import StoreUrl

PART = 8 << 20
"""Bytes that go up at once: an upload in parts takes 28 MB of memory, a conditional one all of the object."""
PARTS_AT_ONCE = 2
RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(minutes=2)}
WAITS: Any = {"connect_timeout": "10s", "read_timeout": "60s", "timeout": "30min"}
ALLOW_HTTP = ("AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP")
"""obstore's own variables, which it forgets when it is told how long to wait: for a store in a network of one's own."""
CREDENTIALS = "BACKUP_CREDENTIALS"
PROVIDERS = {"s3": "AWS_", "az": "AZURE_", "gs": "GOOGLE_"}
AZURE_ACCOUNT = "AZURE_STORAGE_ACCOUNT_NAME"
HINTS = {
    "s3": "AWS_REGION is the bucket's region. The platform's identity, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
    " must be allowed to read and write there.",
    "az": f"{AZURE_ACCOUNT} is the storage account; the app's identity there needs Storage Blob Data Contributor.",
    "gs": "The service account needs the role Storage Object User on the bucket.",
}

ODD_NAME = (
    "Something else has put an object of that name there, beside which none can be listed. Remove it with the cloud's "
    "own tool, or give the backups a folder of their own. A backup can be restored by its name meanwhile:  task-assist"
    " restore NAME"
)


class Bucket:
    def __init__(self, url: StoreUrl) -> None:
        self.url = url
        with self.translate_errors("reach"):
            self._store = _store(url)

    @contextmanager
    def upload(self, name: str) -> Iterator[Writer]:
        with self.translate_errors("write", name):
            file = obstore.open_writer(self._store, name, buffer_size=PART, max_concurrency=PARTS_AT_ONCE)
        writing = _Told(file, self, name)
        try:
            yield writing
        except BaseException as error:
            # obstore can't abort an upload in parts, whose parts would stay and cost. Where the store itself failed,
            # the bucket's rule for unfinished uploads takes them away.
            if not isinstance(error, StoreFailed):
                with suppress(StoreFailed):
                    writing.close()
                    self.remove(name)
            raise
        writing.close()

    def create(self, name: str, data: bytes) -> None:
        try:
            with self.translate_errors("write", name):
                obstore.put(self._store, name, data, mode="create", use_multipart=False)
        except Conflict:
            # A try whose answer was lost may have written it, and the next one found our own.
            if self.read(name) != data:
                raise

    def read(self, name: str) -> bytes:
        data = bytearray()
        with self.translate_errors("read", name):
            for piece in obstore.get(self._store, name).stream():
                data += bytes(piece)
                if len(data) >= SMALL:
                    break
        return bytes(data[:SMALL])

    def stream(self, name: str) -> Iterator[bytes]:
        with self.translate_errors("read", name):
            pieces = iter(obstore.get(self._store, name).stream())
        while True:
            with self.translate_errors("read", name):
                piece = next(pieces, None)
            if piece is None:
                return
            yield bytes(piece)

    def entries(self) -> list[Entry]:
        with self.translate_errors("list"):
            found = obstore.list_with_delimiter(self._store)["objects"]
        return [Entry(each["path"], each["size"], each["last_modified"]) for each in found]

    def remove(self, name: str) -> None:
        try:
            with self.translate_errors("remove", name):
                obstore.delete(self._store, name)
        except NotFound:
            return

    @contextmanager
    def translate_errors(self, doing: str, name: str = "") -> Iterator[None]:
        """What the cloud answers, as a Problem. Its own words are in it, without the address and its signature."""
        where = f"{self.url}/{name}".rstrip("/")
        try:
            yield
        except (FileNotFoundError, exceptions.NotFoundError) as error:
            if doing in ("read", "remove"):
                raise NotFound(f"There is no {where}.", "Nothing was changed.") from None
            raise StoreFailed(f"Can't {doing} {where}: there is no such bucket.", HINTS[self.url.scheme]) from error
        except exceptions.AlreadyExistsError:
            raise Conflict(f"{where} exists already.", "Nothing was changed.") from None
        except (exceptions.BaseError, OSError, ValueError) as error:
            hint = ODD_NAME if "invalid path" in str(error) else HINTS[self.url.scheme]
            raise StoreFailed(f"Can't {doing} {where}: {_in_short(error)}", hint) from error


class _Told:
    """What goes wrong with the upload is the store's fault, what else goes wrong in the block is not."""

    def __init__(self, file: Any, bucket: Bucket, name: str) -> None:
        self._file, self._bucket, self._name = file, bucket, name

    def write(self, data: bytes) -> int:
        with self._bucket.translate_errors("write", self._name):
            return self._file.write(data)

    def close(self) -> None:
        with self._bucket.translate_errors("write", self._name):
            self._file.close()


def provided(url: StoreUrl) -> dict[str, str]:
    """The provider's variables, from the files that BACKUP_CREDENTIALS names and else from the environment."""
    return {**os.environ, **_in_files(os.environ.get(CREDENTIALS), PROVIDERS[url.scheme])}


def _store(url: StoreUrl) -> Any:
    files = _in_files(os.environ.get(CREDENTIALS), PROVIDERS[url.scheme])
    known = provided(url)
    client = WAITS | {"allow_http": any(known.get(name, "").lower() == "true" for name in ALLOW_HTTP)}
    config = {name.lower(): value for name, value in files.items() if name not in ALLOW_HTTP}
    prefix, options = url.path or None, {"retry_config": RETRIES, "client_options": client, "config": config}
    if url.scheme == "s3":
        return S3Store(url.bucket, prefix=prefix, **options)
    if url.scheme == "gs":
        return GCSStore(url.bucket, prefix=prefix, **options)
    if not known.get(AZURE_ACCOUNT):
        raise CannotStart(
            f"BACKUP_URL={url} needs the name of the storage account.",
            f"Put a line like this into .env:\n    {AZURE_ACCOUNT}=taskassistbackup",
        )
    return AzureStore(url.bucket, prefix=prefix, **options)


def _in_files(folder: str | None, begin: str) -> dict[str, str]:
    """The provider's variables, which all `begin` so, that stand in files called as they are. Raises CannotStart."""
    if not folder:
        return {}
    try:
        found = [file for file in Path(folder).iterdir() if file.name.startswith(begin) and file.is_file()]
        files = {file.name: file.read_text(encoding="utf-8").strip() for file in found}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "a file in it is not text"
        raise CannotStart(f"{CREDENTIALS}={folder} can't be read: {why}.", AS_ANOTHER) from None
    if not files:
        raise CannotStart(
            f"{CREDENTIALS}={folder} has no file whose name begins with {begin}.",
            "Put each of the provider's variables into a file of its own there (docs/backups.md).",
        )
    return files


def _in_short(error: Exception) -> str:
    """One line of what the cloud and the library say, without addresses: a signed one would let others in."""
    said = str(error).partition("Debug source:")[0].split()
    return " ".join(word for word in said if "://" not in word)[:300]
