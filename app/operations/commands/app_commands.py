"""The commands that run the app, look at it, and mend an account: serve, check, healthcheck, doctor, reset-password."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from app.operations.doctor.finding import Finding

PORT = click.IntRange(1, 65535)


@click.command()
@click.option("--host", help="Address to listen on. In a container 0.0.0.0, else 127.0.0.1.")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Port to listen on.")
@click.option("--env-file", type=click.Path(path_type=Path), help="Settings, one NAME=value a line; need not exist.")
def serve(host: str | None, port: int, env_file: Path | None) -> None:
    """Runs the app until SIGTERM.

    \b
    task-assist serve
    task-assist serve --port 8080 --env-file .env

    \b
    Exit codes: 0 stopped by SIGTERM or Ctrl-C · 1 it can't start, and why
    """
    from app.operations.serving.shutdown import exit_at_once, on_stop

    on_stop(exit_at_once)
    if env_file:
        from dotenv import load_dotenv

        load_dotenv(env_file)
    from app import settings
    from app.operations.serving import server

    loaded = settings.load()
    server.serve(loaded, host or ("0.0.0.0" if loaded.app_env == "production" else "127.0.0.1"), port)  # noqa: S104


@click.command()
def check() -> None:
    """Checks the settings and the place of the database, and changes nothing.

    \b
    task-assist check
    docker compose run --rm app task-assist check

    \b
    Exit codes: 0 the app would start · 1 it would not, and why
    """
    from app import settings
    from app.storage.guard import guard
    from app.storage.mounts import storage_of
    from app.writer.safe_acquire import why_refused

    loaded = settings.load()
    storage = storage_of(loaded)
    for warning in guard(storage, production=loaded.app_env == "production", keeps_secret=loaded.secret_key is None):
        click.echo(f"Warning: {warning}", err=True)
    if refused := why_refused(storage):
        sys.exit(f"task-assist: {refused}")
    where = f"{storage.path} on {storage.mount.point} ({storage.mount.filesystem}, {storage.profile})"
    click.echo(f"The settings are right. The database is {where}.")


@click.command()
@click.option("--port", type=PORT, default=8000, show_default=True, help="Port on which the app listens.")
def healthcheck(port: int) -> None:
    """Exits with 0 while the app in this container answers /healthz.

    \b
    task-assist healthcheck
    docker compose exec app task-assist healthcheck

    \b
    Exit codes: 0 it answers · 1 it does not, or with an error
    """
    import http.client

    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=4)) as connection:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"task-assist: nothing answers on port {port}: {error!r}")
    if status != 200:
        sys.exit(f"task-assist: /healthz answers {status}")


@click.command()
@click.option("--full", is_flag=True, help="Also check every index against its rows; takes longer.")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON, for programs.")
def doctor(full: bool, as_json: bool) -> None:
    """Says what is well and what is not with the database and its storage, and what mends it.

    Beside a running app it asks that app for what only it can see.

    \b
    task-assist doctor
    docker compose exec app task-assist doctor --full

    \b
    Exit codes: 0 nothing to mend · 1 something to mend, or it could not look
    2 wrong usage
    """
    import json
    from datetime import UTC, datetime

    from app import settings
    from app.operations.doctor.backup_finding import backup_finding
    from app.operations.doctor.doctor import examine
    from app.operations.doctor.key_finding import key_finding
    from app.operations.doctor.sign_in_finding import sign_in_finding
    from app.storage.mounts import storage_of

    loaded, now = settings.load(), datetime.now(UTC)
    storage = storage_of(loaded)
    findings = [
        sign_in_finding(loaded),
        *examine(storage, production=loaded.app_env == "production", keeps_secret=loaded.secret_key is None, full=full),
        backup_finding(loaded, now),
        *key_finding(loaded, now),
    ]
    faults = [each for each in findings if each.level == "fault"]
    if as_json:
        click.echo(json.dumps({"ok": not faults, "findings": [each.as_dict() for each in findings]}, indent=2))
    else:
        _print_findings(findings)
        click.echo(f"To mend: {', '.join(each.name for each in faults)}." if faults else "There is nothing to mend.")
    sys.exit(1 if faults else 0)


def _print_findings(findings: "list[Finding]") -> None:
    for each in findings:
        click.echo(f"{each.level:5}  {each.name:10}  {each.text}")
        for line in each.fix.splitlines():
            click.echo(f"{'':19}{line}")


@click.command("reset-password")
@click.argument("email")
def reset_password(email: str) -> None:
    """Gives the account EMAIL a new password and prints it once. Its sessions and API tokens end.

    \b
    task-assist reset-password you@example.com
    docker compose exec app task-assist reset-password you@example.com

    \b
    Exit codes: 0 done · 1 no such account, or no database · 2 wrong usage
    """
    from app import settings
    from app.operations.control.control import ask
    from app.operations.control.control_commands import new_password
    from app.storage.guard import guard
    from app.storage.mounts import storage_of

    loaded = settings.load()
    storage = storage_of(loaded)
    guard(storage, production=loaded.app_env == "production", keeps_secret=False)
    made = ask(storage, "reset-password", email=email)
    if made is None:
        with _exclusive_database(storage) as database:
            made = new_password(database, email)
    click.echo(f"{made['email']} is signed out everywhere. API tokens that ended: {made['tokens']}.")
    click.echo(f"The password of {made['email']} is now  {made['password']}")


@contextmanager
def _exclusive_database(storage: Any) -> Iterator[Any]:
    """The database while no app runs on it. Raises CannotStart where there is none."""
    from app.backup.copies.upgrade import upgrade
    from app.errors import CannotStart
    from app.writer.exclusive_database import exclusive_database
    from app.writer.safe_acquire import why_refused

    if refused := why_refused(storage):
        raise refused
    if not storage.path.exists():
        raise CannotStart(f"There is no database at {storage.path} yet.", "Start the app once: task-assist serve")
    with exclusive_database(storage) as database:
        upgrade(database)
        yield database
