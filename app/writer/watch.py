"""The watch over the lease: asks for the database, and takes it over when it is free (release.py hands it over)."""

import threading
from collections.abc import Callable

import structlog

from app.database import possible_loss
from app.database.contents import revision_of
from app.database.engine import Database
from app.database.migrations import known_revisions, too_new
from app.errors import Locked, Problem, Unwell
from app.storage.delegations import call_back_leases
from app.storage.led_elsewhere import is_led_elsewhere, note_links
from app.storage.mounts import Storage
from app.writer.checkup import Checkup, Hourly, Keep
from app.writer.gate import RequestGate
from app.writer.heartbeat import Heartbeat
from app.writer.lease import EXPIRES_AFTER, OBSERVE_EVERY, RENEW_EVERY, Lease, Lost
from app.writer.lease_files import Clock, cant_be_used
from app.writer.other_holder import how_to_find
from app.writer.release import Releaser
from app.writer.replaced_while_opening import copy_if_replaced
from app.writer.safe_acquire import acquire_without_loss
from app.writer.takeover import TakeOver
from app.writer.terms import Acquired, Observation

MAX_WAIT_FOR_PROBE = 5.0
"""Seconds after which a starting instance asks for the lease though no platform has looked at its health."""
SILENT = EXPIRES_AFTER / 2
"""Seconds without a heartbeat after which the writer may have died: time to prepare, not yet to take over."""
LONG = 60.0
"""Seconds after which a standby says who has the database: a redeploy takes a few."""
RETRY = 15.0
"""Seconds until a standby tries again after it could not open the database."""

log = structlog.get_logger()


class Watch:
    """`prepare` brings an opened database up to this code, and raises CannotStart where it can't; `keep` copies what is
    open where its file was removed or replaced.

    `requests_handover` is False for an instance that comes back after it lost the lease.
    """

    def __init__(
        self,
        storage: Storage,
        lease: Lease,
        gate: RequestGate,
        heartbeat: Heartbeat,
        releaser: Releaser,
        *,
        prepare: Callable[[Database], object],
        keep: Keep | None,
        every_hour: Hourly | None,
        requests_handover: bool,
    ) -> None:
        self.probed = threading.Event()
        """The platform has asked for this instance's health."""
        self.retry_at = self._ask_from = 0.0
        self._storage, self._lease, self._gate = storage, lease, gate
        self._heartbeat, self._releaser = heartbeat, releaser
        self._prepare, self._keep, self._every_hour = prepare, keep, every_hour
        self._requests_handover = requests_handover
        self._clock = Clock()
        self._called_back = b""
        self._calling_back: list[threading.Thread] = []
        self._takeover = TakeOver(storage)
        self._holder: str | None = None
        self._held_since = 0.0
        self._thread = threading.Thread(target=self._watch, name="lease-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, seconds: float) -> None:
        if self._thread.is_alive():
            self._thread.join(seconds)

    def request_handover_later(self) -> None:
        """It asks for the database when somebody has looked at its health, or MAX_WAIT_FOR_PROBE from now."""
        self._ask_from = self._clock.now() + MAX_WAIT_FOR_PROBE
        self._gate.expect_handover()

    # --- as a standby -------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._heartbeat.stopping.wait(OBSERVE_EVERY):
            try:
                if self._gate.state == "standby":
                    self._stand_by()
                elif self._gate.state == "writer":
                    self._releaser.hand_over_if_asked()
            except Problem as problem:  # of a standby: a hand-over raises none
                self.retry_later(problem)
            except OSError as error:
                log.warning(str(cant_be_used(self._storage, error)))
                self._heartbeat.stopping.wait(RENEW_EVERY)
            except Exception as error:
                log.error("An unexpected error in the watch over the lease.", exc_info=error)
                self.retry_at = self._clock.now() + RETRY

    def _stand_by(self) -> None:
        observation = self._lease.observe()
        if observation.silent_for >= SILENT and observation.content != self._called_back:
            self._called_back = observation.content
            self._calling_back += call_back_leases(self._storage)
        # While another client has it open, its file server may wait for that one before it says anything of the file.
        if (self._lease.local or observation.state != "held") and is_led_elsewhere(self._storage):
            self._heartbeat.lose(f"DATABASE_PATH={self._storage.typed} leads to another place than it did.")
            return
        if self._clock.now() < self.retry_at:
            return
        if why := too_new(observation.schema, self._storage.path):
            self._set_standby_reason(f"This instance stands by: {why}")
            return
        if observation.state == "released":
            self._gate.expect_handover()
        self._name_the_holder(observation)
        if (
            not self.try_to_write(observation)
            and self._may_request_handover()
            and self._lease.request_handover(observation)
        ):
            log.info("Asked the instance that has the database to hand over.")
            self._gate.expect_handover()

    def _name_the_holder(self, observation: Observation) -> None:
        """Of a standby that stays one somebody must know why, and where the other one is."""
        holder = observation.record.owner if observation.state == "held" and observation.record else None
        if holder != self._holder:
            self._holder, self._held_since = holder, self._clock.now()
            self._gate.why_standby = ""
        if holder and self._clock.now() - self._held_since >= LONG:
            self._set_standby_reason(
                f"{holder} has had the database {self._storage.path} for more than a minute, and this instance stands "
                f"by.\n{how_to_find(self._storage, holder)}"
            )

    def _may_request_handover(self) -> bool:
        return self._requests_handover and (self.probed.is_set() or self._clock.now() >= self._ask_from)

    def retry_later(self, why: Problem) -> None:
        """Tries again in RETRY seconds."""
        self.retry_at = self._clock.now() + RETRY
        self._set_standby_reason(f"This instance stands by, and can't take over: {why}")
        self._gate.refuse(why if isinstance(why, Unwell | Locked) else None)

    def _set_standby_reason(self, text: str) -> None:
        """Each thing once, not at every observation."""
        if text != self._gate.why_standby:
            self._gate.why_standby = text
            log.warning(text)

    # --- from standby to writer ---------------------------------------------------------------------------

    def try_to_write(self, observation: Observation) -> bool:
        """Acquires the lease and opens the database, if nobody else has it; True if this instance writes now."""
        try:
            acquired = acquire_without_loss(self._lease, self._storage, observation)
        except OSError as error:
            raise cant_be_used(self._storage, error) from error
        if acquired is None:
            self._gate.refuse(None)  # another one has it now, who will say what is wrong
            return False
        # Once it has had its turn: one that can't open the database must not stop the one that can again and again.
        self._requests_handover = False
        try:
            database = self._open(acquired)
        except Lost:
            return False
        if not self._let_requests_in(database):
            return False
        if acquired.term > 1:
            log.info(f"This instance has the database now (term {acquired.term}).")
        return True

    def _let_requests_in(self, database: Database) -> bool:
        """False, and the database closed and released again, where this instance was stopped while it opened it."""
        gate, lets_in = self._gate, False
        try:
            # All at once: who stops before this finds nothing open, and who stops after it ends the checkup, too.
            with gate.changed:
                gate.opened = database
                if gate.state == "standby":
                    self._releaser.look_after(Checkup(database, self._lease, self._keep, self._every_hour))
                    gate.why_standby, gate.refused, self._heartbeat.requested_by = "", None, frozenset()
                    gate.state, lets_in = "writer", True
                    gate.changed.notify_all()
        finally:
            if not lets_in:
                self._releaser.close_and_release()
        return lets_in

    def _open(self, acquired: Acquired) -> Database:
        """The database, which nobody else can reach now. If it can't be opened, the lease is given up."""
        try:
            if acquired.forced:
                log.warning("The last instance did not release the database. This one goes on with a copy.")
                self._takeover.begin(self._lease, acquired)
        except BaseException:
            self._releaser.release("abandoned")
            raise
        for opening in self._calling_back:
            opening.join()  # closing what they have open would drop the locks of what SQLite opens now
        database = Database(
            self._storage,
            schema=acquired.schema,
            fence=self._heartbeat.fence,
            on_io_error=self._heartbeat.storage_fails,
        )
        try:
            # First, so that all of it is one file, whatever happens to the name while that is prepared.
            database.open_all()
            self._note_schema_found(database, acquired.schema)
            self._prepare(database)
            database.look_at_name()
            self._lease.note(schema=known_revisions()[-1])
            note_links(self._storage)
            possible_loss.look(database.condition, self._storage.path)
            database.checkpoint_in_pauses()
        except BaseException as error:
            lost = copy_if_replaced(database, self._keep) if self._keep and self._lease.holds() else None
            self._releaser.release_unopened(database)
            if lost and isinstance(error, Problem):
                raise lost from error
            raise
        return database

    def _note_schema_found(self, database: Database, noted: str | None) -> None:
        """Of a file that an instance opens for the first time: were it removed now, it would be missed all the same."""
        with database.beside() as connection:
            found = revision_of(connection)
        if found != noted and found in known_revisions():
            self._lease.note(schema=found)
