"""The page for the drawer: where the backups are, which key opens them, and what to type when nothing else is left.

It is read by a person who may have no running app, no network at home and no memory of how this was set up. There is no
secret on it: of the keys only the public ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.backup.proofs.key_proof import KeyProof, how_to_prove
from app.backup.restoring.recovery_commands import AFTERWARDS, for_once, in_cloud, in_container
from app.backup.stores.provider_commands import provider_commands, where
from app.backup.stores.store import Store
from app.backup.stores.stored_backup import OBJECT_ENDINGS
from app.backup.transfer.encryption import SECRET
from app.version import __version__

BLANK = "_" * 44
NO_NAME = "NAME-OF-THE-BACKUP"
WHERE = {
    "az": "on Azure (another stack's group has another name: az group list)",
    "s3": "on AWS (another stack is called task-assist-NAME everywhere)",
    "gs": "on Google Cloud, the first on a VM, the second with Filestore (VM, ZONE, REGION are your stack's)",
}


@dataclass(frozen=True)
class Kit:
    """`keys`: the public ones, each with its last proof. `newest`: the name of the newest backup, None without one."""

    store: Store
    keys: dict[str, KeyProof | None]
    newest: str | None
    schedule: str
    keep: str
    printed_at: datetime


def page(kit: Kit) -> str:
    """Text for a printer, that is also text for a shell: each command stands alone in its line."""
    parts = (_head(kit), _place(kit), _keys(kit), _plain_tools(kit), _with_task_assist(kit), _yearly(kit))
    return "\n\n".join("\n".join(part) for part in parts)


def _head(kit: Kit) -> Iterator[str]:
    yield "TASK ASSIST: HOW THE DATA COMES BACK"
    yield f"Printed on {kit.printed_at:%Y-%m-%d} by Task Assist {__version__}. For the drawer, in another building."
    yield "No password and no private key is on this page. Print it again when the key or the place changes."


def _place(kit: Kit) -> Iterator[str]:
    yield "1. WHERE THE BACKUPS ARE"
    yield f"  {kit.store.url}"
    yield from (f"  {line}" for line in where(kit.store.url))
    yield f"  Made by the schedule {kit.schedule}; kept are {kit.keep}."
    yield f"  The newest on that day: {kit.newest or 'none yet'}"
    yield f"  Who gets at that place, and how:  {BLANK}"


def _keys(kit: Kit) -> Iterator[str]:
    yield "2. THE KEY"
    if not kit.keys:
        yield "  BACKUP_RECIPIENT is not set: the backups are not encrypted by Task Assist. No key is needed to read"
        yield "  them, and whoever reads that place reads all that is in the database. To encrypt those that come:"
        yield "    age-keygen -o key.txt"
        yield "  Put its public key into BACKUP_RECIPIENT, keep the file away from the server, and print this anew."
        return
    yield "  The backups are encrypted for:"
    for key, proof in kit.keys.items():
        yield f"    {key}"
        yield f"      {f'proven on {proof.proven_at:%Y-%m-%d}' if proof else 'never proven yet (part 5)'}"
    yield f"  Its private key begins with {SECRET}1 and is in the file that age-keygen wrote, here called"
    yield "  key.txt. It is neither on the server nor on this page, and without it nobody can read the backups."
    yield f"  Where it lies:         {BLANK}"
    yield f"  Where its copy lies:   {BLANK}"
    yield "  Is a file that key? Then this prints the line above:"
    yield "    age-keygen -y key.txt"


def _plain_tools(kit: Kit) -> Iterator[str]:
    object_ = '"$NAME' + OBJECT_ENDINGS[0 if kit.keys else 1] + '"'
    tools = "sha256sum, zstd, sqlite3" + (" and age" if kit.keys else "")
    yield f"3. BACK WITHOUT TASK ASSIST: with {tools}"
    yield "  Which there are; the time in a name is UTC:"
    yield from (f"    {line}" for line in provider_commands(kit.store.url).listing())
    yield "  Take one, here the newest of the day of printing, and fetch its two files:"
    yield f"    NAME={kit.newest or NO_NAME}"
    yield from (f"    {line}" for line in provider_commands(kit.store.url).fetching())
    yield "  The manifest has the commands that follow, with the sums that must come out:"
    yield "    sed -n '/how_to_restore/,/]/p' \"$NAME.manifest.json\""
    yield f"    sha256sum {object_}"
    yield (
        f'    age -d -i key.txt {object_} | zstd -d -o "$NAME.db"'
        if kit.keys
        else f'    zstd -d {object_} -o "$NAME.db"'
    )
    yield '    sha256sum "$NAME.db"'
    yield "    sqlite3 \"$NAME.db\" 'PRAGMA integrity_check'"
    yield "  That is an ordinary SQLite database: sqlite3, or any program that reads one, shows what is in it."


def _with_task_assist(kit: Kit) -> Iterator[str]:
    yield "4. BACK INTO TASK ASSIST"
    yield "  Start it anew with the settings that it had, BACKUP_URL among them: docker compose up --build --detach, or"
    yield "  pulumi up (docs/DEPLOYMENT.md in the project has each place). Then, where it runs in Docker, one of these:"
    key = " --identity /dev/stdin <key.txt" if kit.keys else ""
    yield from (f"    {line}" for line in in_container(f"task-assist restore latest{key}"))
    if kit.keys:
        yield "  The key goes in by standard input, so nothing of it stays there."
    yield from _in_cloud(kit)
    yield "  Accounts and passwords are those of the backup."


def _in_cloud(kit: Kit) -> Iterator[str]:
    there = list(in_cloud(kit.store.url, encrypted=bool(kit.keys)))
    if not there:
        return
    if kit.keys:
        yield "  A task of a cloud has no standard input: it gets one copy, with a key for that alone. First, on"
        yield "  the machine where key.txt lies, with what gives access to the backups:"
        yield from (f"    {line}" for line in for_once(kit.store.url))
    yield f"  Where it runs {WHERE[kit.store.url.scheme]}:"
    yield from (f"    {line}" for line in there)
    if kit.keys:
        yield "  Then, on the machine of before, since opened.db is not encrypted:"
        yield f"    {AFTERWARDS}"


def _yearly(kit: Kit) -> Iterator[str]:
    yield "5. ONCE A YEAR"
    if kit.keys:
        yield "  Prove the key, from the machine where it lies, with what gives access to the backups:"
        command = how_to_prove(kit.store)
        typed = in_container(command) if kit.store.url.scheme == "file" else [command]
        yield from (f"    {line}" for line in typed)
    else:
        yield from (f"  {line}" for line in _drill(kit.store))
    yield f"  Done on:  {'   '.join(['_' * 12] * 4)}"


def _drill(store: Store) -> Iterator[str]:
    """A folder is the container's: on another machine that address leads nowhere."""
    if store.url.scheme == "file":
        yield "See that a backup comes back, where it runs in Docker by one of these:"
        yield from (f"  {line}" for line in in_container("task-assist backup drill"))
        return
    yield "See that a backup comes back, on another machine, with what gives access to the backups:"
    yield f"  BACKUP_URL={store.url} task-assist backup drill"
