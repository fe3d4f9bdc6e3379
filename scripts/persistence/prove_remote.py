"""The proof of an app with people's data: a canary, a new deployment, the canary and every other row again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .answering_process import answers_anew, refuse_another, settled
from .canary import Canary, delete_canary, look_for, new_mark, write_canary
from .existing_rows import Others, compare, rows_of
from .prove_backup import prove_backup
from .record import Record
from .remote import Remote, run_deployment
from .site import Site
from .stop import Failed, NotTried, Stop, Unproven, in_doubt_failed, undisturbed
from .storage import health_facts, refuse_moved

DELETED_WITHIN = 30
"""Seconds: right after a deployment nothing may answer for a moment."""
CHANGED_WITHIN = 60
"""Seconds after `pulumi up` until the process of a new deployment answers; else it has deployed nothing."""


def prove(remote: Remote, record: Record, *, wait: float, say: Any) -> None:
    """Fills the record; `wait`: seconds for the operator's deployment. Raises as prove_own.prove does."""
    site = remote.site
    record.storage |= remote.facts
    with record.step("Asked it where the data lies") as facts:
        health = settled(site)
        record.storage |= health_facts(health)
        record.versions |= {"task_assist": health["version"]}
        facts |= health_facts(health)
    with record.step("Read the rows that are there") as facts:
        need_token(site)
        before = rows_of(site)
        facts |= before.facts()
    with _canary(site, record, say) as canary:
        _deploy(remote, record, health, wait, say)
        with in_doubt_failed():
            _look_after(site, record, health, canary, before)
            prove_backup(remote, record, canary, wait, say)


def _look_after(site: Site, record: Record, health: dict[str, Any], canary: Canary, before: Others) -> None:
    """The rows are read between two looks at one and the same new process: the old one may hold what this has lost."""
    with record.step("Waited until a new process alone answers, and asked it where the data lies") as facts:
        now = settled(site, health)
        refuse_moved(health, now)
        record.versions |= {"task_assist_after": now["version"]}
        facts |= {"process_began": now["started"], "process_before": health.get("started")}
    with record.step("Looked there for the canary and the rows of before") as facts:
        refuse_forgotten_token(site)
        look_for(site, canary)
        facts |= {"canary_rows": 1 + len(canary.tasks), "lost": 0} | compare(site, before).facts()
        refuse_another(now, settled(site, health))


def need_token(site: Site) -> None:
    """Raises NotTried where nothing may be written."""
    try:
        scope = site.get("/api/v1/me").get("scope")
    except NotTried as refused:
        if refused.code != "refused":
            raise
        raise NotTried("no_token", refused.message, HOW_TO_GET_ONE) from None
    if scope == "read":
        raise NotTried("no_token", "The token may only read, and a canary has to be written.", HOW_TO_GET_ONE)


HOW_TO_GET_ONE = (
    "Make one with the scope write on the account page, put it into a file, and add  --token-file FILE\n"
    "or put it into TASK_ASSIST_TOKEN. Delete it there when you are done.\n"
    "If one was taken until now, the database may be another one:  task-assist doctor"
)


def refuse_forgotten_token(site: Site) -> None:
    """Raises Failed where the token that has written the canary is refused: tokens lie in the database, too."""
    status, _ = site.ask("GET", "/api/v1/me")
    if status in (401, 403):
        raise Failed(
            "token_forgotten",
            f"The token that wrote the canary is refused ({status}): the database that knew it is gone, or another one "
            "is in its place.",
            "Unless somebody deleted the token meanwhile: keep volumes and backups as they are. What is mounted now:  "
            "task-assist doctor",
        )


@contextmanager
def _canary(site: Site, record: Record, say: Any) -> Iterator[Canary]:
    """Deleted at the end, however that comes."""
    mark = new_mark()
    try:
        with record.step("Wrote the canary through the API") as facts:
            canary = write_canary(site, mark)
            record.canary |= canary.facts()
            facts |= {"rows": 1 + len(canary.tasks)}
        yield canary
    finally:
        trashed = "Put the canary into the trash, which is emptied of it after 30 days"
        with undisturbed(), record.step(trashed) as facts:
            facts |= {"items": _deleted(site, mark, say)}


def _deleted(site: Site, mark: str, say: Any) -> int:
    """How many items. Raises Unproven, which does not cover what ended the proof."""
    until = time.monotonic() + DELETED_WITHIN
    while True:
        try:
            return delete_canary(site, mark)
        except (OSError, Stop, LookupError, TypeError) as error:  # the last two: a gateway's answer, in the app's place
            if time.monotonic() > until:
                what = f"The canary is still there, since it could not be deleted: {error}"
                hint = f"Search for {mark} on the page, and delete it there."
                say(f"{what}\n{hint}")
                raise Unproven("canary_left", what, hint) from None
            time.sleep(1)


def _deploy(remote: Remote, record: Record, before: dict[str, Any], wait: float, say: Any) -> None:
    if not remote.deploy:
        with record.step("Waited for the deployment"):
            say(f"Deploy {remote.site.url} now. This waits for up to {wait / 60:.0f} minutes for a new process.")
            _wait_for_another(remote.site, before, wait)
        return
    with record.step("Ran the command that deploys"):
        run_deployment(remote.deploy)
    if remote.anew and not answers_anew(remote.site, before, CHANGED_WITHIN):
        with record.step("That had changed nothing, so the same version was deployed anew"):
            run_deployment(remote.anew)


def _wait_for_another(site: Site, before: dict[str, Any], wait: float) -> None:
    if answers_anew(site, before, wait):
        return
    with in_doubt_failed():  # what does not answer any more was deployed, and came to nothing
        site.health()
    raise NotTried(
        "no_deployment", f"No new process answered at {site.url} within {wait:.0f} s.", "Deploy, and try again."
    )
