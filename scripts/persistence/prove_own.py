"""The proof of an app that is started for it: canary, kill -9 under writes, rebuild, backup, restore elsewhere."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .canary import Canary, add_task, fingerprint, look_for, new_mark, write_canary
from .engine import Mount
from .own import Elsewhere, Place, kill
from .placement import made_at, refuse_replaced, refuse_second_writer, refuse_what_vanishes
from .prove_backup import back_up
from .record import Facts, Record
from .site import Site
from .stop import Failed, Stop, in_doubt_failed, undisturbed
from .storage import health_facts, refuse_ephemeral, told_by_doctor
from .store_of import StoreOf, store_of

WRITES = 20
"""Acknowledged ones before the kill, with more under way."""


def prove(place: Place, record: Record) -> None:
    """Fills the record. Raises Failed where the promise is not kept, NotTried where it could not be seen."""
    record.versions |= place.versions
    record.storage |= {"proven_without": ", ".join(place.left_out)} if place.left_out else {}
    with record.step(f"{'Built the image' if place.builds else 'Took the image as it is'}, and started it") as facts:
        place.deploy()
        mount = refuse_what_vanishes(place.container)
        refuse_second_writer(place.container, mount)
        place.site.wait_until_ready(place.container.refuse_ended)
        born = made_at(mount)
        facts |= {"mount": mount.target, "kind": mount.kind}
    with record.step("Asked it where the data and its backups lie") as facts:
        store = store_of(place.container, mount)
        record.storage |= facts_of(place, record)
        facts |= {name: record.storage[name] for name in ("filesystem", "profile", "persistent")}
    with in_doubt_failed():
        _prove_canary(place, record, mount, born, store)


def _prove_canary(place: Place, record: Record, mount: Mount, born: str, store: StoreOf) -> None:
    with record.step("Wrote the canary through the API") as facts:
        canary = write_canary(place.site, new_mark())
        facts |= {"rows": 1 + len(canary.tasks)}
    with record.step("Killed it with kill -9 in the middle of writes") as facts:
        facts |= {"acknowledged_meanwhile": killed_under_writes(place, canary)}
        _is_ready(place, mount, born)
        look_for(place.site, canary)
        facts |= {"lost": 0}
    anew = "built the image anew" if place.builds else "made another of the same image"
    with record.step(f"Removed the container, {anew}, and started that") as facts:
        before = _identity(place)
        place.deploy()
        _is_ready(place, mount, born)
        look_for(place.site, canary)
        facts |= changed(before, _identity(place), builds=place.builds) | {"lost": 0}
    record.canary |= canary.facts()
    record.versions |= {"image": place.container.facts()["Image"]}
    with record.step("Let it check all of its database") as facts:
        facts |= told_by_doctor(place.container.task_assist("doctor", "--full"))
    restored_elsewhere(place, record, canary, Elsewhere(place, store))


def facts_of(place: Place, record: Record) -> Facts:
    health = place.site.health()
    refuse_ephemeral(health)
    findings = told_by_doctor(place.container.task_assist("doctor"))
    record.versions |= {"task_assist": health["version"]} | {
        name: findings[name] for name in ("sqlite", "schema") if name in findings
    }
    return health_facts(health) | {"fsync": findings.get("fsync")}


def killed_under_writes(place: Place, canary: Canary) -> int:
    """Kills the app while another thread writes; what that had acknowledged is the canary's. Gives how many."""
    enough, before = threading.Event(), len(canary.tasks)
    writing = threading.Thread(target=_write_until_killed, args=(place.site, canary, enough), daemon=True)
    writing.start()
    if not enough.wait(60):
        raise Failed("slow", f"{WRITES} tasks were not written within 60 s.", "See the log of the app.")
    kill(place)
    writing.join(60)
    return len(canary.tasks) - before


def _write_until_killed(site: Site, canary: Canary, enough: threading.Event) -> None:
    began = len(canary.tasks)
    while len(canary.tasks) < began + 50 * WRITES:
        try:
            add_task(site, canary, f"Written while it is killed: {len(canary.tasks)}")
        except (OSError, Stop, ValueError):  # ValueError: half an answer; nobody was told that it is kept
            return
        if len(canary.tasks) >= began + WRITES:
            enough.set()


def _is_ready(place: Place, mount: Mount, born: str) -> None:
    refuse_replaced(mount, born)
    refuse_what_vanishes(place.container)
    refuse_second_writer(place.container, mount)
    place.site.wait_until_ready(place.container.refuse_ended)


def _identity(place: Place) -> tuple[str, str]:
    facts = place.container.facts()
    return facts["Id"], facts["Image"]


def changed(before: tuple[str, str], now: tuple[str, str], *, builds: bool) -> dict[str, bool]:
    """Raises Failed where it is the container or the build of before, which would have proven nothing."""
    if before[0] == now[0]:
        raise Failed("same_container", "The container is the one of before: nothing was deployed.")
    if builds and before[1] == now[1]:
        raise Failed("same_image", "The image is the one of before: nothing was built anew.")
    return {"new_container": True, "new_image": before[1] != now[1]}


def restored_elsewhere(place: Place, record: Record, canary: Canary, anew: Elsewhere) -> None:
    with record.step(f"Made a backup in {place.container.store}, a volume of the proof's") as facts:
        made = back_up(place.container.task_assist)
        facts |= {"rows": sum(made["database"]["rows"].values()), "bytes": made["object_size_bytes"]}
    what = "Restored it in another container, into an empty volume, and started the app on it"
    with _cleared(anew), record.step(what) as facts:
        anew.restore(made["name"])
        look_for(anew.site, canary)
        facts |= {"rows": 1 + len(canary.tasks), "lost": 0, "sha256": _sha256_of(anew.site, canary)}
    record.backup |= {
        "name": made["name"],
        "made_at": made["database"]["created_at"],
        "bytes": made["object_size_bytes"],
        "sha256": made["object_sha256"],
        "restored_elsewhere": True,
    }


def _sha256_of(site: Site, canary: Canary) -> str:
    """Of the canary's rows as this site has them."""
    tasks = {
        task["id"]: task
        for page in site.pages(f"/api/v1/work-items/{canary.id}/tasks?limit=200")
        for task in page["items"]
    }
    return fingerprint([site.get(f"/api/v1/work-items/{canary.id}"), *(tasks[task["id"]] for task in canary.tasks)])


@contextmanager
def _cleared(elsewhere: Elsewhere) -> Iterator[None]:
    try:
        yield
    finally:
        with undisturbed():
            elsewhere.clear()
