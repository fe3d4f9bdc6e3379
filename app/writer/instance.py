"""This process's part among the instances on one database: it writes, or it stands by until it may.

A standby is alive for the platform and leaves the database alone. One that has just started asks the writer, once, to
hand over; requests that reach a standby meanwhile wait instead of failing. So a redeploy needs no failed request.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import structlog

from app.database.engine import Database
from app.database.migrations import too_new
from app.errors import Locked, Problem, Unwell
from app.storage.mounts import Storage
from app.writer import gate
from app.writer.checkup import Hourly, Keep
from app.writer.gate import RequestGate
from app.writer.heartbeat import Heartbeat
from app.writer.lease import lease_of
from app.writer.lease_files import cant_be_used
from app.writer.release import Releaser
from app.writer.terms import Observation
from app.writer.watch import Watch

OPENS_WITHIN = 5.0
"""Seconds for which one that stops waits for an opening that is under way, so that it is closed and released. Who
follows a killed one waits, and copies. The worker is killed STOP_SECONDS after SIGTERM (serving/shutdown.py)."""

log = structlog.get_logger()


class Instance:
    """Requests pass its gate, its heartbeat renews the lease, its watch opens the database, its releaser closes it.

    `prepare`, `keep`, `every_hour` and `requests_handover` are for the watch, `on_lease_lost` for the heartbeat.
    """

    def __init__(
        self,
        storage: Storage,
        prepare: Callable[[Database], object],
        *,
        keep: Keep | None = None,
        every_hour: Hourly | None = None,
        requests_handover: bool = True,
        on_lease_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.storage = storage
        self.backups: Callable[[], dict[str, Any] | None] = lambda: None
        """What /healthz says of them; set by the server where it makes any."""
        self.saw_backups: Callable[[dict[str, Any]], None] = lambda _standing: None
        """Called with what a command has just seen in their store (backups/backup_health.py); set there, too."""
        self.lease = lease_of(storage)
        self.gate = RequestGate(self.lease)
        self.heartbeat = Heartbeat(storage, self.lease, self.gate, on_lease_lost=on_lease_lost)
        self.releaser = Releaser(self.lease, self.gate, self.heartbeat)
        self.watch = Watch(
            storage,
            self.lease,
            self.gate,
            self.heartbeat,
            self.releaser,
            prepare=prepare,
            keep=keep,
            every_hour=every_hour,
            requests_handover=requests_handover,
        )

    # --- for requests -------------------------------------------------------------------------------------

    def probe(self) -> None:
        """Something has asked for its health. From now on requests may be routed here, so this is when it asks."""
        if not self.watch.probed.is_set():
            self.gate.expect_handover()
            self.watch.probed.set()

    @property
    def writes(self) -> bool:
        return self.gate.writes

    @property
    def problem(self) -> Problem | None:
        """What is wrong with the database, None while all is well or another instance has it."""
        return self.gate.problem

    @property
    def may_lack_changes(self) -> bool:
        """Of the open database, where what was saved may be missing and nobody has looked yet (possible_loss.py)."""
        opened = self.gate.opened
        return bool(opened and opened.condition.possible_loss)

    @property
    def database(self) -> Database:
        """The open database, for callers that end before the instance does. Raises Standby."""
        return self.gate.database

    def seen_now(self) -> datetime | None:
        """The time that the database has seen (app/database/seen_time.py), None while another instance has it."""
        opened = self.gate.opened
        return opened.seen_time.now() if opened else None

    def enter(self, wait: float | None = None) -> Database:
        """The database, open until `leave()`. Waits for a hand-over that is under way; raises Standby."""
        return self.gate.enter(wait)

    def leave(self) -> None:
        self.gate.leave()

    def using(self) -> AbstractContextManager[Database]:
        """The database for the length of the block; see `enter()`."""
        return self.gate.using()

    @property
    def should_yield(self) -> bool:
        """True when what takes long should break off: another instance asks for the database, or this one ends."""
        return bool(self.heartbeat.requested_by) or self.heartbeat.stopping.is_set()

    # --- from start to end --------------------------------------------------------------------------------

    def start(self) -> None:
        """Opens the database if nobody else has it, else stands by.

        It also stands by, and says why, where the database is not well: that can be mended while it does. Raises
        CannotStart, and then holds nothing.
        """
        observation = self._observe()
        self.watch.request_handover_later()
        self.heartbeat.start()
        try:
            if not self.watch.try_to_write(observation):
                log.info("Another instance has the database, or was killed with it. This one stands by.")
        except (Unwell, Locked) as problem:
            self.watch.retry_later(problem)
        except BaseException:
            self.heartbeat.end()
            raise
        self.watch.start()

    def _observe(self) -> Observation:
        try:
            observation = self.lease.observe()
        except OSError as error:
            raise cant_be_used(self.storage, error) from error
        if why := too_new(observation.schema, self.storage.path):
            raise why
        return observation

    def stop(self, wait: float = gate.MAX_DRAIN_WAIT) -> None:
        """Closes the database, so that the next instance can have it at once. Not while a request is still in it.

        `wait`: how many seconds those requests have to end.
        """
        self.heartbeat.stopping.set()
        with self.gate.changed:
            self.gate.state = "ended"
            self.gate.changed.notify_all()
            if not self.gate.drained(wait):
                log.error("A request is still in the database, so it was not released.")
                return
        try:
            # It may be opening the database just now. And on SMB a process that ends in the middle of opening a file
            # leaves the next one to wait (app/writer/lease_files.py).
            self.watch.join(OPENS_WITHIN if self.lease.term else gate.MAX_DRAIN_WAIT)
            self.releaser.close_and_release()
        except Exception as error:
            log.error(f"The database was not released: {error!r}.")
        finally:
            self.heartbeat.ended.set()
