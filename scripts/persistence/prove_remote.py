"""The proof of an app with people's data: a canary, a new deployment, the canary and every other row again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .canary import Canary, compare, delete_canary, look_for, new_mark, rows_of, write_canary
from .engine import answer
from .prove_backup import back_up
from .record import Record
from .remote import Remote, run_deployment
from .restored_here import restored_here
from .site import Site
from .stop import Failed, NotTried, Stop, Unproven
from .storage import health_facts, refuse_ephemeral, refuse_moved, told_by_doctor

SAMPLES = 5
"""Answers of /healthz in a row that have to be of one and the same process, which writes."""
DELETED_WITHIN = 30
"""Seconds: right after a deployment nothing may answer for a moment."""
SETTLED_WITHIN = 120
"""Seconds after a deployment. A platform's gateway sends some requests to the old instance for a while."""


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
        facts |= {"rows": len(before)}
    with _canary(site, record, say) as canary:
        _deploy(remote, record, health, wait, say)
        with record.step("Looked for the canary and every other row") as facts:
            site.wait_until_ready()
            look_for(site, canary)
            facts |= {"canary_rows": 1 + len(canary.tasks), "lost": 0} | compare(site, before).facts()
        with record.step("Asked it again where the data lies") as facts:
            now = settled(site)
            refuse_moved(health, now)
            record.versions |= {"task_assist_after": now["version"]}
            facts |= {"process_began": now.get("started"), "process_before": health.get("started")}
            refuse_same_process(health, now, remote)
        _prove_backup(remote, record, canary)


def need_token(site: Site) -> None:
    """Raises NotTried where nothing may be written."""
    try:
        scope = site.get("/api/v1/me")["scope"]
    except NotTried as refused:
        raise NotTried("no_token", refused.message, HOW_TO_GET_ONE) from None
    if scope == "read":
        raise NotTried("no_token", "The token may only read, and a canary has to be written.", HOW_TO_GET_ONE)


HOW_TO_GET_ONE = (
    "Make one with the scope write on the account page, put it into a file, and add  --token-file FILE\n"
    "or put it into TASK_ASSIST_TOKEN. Delete it there when you are done."
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
        with record.step("Deleted the canary; it lies in the trash for 30 days") as facts:
            facts |= _deleted(site, mark, say)


def _deleted(site: Site, mark: str, say: Any) -> dict[str, Any]:
    """Does not raise: what ended the proof is told, and not what this could not do."""
    until = time.monotonic() + DELETED_WITHIN
    while True:
        try:
            return {"items": delete_canary(site, mark)}
        except (OSError, Stop) as error:
            if time.monotonic() > until:
                say(f"The canary could not be deleted ({error}). Search for {mark} on the page, and delete it there.")
                return {"items": 0, "left": mark}
            time.sleep(1)


def _deploy(remote: Remote, record: Record, before: dict[str, Any], wait: float, say: Any) -> None:
    if remote.deploy:
        with record.step(f"Deployed: {remote.deploy}"):
            run_deployment(remote.deploy)
        return
    with record.step("Waited for the deployment"):
        say(f"Deploy {remote.site.url} now. This waits for up to {wait / 60:.0f} minutes until a new process answers.")
        _wait_for_another(remote.site, before, wait)


def _wait_for_another(site: Site, before: dict[str, Any], wait: float) -> None:
    until = time.monotonic() + wait
    while time.monotonic() < until:
        try:
            if site.health().get("started") != before.get("started"):
                return
        except (OSError, NotTried):  # a gateway's own page, while nothing runs behind it
            pass
        time.sleep(1)
    raise NotTried(
        "no_deployment", f"No new process answered at {site.url} within {wait:.0f} s.", "Deploy, and try again."
    )


def refuse_same_process(before: dict[str, Any], now: dict[str, Any], remote: Remote) -> None:
    """Raises Unproven where the process of before answers, or one that doesn't say when it began."""
    if now.get("started") is None:
        raise Unproven(
            "no_deployment", "The app does not say when it began: it is older than this script.", "Deploy this version."
        )
    if now["started"] == before.get("started"):
        raise Unproven(
            "no_deployment",
            f"The process of {now['started']} still answers: {remote.deploy or 'the deployment'} changed nothing.",
            "Name the command that deploys anew:  --deploy 'COMMAND'",
        )


def settled(site: Site) -> dict[str, Any]:
    """What /healthz says once one process alone answers. Raises Failed for ephemeral storage and for two writers."""
    until = time.monotonic() + SETTLED_WITHIN
    while True:
        answers = [_health(site) for _ in range(SAMPLES)]
        seen = {(said.get("started"), said["database"]["writer"]) for said in answers}
        refuse_ephemeral(answers[-1])
        if len(seen) == 1 and answers[-1]["database"]["writer"]:
            return answers[-1]
        if time.monotonic() > until:
            raise _not_one_writer(site, seen)
        time.sleep(1)


def _not_one_writer(site: Site, seen: set[tuple[Any, bool]]) -> Failed:
    if len(seen) > 1:
        when = " and ".join(sorted(f"one that began at {started}" for started, _ in seen))
        return Failed(
            "two_writers",
            f"Two instances still answer at {site.url} after {SETTLED_WITHIN} s: {when}. Only one of them can write.",
            "Run one: SQLite has one writer. Stop the other, or give it a database of its own.",
        )
    return Failed(
        "standby",
        f"The instance at {site.url} does not write: another one has the database.",
        f"To see which:  curl -s {site.url}/readyz",
    )


def _health(site: Site) -> dict[str, Any]:
    try:
        return site.health()
    except OSError as error:
        raise NotTried(
            "no_answer", f"{site.url} does not answer: {error}", f"To look:  curl -i {site.url}/healthz"
        ) from None


# --- the backup --------------------------------------------------------------------------------------------


def _prove_backup(remote: Remote, record: Record, canary: Canary) -> None:
    if remote.shell:
        return _by_shell(remote, record)
    with record.step("Looked for a backup of after the canary") as facts:
        if not remote.store:
            raise _not_looked(remote.site.health())
        facts |= restored_here(remote.store, canary)
        record.backup |= facts
    return None


def _by_shell(remote: Remote, record: Record) -> None:
    def verb(*words: str) -> dict[str, Any]:
        return answer(remote.shell, *words)

    with record.step("Made a backup where it runs") as facts:
        made = back_up(verb)
        facts |= {"name": made["name"], "bytes": made["object_size_bytes"]}
    with record.step("Proved that the backup can be restored, beside the database") as facts:
        drilled = verb("backup", "drill", made["name"])["drilled"]
        facts |= {"proves": drilled["proves"]}
        record.backup |= {"name": made["name"], "made_at": made["database"]["created_at"], "proves": drilled["proves"]}
        if drilled["proves"] != "restorable":
            raise Unproven(
                "no_key",
                f"{made['name']} is encrypted, and the key is not where the app is.",
                "task-assist backup drill --identity FILE, where the key is.",
            )
    with record.step("Let it check all of its database") as facts:
        facts |= told_by_doctor(verb("doctor", "--full"))


def _not_looked(health: dict[str, Any]) -> Stop:
    backup = health["backup"]
    if backup is None:
        return Failed(
            "backups_nowhere",
            "The app makes no backups: what takes its storage takes the data.",
            "Put a line like this into its settings (docs/backups.md):  BACKUP_URL=file:///backups",
        )
    if backup["failing"]:
        return Failed("backup_failed", "The app's last backup failed.", "To see why:  task-assist backup status")
    return Unproven(
        "backup_not_tried",
        f"The app's newest backup is of {backup['newest'] or 'never'}, and from here no newer one can be asked for.",
        "Name where task-assist can be typed:  --exec 'docker exec task-assist task-assist'\n"
        "or the store, where something gives access to it:  --store s3://BUCKET/FOLDER",
    )
