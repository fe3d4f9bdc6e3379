"""What the running app does for the commands that ask it (control.py), with the database as this process has it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from app.backup.copies.snapshot import snapshot
from app.database.condition import damaged
from app.database.connections import PRAGMAS
from app.database.contents import fault_in_file, revision_of
from app.database.engine import Database
from app.database.long_log import long_log
from app.database.sqlite_errors import fault_in
from app.domain import accounts
from app.domain.passwords import hashed
from app.errors import Broken, NotFound, Problem
from app.operations.control.canary import written_by_app
from app.operations.control.control import Command, Control, Progress
from app.version import __version__
from app.writer.gate import standing_by
from app.writer.instance import Instance

STEPS = 10_000
"""Of SQLite's virtual machine, some milliseconds: how often an examination looks whether it should give way."""

log = structlog.get_logger()


class BrokenOff(Problem):
    code, status = "broken_off", 503


def listen(instance: Instance) -> Control | None:
    """Answers commands from now on; None where the socket can't be made, which the log then says."""
    commands: dict[str, Command] = {
        "snapshot": partial(_snapshot, instance),
        "reset-password": partial(_reset_password, instance),
        "condition": partial(_condition, instance),
        "examine": partial(_examine, instance),
        "backups": lambda progress: instance.backups() or {},  # noqa: ARG005
        "saw-backups": partial(_saw_backups, instance),
        "canary": partial(written_by_app, instance),
    }
    try:
        return Control(instance.storage, commands)
    except (OSError, Problem) as error:
        log.warning(f"There is no control socket, so snapshots and doctor can't ask this app: {error}")
        return None


def _snapshot(instance: Instance, *, file: str, force: bool, progress: Progress) -> dict[str, Any]:
    def give_way(done: int, total: int) -> None:
        if instance.should_yield:
            raise _broken_off("snapshot")
        progress(done, total)

    try:
        proof = snapshot(instance.storage, Path(file), force=force, progress=give_way, held=instance.using())
    except Broken as broken:  # the copy is checked, and is as what it was made of
        if " is damaged: " in broken.message or fault_in(broken.message) == "malformed":
            with instance.using() as database:
                what = broken.message.partition(": ")[2].rstrip(".")
                database.condition.report(damaged(database.storage.path, what))
        raise
    return proof.model_dump(mode="json")


def _saw_backups(instance: Instance, *, standing: dict[str, Any], progress: Progress) -> dict[str, Any]:  # noqa: ARG001
    instance.saw_backups(standing)
    return {}


def _reset_password(instance: Instance, *, email: str, progress: Progress) -> dict[str, Any]:  # noqa: ARG001
    with instance.using() as database:
        return new_password(database, email)


def new_password(database: Database, email: str) -> dict[str, Any]:
    """Gives an account a new password and ends its sessions and tokens. Raises NotFound with the accounts there are."""
    password = secrets.token_urlsafe(15)
    kept = hashed(SecretStr(password))
    with database.write() as session:
        account = accounts.find_account(session, email)
        if account is None:
            known = ", ".join(each.email for each in accounts.list_accounts(session)) or "none yet"
            raise NotFound(f"There is no account {email}.", f"The accounts are: {known}")
        ended = accounts.reset_password(session, account, kept)
        return {"email": account.email, "password": password, "tokens": ended}


def _condition(instance: Instance, *, progress: Progress) -> dict[str, Any]:  # noqa: ARG001
    """What is wrong with the database, as the app has found it: for a doctor who may find it well by his own look."""
    if instance.gate.opened is None:
        raise standing_by()  # another app on this machine may have it
    problem = instance.problem
    return problem.as_dict() if problem else {}


def _examine(instance: Instance, *, full: bool, progress: Progress) -> dict[str, Any]:  # noqa: ARG001
    with instance.using() as database:
        try:
            facts = examined(database, full=full, gives_way=lambda: instance.should_yield)
            if facts["integrity"] != "ok":
                database.condition.report(damaged(database.storage.path, facts["integrity"]))
            return facts
        except DatabaseError:
            if instance.should_yield:
                raise _broken_off("examination") from None
            raise


def _broken_off(what: str) -> BrokenOff:
    return BrokenOff(f"The app is handing the database over, so the {what} was broken off.", "Run it again.")


def examined(database: Database, *, full: bool, gives_way: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """What only the process that has the database can say of it; `full` also checks the indexes against the rows.

    Ends with SQLite's error "interrupted" soon after `gives_way` says so.
    """
    with database.read() as session, _interrupted_by(gives_way, session.connection()) as connection:
        sqlite = connection.connection.driver_connection

        def ask(pragma: str) -> Any:
            return connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()

        return {
            "version": __version__,
            "sqlite_version": connection.exec_driver_sql("SELECT sqlite_version()").scalar(),
            "pragmas": {name: ask(name) for name in PRAGMAS},
            "revision": revision_of(sqlite),
            "log": asdict(found) if (found := long_log(database.storage)) else None,
            "integrity": fault_in_file(sqlite, "integrity_check" if full else "quick_check") or "ok",
        }


@contextmanager
def _interrupted_by(says_so: Callable[[], bool], connection: Connection) -> Iterator[Connection]:
    sqlite: Any = connection.connection.driver_connection
    sqlite.set_progress_handler(says_so, STEPS)
    try:
        yield connection
    finally:
        sqlite.set_progress_handler(None, STEPS)
