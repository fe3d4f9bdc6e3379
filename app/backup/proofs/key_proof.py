"""When the private key of a public one was last proven to open a backup: a record in the store, by the public key.

The drill that opens an encrypted backup makes it. It is not the drill's own record, which goes when its backup is
pruned.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from app.backup.stores.records import records_in, renew
from app.backup.stores.store import Store
from app.backup.stores.stored_backup import CLOCKS_DIFFER
from app.errors import NotFound

ENDING = ".key-proof.json"
LASTS = timedelta(days=365)


class KeyProof(BaseModel):
    """`backup`: the name of what it opened."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: Literal[1] = 1
    public_key: str
    proven_at: AwareDatetime
    backup: str


def keep_proofs(store: Store, public_keys: Iterable[str], backup: str, at: datetime) -> None:
    """Each instead of an earlier one."""
    for key in public_keys:
        proof = KeyProof(public_key=key, proven_at=at, backup=backup)
        renew(store, key, ENDING, at, proof.model_dump_json(indent=2).encode() + b"\n")


def last_proof(store: Store, public_key: str) -> KeyProof | None:
    """None where there is none that can be read."""
    for record in reversed(records_in(store.entries(), ENDING)):
        if record.of == public_key:
            with suppress(NotFound, ValidationError):
                return KeyProof.model_validate_json(store.read(record.name))
    return None


def reminders(store: Store, public_keys: Iterable[str], now: datetime) -> list[str]:
    """One sentence for each key that was not proven within a year, with what to type where its private key is."""
    found = []
    for key in public_keys:
        proof = last_proof(store, key)
        if proof and -CLOCKS_DIFFER <= now - proof.proven_at <= LASTS:
            continue
        when = f"was last proven on {proof.proven_at:%Y-%m-%d}" if proof else "has never been proven"
        found.append(
            f"The private key of {key} {when}: without it nobody can read the backups. Where it is, with what gives"
            f" access to the store, type:  {how_to_prove(store)}"
        )
    return found


def how_to_prove(store: Store) -> str:
    """A folder is reached through the machine that has it, with the key going there by standard input."""
    if store.url.scheme == "file":
        return "task-assist backup drill --identity /dev/stdin <key.txt"
    return f"BACKUP_URL={store.url} task-assist backup drill --identity key.txt"
