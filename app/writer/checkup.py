"""Looks after the open database beside the requests, from when this instance has it until it lets it go.

Every few seconds: do its names still lead to the open files, are these whole and writable, does the log grow?
Once, where nobody closed the file at the last end, it was just restored, or damage was met in it: is it sound? What is
found goes to the database's condition (app/database/condition.py).
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from app.database import possible_loss
from app.database.condition import damaged
from app.database.contents import fault_in_table, tables_to_check
from app.database.engine import Database
from app.database.long_log import long_log
from app.database.open_file import kept
from app.errors import Damaged, Problem, ReadOnly, Replaced, StorageFull
from app.storage.cant_open import CantOpen, why_cant_open
from app.storage.full_or_read_only import takes_writes, why_no_writes
from app.storage.led_elsewhere import LedElsewhere
from app.writer.index_mending import check_search_index, fault_in_search_index, mend_search_index
from app.writer.lease import Lease, Lost
from app.writer.other_names import OtherNames
from app.writer.terms import Doubt

LOOK_EVERY = {"shared": 2.0, "exclusive": 10.0}
"""Seconds, by profile: on a network mount each look is two requests to its server."""
RETRY = 60.0
"""Seconds until a copy that could not be made is tried again."""
END_WITHIN = 5.0
"""Seconds that what runs here has to end in before the database is closed; interrupted, it takes milliseconds."""
KEEP_WITHIN = 2.0
"""Seconds that a stop waits for a copy. The process is killed STOP_SECONDS after SIGTERM (serving/shutdown.py)."""

WAS: dict[Doubt, str] = {
    "unclean end": "was not closed at the last end",
    "restored": "was restored",
    "damage": "was called damaged",
}
CHECK = "check-of-file"
"""The name of the thread of the check that is made once."""

Keep = Callable[[Database], Path]
"""Copies what the app has open, and gives the copy's path. Raises Problem."""
Hourly = Callable[[Database], None]
"""What is to be done every hour. Raises Problem."""
HOUR = 3600.0

log = structlog.get_logger()


class Checkup:
    """Of one open database. `keep` is called where its file was removed or replaced."""

    def __init__(self, database: Database, lease: Lease, keep: Keep | None, every_hour: Hourly | None) -> None:
        self._database, self._lease, self._keep, self._every_hour = database, lease, keep, every_hour
        self._hour_ended = 0.0
        self._ending, self._look_is_due = threading.Event(), threading.Event()
        self._keep_at = 0.0
        self._told_of = self._damage_looked_at = 0
        self._other_names = OtherNames(database.storage)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Also again, after an `end()` where the database stays open."""
        if self._lease.doubt == "damage":
            was = damaged(self._database.storage.path, "damage was found in it, and it is being checked again")
            self._database.condition.report(was)
        before, self._threads, self._ending = self._threads, [], threading.Event()
        self._begin(self._look, "checkup", before)
        if self._lease.doubt:
            self._begin(self._check, CHECK, before)

    def _begin(self, part: Callable[[threading.Event], None], name: str, before: list[threading.Thread]) -> None:
        def run(ending: threading.Event) -> None:
            for each in before:  # one that did not end in time may be copying still, and twice would be once too often
                each.join()
            part(ending)

        thread = threading.Thread(target=run, args=(self._ending,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def end(self) -> bool:
        """Ends what runs; the database may then be closed. False where it did not end in time."""
        self._ending.set()
        self._look_is_due.set()
        until = time.monotonic() + END_WITHIN
        for thread in self._threads:
            while thread.is_alive() and time.monotonic() < until:
                self._database.interrupt()  # again and again: one that comes between two statements ends neither
                thread.join(0.05)
        self._note_damage()
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def must_keep(self) -> bool:
        """The file was removed or replaced, and what is open here is not copied yet: a close would be its end."""
        return bool(self._keep) and self._database.condition.knows(Replaced) and self._keep_at != float("inf")

    def look(self) -> bool:
        """Looks at the names now, before a close. True where what is open must be kept first, which then begins."""
        if self._lease.holds():  # else what is there may be another instance's
            with suppress(Replaced, LedElsewhere):
                self._database.look_at_name()
        if self.must_keep:
            self._look_is_due.set()
        return self.must_keep

    def await_copy(self) -> None:
        """Before an end that can't be put off."""
        until = time.monotonic() + KEEP_WITHIN
        while self.must_keep and time.monotonic() < until:
            time.sleep(0.05)

    # --- every few seconds --------------------------------------------------------------------------------

    def _look(self, ending: threading.Event) -> None:
        while not self._ends_before_next_look(ending):
            holds = self._lease.holds()
            if not holds and not self._database.condition.knows(Replaced):
                continue  # what is there may be another instance's
            try:
                self._look_at_name()
                if not holds:
                    continue
                self._database.truncation.look()
                self._look_at_file_system()
                self._look_at_log()
                self._other_names.look()
                if self._database.condition.possible_loss:
                    possible_loss.look(self._database.condition, self._database.storage.path)
                self._look_at_search_index(ending)
                self._do_what_is_hourly()
                self._note_damage()
            except OSError as error:
                log.warning(f"The database could not be looked after just now: {error}.")
            except Exception as error:
                log.error("An unexpected error while the database was looked after.", exc_info=error)

    def _ends_before_next_look(self, ending: threading.Event) -> bool:
        self._look_is_due.wait(LOOK_EVERY[self._database.storage.profile])
        self._look_is_due.clear()
        return ending.is_set()

    def _look_at_name(self) -> None:
        try:
            with suppress(LedElsewhere):  # the file itself is where it was
                self._database.look_at_name()
            self._keep_at = 0.0
        except Replaced as lost:
            if self._keep and time.monotonic() >= self._keep_at:
                self._copy_open_database(self._keep, lost)

    def _copy_open_database(self, keep: Keep, lost: Replaced) -> None:
        """Once. Where it can't be done, on a full disk say, it is tried again."""
        try:
            copy = keep(self._database)
        except Problem as problem:
            self._keep_at = time.monotonic() + RETRY
            log.error(f"What the app had open could not be copied; the next try is in {RETRY:.0f} s: {problem}")
        else:
            self._keep_at = float("inf")
            self._database.condition.restate(kept(lost, copy))

    def _look_at_file_system(self) -> None:
        storage, condition = self._database.storage, self._database.condition
        if condition.knows(StorageFull) or condition.knows(ReadOnly):
            if takes_writes(storage.path.parent):
                condition.mended(StorageFull, ReadOnly)
        elif isinstance(problem := why_no_writes(storage), ReadOnly):
            condition.report(problem)
        if condition.knows(CantOpen) and why_cant_open(storage) is None:
            condition.mended(CantOpen)

    def _look_at_log(self) -> None:
        """Says that it grows, and again at each doubling."""
        found = long_log(self._database.storage)
        if found is None:
            self._told_of = 0
        elif found.size >= 2 * self._told_of:
            self._told_of = found.size
            log.warning(f"{found.text} {found.fix}")

    def _look_at_search_index(self, ending: threading.Event) -> None:
        """Damage that a request met may be in the search index alone: then it is mended without a restore."""
        condition, database = self._database.condition, self._database
        reports = condition.reports(Damaged)
        if reports == self._damage_looked_at or any(each.name == CHECK and each.is_alive() for each in self._threads):
            return
        self._damage_looked_at = reports  # once, also where the check itself meets the damage
        fault = fault_in_search_index(database)
        if fault and not self._fault(ending) and not ending.is_set():
            condition.mended(Damaged)
            mend_search_index(database, fault)

    def _do_what_is_hourly(self) -> None:
        if self._every_hour and time.monotonic() >= self._hour_ended:
            self._hour_ended = time.monotonic() + HOUR
            with suppress(Problem):  # it is told already why nothing can be written, and there is a next hour
                self._every_hour(self._database)

    def _note_damage(self) -> None:
        """So that the next one who opens the file knows of it, and checks."""
        if self._database.condition.knows(Damaged) and self._lease.doubt != "damage":
            self._note("damage")

    def _note(self, doubt: Doubt | None) -> None:
        try:
            self._lease.note(doubt=doubt)
        except (Lost, OSError) as error:
            log.warning(f"What was found in {self._database.storage.path} could not be written down: {error!r}.")

    # --- once -----------------------------------------------------------------------------------------------

    def _check(self, ending: threading.Event) -> None:
        file, began, condition = self._database.storage.path, time.monotonic(), self._database.condition
        doubt, reports = self._lease.doubt, condition.reports(Damaged)
        try:
            fault = self._fault(ending)
        except Damaged:
            return  # and it is reported
        except Exception as error:
            if not ending.is_set():
                log.error(f"{file} could not be checked, so the next start tries again.", exc_info=error)
            return
        if fault:
            condition.restate(damaged(file, fault))  # what is known until now says less
        elif not ending.is_set() and condition.reports(Damaged) == reports:  # else somebody met damage meanwhile
            self._note(None)
            condition.mended(Damaged)
            why = WAS[doubt or "unclean end"]
            missing = f" It may lack changes all the same: {condition.possible_loss}" if condition.possible_loss else ""
            log.info(f"{file} {why}, and is sound ({time.monotonic() - began:.1f} s).{missing}")
            check_search_index(self._database, ending)

    def _fault(self, ending: threading.Event) -> str | None:
        """Of one table after the other, so that the log can be folded in between. None where it had to end, too."""
        with self._database.beside() as connection:
            for table in tables_to_check(connection):
                if ending.is_set():
                    return None
                if fault := fault_in_table(connection, table):
                    return fault
        return None
