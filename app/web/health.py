"""/healthz: alive. /readyz: ready, and all is well. And the line at the foot of every page, from the same facts."""

from datetime import UTC, datetime

from flask import Blueprint

from app.storage.mounts import Storage
from app.version import __version__
from app.web.api.openapi import HealthOut, described
from app.web.context import database, web_app
from app.web.security import HEADERS
from app.writer.instance import Instance

ALIVE, READY = "/healthz", "/readyz"
STARTED = datetime.now(UTC).isoformat(timespec="milliseconds")
"""When this process began: another time says that a deployment has come."""
health = Blueprint("health", __name__)


@health.get(ALIVE)
@described(HealthOut)
def healthz():
    """Is the process alive? A standby is, and one whose database is not well: a restart would not mend that.

    Says where the data is, and nothing secret. `status`: ok, standby, or the code of what is wrong with the database.
    """
    web_app().instance.probe()
    return HealthOut.model_validate(_facts(web_app().instance))


def healthz_in_loop(instance: Instance) -> tuple[int, list[tuple[str, str]], bytes]:
    """The same for the event loop: it takes no thread and asks no database, so it is answered whatever goes on."""
    instance.probe()
    body = HealthOut.model_validate(_facts(instance)).model_dump_json().encode()
    return 200, [*HEADERS.items(), ("Cache-Control", "no-store"), ("Content-Type", "application/json")], body


@health.get(READY)
@described(HealthOut)
def readyz():
    """Can it answer from the database, and write, and is all well with it? 503, and why, for what is not."""
    instance = web_app().instance
    _ = instance.database  # raises Standby at once and says why, where a request would wait for a hand-over
    with database().read() as session:
        session.connection().exec_driver_sql("SELECT 1 FROM alembic_version")
    if problem := instance.problem:
        raise problem
    return HealthOut.model_validate(_facts(instance))


def _facts(instance: Instance) -> dict:
    storage, writes, problem = instance.storage, instance.writes, instance.problem
    return {
        "status": problem.code if problem else "ok" if writes else "standby",
        "version": __version__,
        "started": STARTED,
        "database": {
            "kind": "sqlite",
            "mount": storage.mount.point,
            "filesystem": storage.mount.filesystem,
            "profile": storage.profile,
            "persistent": storage.persistent,
            "writer": writes,
            "may_lack_changes": instance.may_lack_changes,
        },
        "backup": _backup(instance),
    }


def _backup(instance: Instance) -> dict | None:
    """Without the reason of a failure, in which the store's address is."""
    said = instance.backups()
    return said and {name: value for name, value in said.items() if name != "error"}


def data_line(instance: Instance) -> str:
    """The line at the foot of each page: where the data is, or what is wrong with it."""
    problem = instance.problem
    return f"Not well: {problem.message}" if problem else kept_line(instance.storage)


def kept_line(storage: Storage) -> str:
    """Where the data is, and whether it lasts there."""
    kind = storage.mount.filesystem
    if not storage.persistent:
        return f"Not kept: this place is erased with the container ({kind})"
    if storage.own_mount:
        return f"Saved on a volume of its own ({kind})"
    return f"Saved on this computer ({storage.path.name}, {kind})"
