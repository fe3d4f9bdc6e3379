"""Who writes to the database, as the lease says: the doctor's finding. Only looks, and makes nothing."""

import time

from app.operations.doctor.finding import Finding
from app.storage.mounts import Storage
from app.writer.lease import RENEW_EVERY, Lease
from app.writer.lease_files import Folder, cant_be_used, folder_of, local_lock
from app.writer.other_holder import how_to_find, is_elsewhere


def writer_finding(storage: Storage) -> Finding:
    try:
        return _writer(storage) if folder_of(storage).is_dir() else Finding("writer", "ok", "none yet", None)
    except OSError as error:
        problem = cant_be_used(storage, error)
        return Finding("writer", "fault", problem.message, None, problem.hint)


def _writer(storage: Storage) -> Finding:
    lease = Lease(Folder(folder_of(storage)))
    first = lease.observe()
    if first.term == 0:
        return Finding("writer", "ok", "none yet", None)
    owner = first.record.owner if first.record else None
    killed = storage.profile == "shared" and local_lock(storage).free
    if first.state != "held" or killed:
        return Finding("writer", "ok", f"none now; the last was {owner} (term {first.term})", None)
    if storage.profile == "shared":
        return _alive(storage, owner, f"{owner} (term {first.term})")
    time.sleep(2 * RENEW_EVERY)
    if lease.observe().content != first.content:
        return _alive(storage, owner, f"{owner} (term {first.term}), heard of just now")
    text = f"{owner} (term {first.term}), silent for more than {2 * RENEW_EVERY:.0f} s"
    return Finding("writer", "note", text, owner, "If it is dead, the next instance takes over by itself within 30 s.")


def _alive(storage: Storage, owner: str | None, text: str) -> Finding:
    if owner and is_elsewhere(owner):
        return Finding("writer", "note", f"{text}, not here", owner, how_to_find(storage, owner))
    return Finding("writer", "ok", text, owner)
