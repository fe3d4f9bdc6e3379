"""Closes the database that this instance has open and releases the lease: at its end, or for another one that asks.

What looks after the database beside the requests (checkup.py, checkpoints.py) ends before that, and goes on where it
stays open after all.
"""

import threading

import structlog

from app.database.engine import Database
from app.errors import Problem
from app.writer.checkup import Checkup
from app.writer.gate import RequestGate
from app.writer.heartbeat import Heartbeat
from app.writer.lease import EXPIRES_AFTER, Lease
from app.writer.lease_files import Clock
from app.writer.terms import State

PUT_OFF, PUT_OFF_AT_MOST = 1.0, 4.0
"""Seconds until a hand-over that was put off is tried again, twice as long each time: every try holds requests back."""

log = structlog.get_logger()


class Releaser:
    """One thread at a time closes: who comes second waits, and finds nothing open."""

    def __init__(self, lease: Lease, gate: RequestGate, heartbeat: Heartbeat) -> None:
        self._lease, self._gate, self._heartbeat = lease, gate, heartbeat
        self._checkup: Checkup | None = None
        self._clock = Clock()
        self._put_off_for, self._put_off_until = PUT_OFF, 0.0
        # One that stops during a hand-over waits for it: the process must not end between closing and releasing.
        self._release_lock = threading.Lock()

    def look_after(self, checkup: Checkup) -> None:
        """Starts the checkup of what is open now, which ends before that is closed. Under the gate's `changed`."""
        self._checkup = checkup
        checkup.start()

    # --- for another instance -----------------------------------------------------------------------------

    def hand_over_if_asked(self) -> None:
        """Not while a request runs that was waited for already: each try holds all the others back."""
        asking = self._heartbeat.requested_by
        if asking and self._clock.now() >= self._put_off_until and not self._gate.late:
            self.hand_over(min(asking))

    def hand_over(self, successor: str) -> None:
        """Lets running requests end, closes, and releases for `successor`. Stays the writer where that can't be now."""
        gate, released = self._gate, False
        if self._checkup and self._checkup.look():
            self._put_off()
            return
        with gate.changed:
            if gate.state != "writer":
                return
            gate.state = "handing over"
            gate.expect_handover()
            ready = gate.drained() and self._lease.holds() and not self._heartbeat.stopping.is_set()
        try:
            released = ready and self.close_and_release(successor)
        except Exception as error:
            log.error("An unexpected error in a hand-over.", exc_info=error)
        finally:
            with gate.changed:
                if gate.state == "handing over":
                    gate.state = "writer" if gate.opened else "standby"
                gate.changed.notify_all()
        if released:
            self._put_off_for = PUT_OFF
            log.info("Another instance asked for it, so this one stands by.")
        elif gate.state == "writer":  # and was not stopped meanwhile
            self._put_off()

    def _put_off(self) -> None:
        log.info(f"The hand-over is put off for {self._put_off_for:.0f} s.")
        self._put_off_until = self._clock.now() + self._put_off_for
        self._put_off_for = min(2 * self._put_off_for, PUT_OFF_AT_MOST)

    # --- closing ------------------------------------------------------------------------------------------

    def close_and_release(self, successor: str | None = None) -> bool:
        """True if it has closed the database; no request may have it. Else it is as it was, and the log says why."""
        with self._release_lock:
            opened = self._gate.opened
            if opened is None:
                return False
            try:
                self._close(opened)
            except Problem as problem:
                log.error(f"The database could not be closed, so it was not released: {problem.message}")
            finally:
                if self._gate.opened:
                    self._go_on(opened)
            if self._gate.opened:
                return False
            if self.release(successor=successor):
                log.info("Closed the database and released it.")
            return True

    def _close(self, database: Database) -> None:
        """Not where the deadline has passed: SQLite would remove the next writer's log by its name.

        Nor, where that can be put off, what must be kept first.
        """
        checkup, ends = self._checkup, self._gate.state == "ended"
        if checkup and ends and checkup.look():
            checkup.await_copy()
        if checkup and not checkup.end():
            log.error("A check of the file did not end, so the database was not released.")
            return
        if checkup and checkup.look():
            if not ends:
                return
            log.error(f"What the app had open of {database.storage.path} was not kept: it ends before it was copied.")
        # First, because on a mount that stops answering it lasts, and then the log is another one's when it ends.
        database.checkpoint()
        if not self._lease.holds():
            log.error("The lease ran out, so the database is left as it is.")
            if self._gate.state == "ended":
                self._heartbeat.on_lease_lost()
            return
        database.close()
        self._gate.opened, self._checkup, self._heartbeat.requested_by = None, None, frozenset()

    def _go_on(self, database: Database) -> None:
        """As the writer: neither where this instance ends, nor where the lease is lost."""
        if self._gate.state == "handing over":
            database.checkpoint_in_pauses()
            if self._checkup:
                self._checkup.start()

    def release_unopened(self, database: Database) -> None:
        """What could not be prepared is closed and released, unless the lease ran out meanwhile."""
        with self._release_lock:
            if not self._lease.holds():
                self._gate.opened = database  # not closed, not even by Python's garbage collection: see _close
                self._heartbeat.lose("The lease ran out while the database was being opened.")
                return
            try:
                database.close()
            finally:
                self.release()

    def release(self, state: State = "released", *, successor: str | None = None) -> bool:
        """False where it could not be written down; this instance has the lease no more all the same."""
        try:
            self._lease.release(state, successor=successor)
        except OSError as error:
            log.error(
                f"The release of the database could not be written down: {error}. On a network mount the next instance "
                f"waits {EXPIRES_AFTER:.0f} s and goes on with a copy."
            )
            return False
        return True
