"""The writer's heartbeat: renews the lease in a thread of its own, and ends everything where the lease is lost."""

import threading
from collections.abc import Callable

import structlog

from app.errors import Problem, Replaced, Standby, Unwell
from app.storage.led_elsewhere import LedElsewhere
from app.storage.mounts import Storage
from app.writer.gate import RequestGate, unsure
from app.writer.lease import RENEW_EVERY, Lease, Lost, Removed
from app.writer.lease_files import cant_be_used, folder_of

UNCONFIRMED = "Nothing is confirmed: look whether your change is there before you send it again."

log = structlog.get_logger()


class Heartbeat:
    """`on_lease_lost` is called, in a thread, when this process must end without touching the database again."""

    def __init__(self, storage: Storage, lease: Lease, gate: RequestGate, *, on_lease_lost: Callable[[], None]) -> None:
        self.requested_by: frozenset[str] = frozenset()
        """Other instances that ask for the database."""
        self.stopping = threading.Event()
        """This instance takes nothing new on."""
        self.ended = threading.Event()
        """It beats until then: closing a large database may take longer than the write deadline."""
        self.on_lease_lost = on_lease_lost
        self._storage, self._lease, self._gate = storage, lease, gate

    def start(self) -> None:
        threading.Thread(target=self._beat, name="lease-heart", daemon=True).start()

    def lose(self, why: str) -> None:
        """The database is another instance's now, or can't be reached."""
        with self._gate.changed:
            if self._gate.state in ("lost", "ended"):
                return
            self._gate.state, self._gate.why_standby = "lost", why
            self._gate.changed.notify_all()
        log.error(f"{why} This one does not write any more, and starts anew as a standby.")
        self.end()
        threading.Thread(target=self.on_lease_lost, name="lease-lost", daemon=True).start()

    def end(self) -> None:
        self.stopping.set()
        self.ended.set()

    def fence(self) -> None:
        """Raises Standby where a write may not begin, or may not be acknowledged, any more."""
        if not self._lease.holds():
            raise unsure(UNCONFIRMED)

    def storage_fails(self) -> None:
        """Raises Standby for the request that found it out."""
        self.lose("The storage answers with errors.")
        raise Standby("The storage answered with an error.", UNCONFIRMED, retry_after=2)

    def _beat(self) -> None:
        removed = False
        while not self.ended.wait(RENEW_EVERY):
            try:
                self.requested_by = self._lease.renew() - {self._lease.owner}
                removed = False
            except Removed:
                if not self._replaced() and removed:  # a network mount shows the next look what it may hide from one
                    self.lose(f"Somebody removed the folder {folder_of(self._storage)}, which says who writes.")
                    return
                removed = True
            except Lost:
                self.lose("Another instance has taken over.")
                return
            except OSError as error:
                log.warning(f"The lease on {self._storage.path} could not be renewed: {error}.")
                self._tell(cant_be_used(self._storage, error))
            except Problem as refused:  # a folder made anew could not be handed to whose it should be
                log.warning(f"The lease on {self._storage.path} could not be renewed: {refused}")

    def _replaced(self) -> bool:
        """Was the database removed with it? Then what is open here is all there is, and is copied (checkup.py)."""
        try:
            if self._gate.opened:
                self._gate.opened.look_at_name()
        except Replaced:
            return True
        except LedElsewhere:  # the file is where it was
            return False
        return False

    def _tell(self, problem: Problem) -> None:
        """Why the fence is about to close, for those who are refused then."""
        if self._gate.opened and isinstance(problem, Unwell):
            self._gate.opened.condition.report(problem)
