"""Takes the lease on a database that can be opened without a loss; of any other it says why, and leaves it as it is."""

import errno
import os
from contextlib import suppress

from app.database.broken_log import log_cant_be_judged, log_was_emptied
from app.database.condition import damaged
from app.database.emptied import holds_nothing, refuse_emptied, refuse_half_copied
from app.database.header import read_header
from app.database.possible_loss import note
from app.database.sqlite_errors import fault_of_disk
from app.database.strange_logs import lacks_its_log, refuse_strange_log
from app.errors import Emptied, Problem
from app.storage.cant_open import refuse_what_is_no_file
from app.storage.files import size_of
from app.storage.guard import why_no_folder
from app.storage.hard_links import refuse_hard_links
from app.storage.led_elsewhere import why_led_elsewhere
from app.storage.mounts import Storage
from app.writer.lease import Lease
from app.writer.lease_files import Folder, folder_of, local_lock
from app.writer.terms import Acquired, Observation

LOG_GONE = (
    "{file} was not closed at the last end, and its {log} is gone all the same. If another program has closed the file "
    "since, such as sqlite3, nothing is missing; if somebody removed the {log}, the newest changes are."
)
LOG_EMPTIED = (
    "{file} was not closed at the last end, and its {log} is empty, though by the index beside it changes were only "
    "there. If the power failed, nothing is missing; if somebody emptied the {log}, the newest changes are."
)
INDEX_GONE = (
    "{file} was not closed at the last end, and its {index} is gone, which says how much its {log} must hold. If the "
    "{log} is as it was, nothing is missing; if somebody cut it short, the newest changes are."
)


def acquire_without_loss(lease: Lease, storage: Storage, observation: Observation) -> Acquired | None:
    """As `lease.acquire()`. Raises Emptied, StrangeLog, HardLinked and LedElsewhere, and then holds nothing."""
    if observation.term == 0:
        _refuse_half_copied(lease, storage)
    acquired = lease.acquire(observation)
    # With a copy that is to take the database's name, what has the name now is of no account.
    if acquired and acquired.pending is None:
        try:
            _refuse_loss(storage, acquired.schema)
            if observation.state != "released":  # else whoever came since the unclean end has opened and closed it
                _note_what_may_be_lacking(storage)
        except BaseException:
            lease.release("released" if observation.state == "released" else "abandoned")
            raise
    return acquired


def acquire_to_replace(lease: Lease, storage: Storage, observation: Observation) -> Acquired | None:
    """As `lease.acquire()`, for a command that puts another database in the place. Of the one that is there it notes
    what may be lacking: where nothing takes its place after all, nobody else would see how the last instance ended."""
    acquired = lease.acquire(observation)
    if acquired and acquired.pending is None and observation.state != "released":
        with suppress(OSError):  # what can't be read can be replaced
            _note_what_may_be_lacking(storage)
    return acquired


def why_refused(storage: Storage) -> Problem | None:
    """What `acquire_without_loss()` would raise now; while somebody has the database, what it would raise after that
    for a second name of the file; or why there is no folder for it. Only looks."""
    if missing := why_no_folder(storage):
        return missing
    lease = Lease(Folder(folder_of(storage)))
    observation = lease.observe() if folder_of(storage).is_dir() else Observation(0, b"", 0)
    held = observation.state == "held" and not (storage.profile == "shared" and local_lock(storage).free)
    try:
        refuse_hard_links(storage)
        if not held:
            if observation.term == 0:
                refuse_half_copied(storage)
            _refuse_loss(storage, observation.schema)
    except Problem as problem:
        return problem
    return None


def _refuse_half_copied(lease: Lease, storage: Storage) -> None:
    """Not while another instance makes the file, which it does after it has made its first term."""
    try:
        refuse_half_copied(storage)
    except Emptied:
        if lease.observe().term == 0:
            raise


def _note_what_may_be_lacking(storage: Storage) -> None:
    database = storage.path
    said = {"file": database, "log": f"{database.name}-wal", "index": f"{database.name}-shm"}
    if lacks_its_log(database):
        note(database, LOG_GONE.format(**said))
    elif log_was_emptied(database):
        note(database, LOG_EMPTIED.format(**said))
    elif storage.profile == "shared" and log_cant_be_judged(database):
        note(database, INDEX_GONE.format(**said))


def _refuse_loss(storage: Storage, schema: str | None) -> None:
    refuse_what_is_no_file(storage)
    refuse_hard_links(storage)
    if (elsewhere := why_led_elsewhere(storage)) and holds_nothing(storage.path):
        raise elsewhere
    refuse_emptied(storage, schema)
    _refuse_damaged_header(storage)
    refuse_strange_log(storage.path)


def _refuse_damaged_header(storage: Storage) -> None:
    if not size_of(storage.path):
        return
    try:
        fault = read_header(storage.path).fault
    except OSError as error:
        if error.errno != errno.EIO or storage.profile != "shared":
            raise
        raise fault_of_disk(storage, os.strerror(errno.EIO)) from error
    if fault:
        raise damaged(storage.path, fault)
