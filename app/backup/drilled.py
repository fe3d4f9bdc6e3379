"""What drills have found, beside the backups in the store: NAME.drill.json, made by the drill that proved it last."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from app.backup.store import Store
from app.errors import NotFound

ENDING = ".drill.json"


class Drilled(BaseModel):
    """`proves`: "restorable" where it was opened and read; "unchanged" where only its hash could be checked."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: Literal[1] = 1
    name: str
    drilled_at: AwareDatetime
    proves: Literal["restorable", "unchanged"]
    seconds: float
    size_bytes: int
    canary: bool | None = None
    """Was the row in it that was written just before it? None where there is none to look for, or nothing was read."""


def drill_record_of(name: str) -> str:
    return name + ENDING


def drilled_names(store: Store) -> set[str]:
    return {entry.name.removesuffix(ENDING) for entry in store.entries() if entry.name.endswith(ENDING)}


def last_drill(store: Store) -> Drilled | None:
    """The newest of the records; None without one that can be read."""
    found = [each for name in drilled_names(store) if (each := drilled(store, name))]
    return max(found, key=lambda each: each.drilled_at, default=None)


def drilled(store: Store, name: str) -> Drilled | None:
    try:
        return Drilled.model_validate_json(store.read(drill_record_of(name)))
    except (NotFound, ValidationError):
        return None


def keep_record(store: Store, record: Drilled) -> None:
    """In the place of an earlier one."""
    store.remove(drill_record_of(record.name))
    store.create(drill_record_of(record.name), record.model_dump_json(indent=2).encode() + b"\n")
