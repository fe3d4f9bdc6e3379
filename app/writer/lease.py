"""One writer at a time, on one host or on many: who may open the database, until when, and who comes next.

A folder beside the database holds *terms*: files whose names carry a number, made with O_EXCL, each one higher than the
last. The highest term holds. Its content is the holder's record, rewritten in place as a heartbeat. Nothing else is
seen in time by other clients of a network mount: not locks, not a rename, not stat (measured on NFS 4.1, NFS 3, SMB).

- A holder may write for WRITE_DEADLINE seconds after the *start* of its last good renewal: rewrite, fsync, listdir,
  still the highest. So a commit costs no round trip, and a holder that is cut off, suspended or overtaken knows it by
  its clock.
- Another one may follow at once where the last term was released, and after EXPIRES_AFTER seconds without a heartbeat
  where it was not. It counts on its own clock; the clocks of two hosts are never compared.
- On a local file system the holder also keeps a lock of the operating system. That lock then says who is alive, without
  waiting, and there is no fence.
"""

import secrets
import socket
import threading
from contextlib import suppress
from dataclasses import replace

from app.storage.mounts import Storage
from app.writer.lease_files import Clock, Folder, LocalLock, Names, Time, cant_be_used, folder_of, local_lock
from app.writer.terms import (
    Acquired,
    Doubt,
    Lost,
    Observation,
    Record,
    Removed,
    State,
    first_record,
    highest,
    last_record_before,
    request_file,
    requested_term,
    term_file,
    term_number,
)

RENEW_EVERY = 2.0
OBSERVE_EVERY = 0.25
WRITE_DEADLINE = 10.0
EXPIRES_AFTER = 20.0
RESERVED = 5.0
"""Seconds for which a term that was handed over is kept for the one that asked for it."""
DRIFT = 0.2
"""The most by which the clocks of two hosts may differ in speed."""


class Lease:
    """One instance's part in it. Its threads may share it: one renews, another one takes and releases."""

    def __init__(
        self, names: Names, *, lock: LocalLock | None = None, clock: Time | None = None, owner: str = ""
    ) -> None:
        self.owner = owner or f"{socket.gethostname()[:24]}-{secrets.token_hex(4)}"
        self.local = lock is not None
        self._names, self._lock, self._clock = names, lock, clock or Clock()
        self._seen: tuple[int, bytes, float] = (-1, b"", 0.0)
        self._asked = 0
        self._term: int | None = None
        self._record = Record(self.owner)
        self._renewed = -WRITE_DEADLINE
        self._removed = False
        self._writing = threading.Lock()  # a renewal must not write "held" over a release

    @property
    def term(self) -> int | None:
        """The number of the term that is this instance's, None without one."""
        return self._term

    @property
    def doubt(self) -> Doubt | None:
        """Why the file may not be sound, None where it is known to be."""
        return self._record.doubt

    def holds(self) -> bool:
        """May it write, and acknowledge what it wrote?"""
        return self._term is not None and (self.local or self._clock.now() - self._renewed < WRITE_DEADLINE)

    def observe(self) -> Observation:
        """Who holds now, and since when nothing was heard of them."""
        began = self._clock.now()
        term = highest(self._names.list())
        content = self._names.read(term_file(term)) if term else b""
        if (term, content) != self._seen[:2]:
            # From the end of this look: the holder may have written just before it.
            self._seen = (term, content, self._clock.now())
        return Observation(term, content, max(0.0, began - self._seen[2]))

    def request_handover(self, observation: Observation) -> bool:
        """Asks the holder of `observation` to hand over, once a term; True the first time."""
        if self._asked == observation.term:
            return False
        self._asked = observation.term
        return self._names.create(request_file(observation.term, self.owner))

    def acquire(self, observation: Observation) -> Acquired | None:
        """The next term, if the one in `observation` may be followed and nobody was quicker."""
        if not self._may_follow(observation) or not (self._lock is None or self._lock.acquire()):
            return None
        acquired = None
        try:
            acquired = self._acquire_next(observation)
        finally:
            if acquired is None and self._lock:
                self._lock.release()
        return acquired

    def renew(self) -> frozenset[str]:
        """One heartbeat; gives the owners that ask for the lease. Raises Lost where another term is there.

        Where somebody has removed the folder, it is made again on a local disk, whose lock says that nobody else has
        come since; else this raises Removed, each time, and the fence is closed.
        An OSError means that nothing is known: the fence closes by itself if that goes on.
        """
        with self._writing:
            if self._term is None:
                return frozenset()
            if self.local:
                return self._still_highest(self._term, self._clock.now())
            return self._beat(self._term)

    def note(self, **what: str | int | None) -> None:
        """A renewal that also says something new of the database: schema, pending, doubt (terms.py). Raises Lost."""
        with self._writing:
            if self._term is None:
                raise Lost
            self._record = replace(self._record, **what)
            self._beat(self._term)

    def release(self, state: State = "released", *, successor: str | None = None) -> None:
        """Lets the next one follow at once. The database must be closed; "abandoned": it was never safe to open."""
        with self._writing:
            if self._term is None:
                return
            term, self._term = self._term, None
            try:
                record = replace(self._record, state=state, successor=successor)
                if self._lock and not highest(self._listed()):
                    self._lock.make_again(self._names, term_file(term), record.to_bytes())
                else:
                    self._names.rewrite(term_file(term), record.to_bytes())
            except OSError:
                if term in map(term_number, self._listed()):
                    raise
                # Swept by the holder of a higher term: there is nothing to release.
            finally:
                self._names.close()
                if self._lock:
                    self._lock.release()

    def _may_follow(self, observation: Observation) -> bool:
        if observation.state == "released":
            reserved_for = observation.record.successor if observation.record else None
            return reserved_for in (None, self.owner) or observation.silent_for >= RESERVED
        return observation.state == "abandoned" or self.local or observation.silent_for >= EXPIRES_AFTER

    def _acquire_next(self, observation: Observation) -> Acquired | None:
        term = observation.term + 1
        room_of = term_file(observation.term) if self.local and observation.term else None
        if not self._names.create(term_file(term), room_of):
            return None
        forced = observation.state != "released" and not self.local
        try:
            self._introduce(term, observation, forced=forced)
            with self._writing:
                self._beat(term)
                self._term = term
        except (Lost, FileNotFoundError):
            # Somebody took an even higher one meanwhile.
            self._forget()
            return None
        except OSError:
            # A term of which nothing can be written, on a full disk say, would let others wait for one that is dead.
            self._forget()
            with suppress(OSError):
                self._names.remove(term_file(term))
            raise
        self._sweep(term)
        return Acquired(term, forced, self._record.pending, self._record.schema)

    def _introduce(self, term: int, observation: Observation, *, forced: bool) -> None:
        """The first record of a term. When it returns, the fence of the holder in `observation` has closed."""
        last = observation.record or last_record_before(self._names, observation.term)
        self._record = first_record(self.owner, last)
        self._names.rewrite(term_file(term), self._record.to_bytes())
        if forced and self._names.read(term_file(observation.term)) != observation.content:
            # It renewed while this instance decided, and may write until its fence closes; its next renewal fails.
            self._clock.sleep(WRITE_DEADLINE * (1 + DRIFT))
            last = Record.from_bytes(self._names.read(term_file(observation.term))) or last
            self._record = first_record(self.owner, last)

    def _beat(self, term: int) -> frozenset[str]:
        began = self._clock.now()
        if self._removed:  # the name, if it is there, is another one's
            return self._still_highest(term, began)
        self._record = replace(self._record, beat=self._record.beat + 1)
        try:
            self._names.rewrite(term_file(term), self._record.to_bytes())
        except OSError:
            # The holder of a higher term may have swept it, for which each file system has an error of its own.
            self._still_highest(term, self._renewed)
            raise
        return self._still_highest(term, began)

    def _still_highest(self, term: int, began: float) -> frozenset[str]:
        names = self._listed()
        if not highest(names) and term == self._term:
            if self._lock is None:
                self._removed, self._renewed = True, -WRITE_DEADLINE
                raise Removed
            if self._lock.make_again(self._names, term_file(term), self._record.to_bytes()):
                return frozenset()
        if highest(names) != term or self._removed:
            self._forget()
            raise Lost
        self._renewed = began
        asks = request_file(term, "")
        return frozenset(name.removeprefix(asks) for name in names if name.startswith(asks))

    def _listed(self) -> list[str]:
        try:
            return list(self._names.list())
        except FileNotFoundError:
            return []  # somebody has removed the whole folder

    def _forget(self) -> None:
        self._term, self._removed = None, False
        self._names.close()

    def _sweep(self, term: int) -> None:
        with suppress(OSError):  # the next holder tries again
            for name in self._names.list():
                if 0 < (term_number(name) or requested_term(name)) < term:
                    self._names.remove(name)


def lease_of(storage: Storage) -> Lease:
    """The lease on the database of `storage`, in a folder beside it that is made here."""
    folder = Folder(folder_of(storage))
    try:
        folder.make()
        folder.list()
    except OSError as error:
        raise cant_be_used(storage, error) from error
    return Lease(folder, lock=local_lock(storage) if storage.profile == "shared" else None)
