"""This process's part among the instances on one database: it writes, or it stands by until it may.

A standby is alive for the platform and leaves the database alone. One that has just started asks the writer, once, to
hand over; requests that reach a standby meanwhile wait instead of failing. So a redeploy needs no failed request.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import structlog

from app.database.engine import Database
from app.database.migrations import known_revisions, too_new
from app.errors import Problem, Standby, StorageFull
from app.storage.delegations import call_back_leases
from app.storage.mounts import Storage
from app.writer import takeover
from app.writer.lease import (
    EXPIRES_AFTER,
    OBSERVE_EVERY,
    RENEW_EVERY,
    WRITE_DEADLINE,
    Acquired,
    Lost,
    Observation,
    cant_be_used,
    lease_of,
)
from app.writer.lease_files import Clock

MAX_HANDOVER_WAIT = 5.0
"""Seconds for which a request waits for a hand-over."""
MAX_DRAIN_WAIT = 1.5
"""Seconds that running requests have to end before a hand-over, which else is put off."""
UNASKED = 5.0
"""Seconds after which a starting instance asks for the lease though no platform has looked at its health."""
SILENT = EXPIRES_AFTER / 2
"""Seconds without a heartbeat after which the writer may have died: time to prepare, not yet to take over."""
RETRY = 15.0
"""Seconds until a standby tries again after it could not open the database."""

UNCONFIRMED = "Nothing is confirmed: look whether your change is there before you send it again."

log = structlog.get_logger()
State = Literal["standby", "writer", "handing over", "lost", "ended"]


class Instance:
    """`prepare` brings an opened database up to this code, and raises CannotStart where it can't.

    `requests_handover` is False for an instance that comes back after it lost the lease. `on_lease_lost` is called, in
    a thread, when this process must end without touching the database again.
    """

    def __init__(
        self,
        storage: Storage,
        prepare: Callable[[Database], object],
        *,
        requests_handover: bool = True,
        on_lease_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.storage = storage
        self._probed = threading.Event()
        self._prepare, self._requests_handover, self._on_lease_lost = prepare, requests_handover, on_lease_lost
        self._lease = lease_of(storage)
        self._clock = Clock()
        self._database: Database | None = None
        self._state: State = "standby"
        self._changed = threading.Condition()
        self._inside = 0
        self._handover_expected_until = self._ask_from = self._rest_until = 0.0
        self._asking: frozenset[str] = frozenset()
        self._said = ""
        self._called_back = b""
        self._stopping = threading.Event()
        self._ended = threading.Event()
        """The heart beats until then: closing a large database may take longer than the fence."""
        self._letting_go = threading.Lock()
        self._watching = threading.Thread(target=self._watch, name="lease-watch", daemon=True)

    # --- for requests -------------------------------------------------------------------------------------

    def probe(self) -> None:
        """Something has asked for its health. From now on requests may be routed here, so this is when it asks."""
        if not self._probed.is_set():
            self._expect_handover()
            self._probed.set()

    @property
    def writes(self) -> bool:
        return self._state in ("writer", "handing over") and self._lease.holds()

    @property
    def database(self) -> Database:
        """The open database, for callers that end before the instance does. Raises Standby."""
        if self._database is None or self._state not in ("writer", "handing over"):
            raise standing_by(self._said)
        if not self._lease.holds():
            raise unsure("Nothing was changed. task-assist doctor says how the storage is.")
        return self._database

    @property
    def expects_handover(self) -> bool:
        """Does a request that comes now do well to wait?"""
        return not self.settled and self._clock.now() < self._handover_expected_until

    @property
    def settled(self) -> bool:
        """It has the database, or is not going to have it any more."""
        return self._state in ("writer", "lost", "ended")

    def wait_for_handover(self, seconds: float | None = None) -> None:
        """Returns when `settled`, or after `seconds`, by default MAX_HANDOVER_WAIT."""
        with self._changed:
            self._changed.wait_for(lambda: self.settled, MAX_HANDOVER_WAIT if seconds is None else seconds)

    def enter(self, wait: float | None = None) -> Database:
        """The database, open until `leave()`. Waits for a hand-over that is under way; raises Standby."""
        with self._changed:
            if self.expects_handover:
                self.wait_for_handover(wait)
            if self._state != "writer":
                raise standing_by(self._said)
            database = self.database
            self._inside += 1
            return database

    @contextmanager
    def using(self) -> Iterator[Database]:
        """The database for the length of the block; see `enter()`."""
        database = self.enter()
        try:
            yield database
        finally:
            self.leave()

    @property
    def wanted(self) -> bool:
        """True when what takes long should break off: another instance asks for the database, or this one ends."""
        return bool(self._asking) or self._stopping.is_set()

    def leave(self) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    # --- from start to end --------------------------------------------------------------------------------

    def start(self) -> None:
        """Opens the database if nobody else has it, else stands by. Raises CannotStart, and then holds nothing."""
        try:
            observation = self._lease.observe()
        except OSError as error:
            raise cant_be_used(self.storage, error) from error
        if why := too_new(observation.schema, self.storage.path):
            raise why
        self._ask_from = self._clock.now() + UNASKED
        self._expect_handover()
        threading.Thread(target=self._heart, name="lease-heart", daemon=True).start()
        try:
            if not self._try_to_write(observation):
                log.info("Another instance has the database, or was killed with it. This one stands by.")
        except StorageFull as full:
            self._rest(full)
        except BaseException:
            self._stopping.set()
            self._ended.set()
            raise
        self._watching.start()

    def stop(self) -> None:
        """Closes the database, so that the next instance can have it at once. Not while a request is still in it."""
        self._stopping.set()
        with self._changed:
            self._state = "ended"
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._inside == 0, MAX_DRAIN_WAIT):
                log.error("A request is still in the database, so it was not released.")
                return
        # It may be opening the database just now. And on SMB a process that ends in the middle of opening a file leaves
        # the next one to wait (app/writer/lease_files.py).
        if self._watching.is_alive():
            self._watching.join(MAX_DRAIN_WAIT)
        self._let_go()
        self._ended.set()

    # --- the heart: renews --------------------------------------------------------------------------------

    def _heart(self) -> None:
        while not self._ended.wait(RENEW_EVERY):
            try:
                self._asking = self._lease.renew() - {self._lease.owner}
            except Lost:
                self._lose("Another instance has taken over.")
                return
            except OSError as error:
                log.warning(f"The lease on {self.storage.path} could not be renewed: {error}.")

    def _lose(self, why: str) -> None:
        with self._changed:
            if self._state in ("lost", "ended"):
                return
            self._state, self._said = "lost", why
            self._changed.notify_all()
        log.error(f"{why} This one does not write any more, and starts anew as a standby.")
        self._stopping.set()
        self._ended.set()
        threading.Thread(target=self._on_lease_lost, name="lease-lost", daemon=True).start()

    def _fail(self) -> None:
        self._lose("The storage answers with errors.")
        raise Standby("The storage answered with an error.", UNCONFIRMED, retry_after=2)

    def _fence(self) -> None:
        if not self._lease.holds():
            raise unsure(UNCONFIRMED)

    # --- the watch: takes over, hands over -----------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopping.wait(OBSERVE_EVERY):
            try:
                if self._state == "standby":
                    self._stand_by()
                elif self._state == "writer" and self._asking:
                    self._hand_over(min(self._asking))
            except Problem as problem:
                self._rest(problem)
            except OSError as error:
                log.warning(str(cant_be_used(self.storage, error)))
                self._stopping.wait(RENEW_EVERY)
            except Exception as error:
                log.error("An unexpected error in the watch over the lease.", exc_info=error)
                self._rest_until = self._clock.now() + RETRY

    def _stand_by(self) -> None:
        observation = self._lease.observe()
        if observation.silent_for >= SILENT and observation.content != self._called_back:
            self._called_back = observation.content
            call_back_leases(self.storage)
        if self._clock.now() < self._rest_until:
            return
        if why := too_new(observation.schema, self.storage.path):
            self._say(f"This instance stands by: {why}")
            return
        if observation.state == "released":
            self._expect_handover()
        if not self._try_to_write(observation) and self._may_ask() and self._lease.ask(observation):
            log.info("Asked the instance that has the database to hand over.")
            self._expect_handover()

    def _may_ask(self) -> bool:
        return self._requests_handover and (self._probed.is_set() or self._clock.now() >= self._ask_from)

    def _try_to_write(self, observation: Observation) -> bool:
        try:
            acquired = self._lease.acquire(observation)
        except OSError as error:
            raise cant_be_used(self.storage, error) from error
        if acquired is None:
            return False
        # Once it has had its turn: one that can't open the database must not stop the one that can again and again.
        self._requests_handover = False
        try:
            self._database = self._open(acquired)
        except Lost:
            return False
        self._said, self._asking = "", frozenset()
        with self._changed:
            if self._state != "standby":
                return False  # it was stopped meanwhile; stop() closes and releases
            self._state = "writer"
            self._changed.notify_all()
        if acquired.term > 1:
            log.info(f"This instance has the database now (term {acquired.term}).")
        return True

    def _open(self, acquired: Acquired) -> Database:
        """The database, which nobody else can reach now. If it can't be opened, the lease is given up."""
        try:
            if acquired.forced:
                log.warning("The last instance did not release the database. This one goes on with a copy.")
                takeover.begin(self.storage, self._lease, acquired)
        except BaseException:
            self._lease.release("abandoned")
            raise
        database = Database(self.storage, fence=self._fence, failing=self._fail)
        try:
            self._prepare(database)
            database.open_all()
            self._lease.note_schema(known_revisions()[-1])
        except BaseException:
            if not self._lease.holds():
                self._database = database  # not closed, not even by Python's garbage collection: see _let_go
                self._lose("The lease ran out while the database was being opened.")
                raise
            try:
                database.close()
            finally:
                self._lease.release()
            raise
        return database

    def _hand_over(self, successor: str) -> None:
        with self._changed:
            if self._state != "writer":
                return
            self._state = "handing over"
            self._expect_handover()
            drained = self._changed.wait_for(lambda: self._inside == 0, MAX_DRAIN_WAIT)
            ready = drained and self._lease.holds() and not self._stopping.is_set()
        try:
            if ready:
                self._let_go(successor)
                log.info("Another instance asked for it, so this one stands by.")
        finally:
            with self._changed:
                if self._state == "handing over":
                    self._state = "writer" if self._database else "standby"
                self._changed.notify_all()

    def _let_go(self, successor: str | None = None) -> None:
        """Closes and releases. Not where the fence has closed: SQLite would remove the next writer's log by name."""
        # One that stops during a hand-over waits for it: the process must not end between closing and releasing.
        with self._letting_go:
            if self._database is None:
                return
            # First, because on a mount that stops answering it lasts, and then the log is another one's when it ends.
            self._database.fold_in()
            if not self._lease.holds():
                log.error("The lease ran out, so the database is left as it is.")
                self._on_lease_lost()
                return
            self._database.close()
            self._database, self._asking = None, frozenset()
            self._lease.release(successor=successor)
            log.info("Closed the database and released it.")

    def _rest(self, why: Problem) -> None:
        self._rest_until = self._clock.now() + RETRY
        self._say(f"This instance stands by, and can't take over: {why}")

    def _expect_handover(self) -> None:
        self._handover_expected_until = self._clock.now() + MAX_HANDOVER_WAIT

    def _say(self, text: str) -> None:
        """Each thing once, not at every look."""
        if text != self._said:
            self._said = text
            log.warning(text)


def unsure(hint: str) -> Standby:
    return Standby(
        f"The storage has not answered for {WRITE_DEADLINE:.0f} s: this instance can't be sure any more "
        "that it alone writes.",
        hint,
        retry_after=2,
    )


def standing_by(why: str = "") -> Standby:
    return Standby(
        why or "Another instance of Task Assist is taking over, so this one can't answer just now.",
        "Nothing was changed.",
        retry_after=2,
    )
