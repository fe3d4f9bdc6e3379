"""What a server lets its clients keep, on file systems that know nothing of it; NFS and SMB are in tests/mounts."""

import errno
import os
import threading
from pathlib import Path

import pytest

from app.storage.delegations import call_back_leases, give_back_delegations, open_undelegated
from app.storage.mounts import Mount, Storage

pytestmark = pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="only Linux has O_DIRECT")


def storage_on(filesystem: str, path: Path) -> Storage:
    return Storage(path, Mount("/", "/", filesystem, "srv:/", read_only=False), "exclusive")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "term"
    made.write_bytes(b"held")
    return made


def refuse_direct(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A file system that refuses O_DIRECT, with that errno."""
    real = os.open

    def opened(path: Path, flags: int, *rest: int) -> int:
        if flags & os.O_DIRECT:
            raise OSError(number, os.strerror(number))
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", opened)


def test_pieces_of_any_length_can_be_read(file: Path):
    descriptor = open_undelegated(file, os.O_RDONLY)
    assert os.pread(descriptor, 3, 1) == b"eld"
    os.close(descriptor)


def test_a_file_system_without_direct_access_is_opened_as_usual(file: Path, monkeypatch: pytest.MonkeyPatch):
    refuse_direct(monkeypatch, errno.EINVAL)
    descriptor = open_undelegated(file, os.O_RDONLY)
    assert os.read(descriptor, 10) == b"held"
    os.close(descriptor)


def test_any_other_refusal_is_told(file: Path, monkeypatch: pytest.MonkeyPatch):
    refuse_direct(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        open_undelegated(file, os.O_RDONLY)


def test_giving_back_keeps_the_mode(file: Path):
    file.chmod(0o640)
    give_back_delegations(storage_on("nfs4", file))
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_file_of_another_user_is_left_as_it_is(file: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    give_back_delegations(storage_on("nfs4", file))


def test_only_nfs_4_has_something_to_give_back(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Path, "chmod", lambda *_: pytest.fail("not on ext4"))
    give_back_delegations(storage_on("ext4", file))


def opened(monkeypatch: pytest.MonkeyPatch, storage: Storage) -> set[str]:
    """The names of the files that are opened to call leases back, by a server that doesn't answer before we look."""
    names, all_there, answer = set[str](), threading.Semaphore(0), threading.Event()

    def wait(path: Path, _flags: int) -> int:
        names.add(path.name)
        all_there.release()
        answer.wait(10)
        raise OSError(errno.EIO, "no answer")

    monkeypatch.setattr(os, "open", wait)
    call_back_leases(storage)
    for _ in range(2):
        all_there.acquire(timeout=1)
    answer.set()
    return names


def test_smb_is_made_to_call_back_what_a_silent_writer_keeps(file: Path, monkeypatch: pytest.MonkeyPatch):
    assert opened(monkeypatch, storage_on("cifs", file)) == {"term", "term-wal"}


def test_whoever_opens_the_database_can_wait_for_the_threads_that_will_close_it(file: Path):
    """Closing it later would drop the locks that SQLite has on it by then."""
    opening = call_back_leases(storage_on("cifs", file))
    assert len(opening) == 2
    for thread in opening:
        thread.join(10)
        assert not thread.is_alive()


def test_a_standby_opens_nothing_on_nfs(file: Path, monkeypatch: pytest.MonkeyPatch):
    assert opened(monkeypatch, storage_on("nfs4", file)) == set()
