"""What the running app knows of its backups, for /healthz and the doctor: what the manifests in the store said last."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from app.errors import Problem
from app.operations.control.control import ask
from app.setting_values import store_url
from app.storage.mounts import storage_of


@dataclass
class BackupHealth:
    """`errors`: why the last "backup" or "drill" failed, none where it didn't. `missing`: one is long not there."""

    made_at: datetime | None = None
    drilled_at: datetime | None = None
    due_at: datetime | None = None
    next_at: datetime | None = None
    errors: dict[str, str] = field(default_factory=lambda: {})
    missing: bool = False

    def saw(self, standing: dict[str, Any]) -> None:
        """`standing`: what the store says (app/backup/schedule/backup_status.py), as JSON."""
        self.made_at, self.due_at = _time(standing["made_at"]), _time(standing["due_at"])
        self.drilled_at = _time(standing["drill"]["drilled_at"]) if standing["drill"] else None

    def as_dict(self) -> dict[str, Any]:
        """`error` is for the log and the doctor; /healthz, which anybody may read, leaves it out."""
        return {
            "newest": _iso(self.made_at),
            "age_seconds": int((datetime.now(UTC) - self.made_at).total_seconds()) if self.made_at else None,
            "drilled": _iso(self.drilled_at),
            "next": _iso(self.next_at),
            "failing": bool(self.errors),
            "missing": self.missing,
            "error": " ".join(f"{what.capitalize()}: {why}" for what, why in tuple(self.errors.items())) or None,
        }


def tell_app(loaded: Any, place: Any) -> None:
    """To be called when a backup or a drill is in `place`. A running app, if that is its store, knows of it at once."""
    from app.backup.schedule.backup_status import backup_status
    from app.backup.stores.deployment import deployment_number, own_backups

    if not loaded.backup_url or store_url(loaded.backup_url) != place.url:
        return
    with suppress(Problem):  # it asks the store itself within the hour
        storage = storage_of(loaded)
        mine = own_backups(place, deployment_number(storage.path))
        standing = backup_status(mine, loaded.backup_schedule, zone_of(loaded), datetime.now(UTC))
        ask(storage, "saw-backups", standing=standing.as_dict())


def missing(due_at: datetime) -> str:
    return f"the backup of {due_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC is missing"


def zone_of(loaded: Any) -> tzinfo:
    """That of the schedule. Of the machine's own only the offset of now is known."""
    return loaded.zone or datetime.now().astimezone().tzinfo or UTC


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _iso(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None
