"""What is kept of a database before another file takes its place."""

from app.backup.keep import keep
from app.errors import Broken
from app.storage.mounts import Storage, beside
from tests.app.backup.conftest import Make


def test_a_log_that_sqlite_folded_in_while_it_failed_to_copy_is_not_missed(make: Make, monkeypatch):
    storage = make(items=1)
    log = beside(storage.path, "-wal")
    log.write_bytes(b"folded in by the look that found the damage")

    def fails(_storage: Storage, _file: object) -> None:
        log.unlink()
        raise Broken("malformed")

    monkeypatch.setattr("app.backup.keep.snapshot", fails)
    kept = keep(storage, "before-restore")
    assert kept and kept.files == [kept.file] and not kept.sound
    assert kept.file.read_bytes() == storage.path.read_bytes()
