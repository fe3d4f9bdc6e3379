"""Which backups stay: BACKUP_KEEP, as in last=3 daily=7 weekly=4 monthly=12, in the zone of TZ."""

from collections.abc import Callable, Iterable, Iterator, Sized
from datetime import datetime, timedelta, tzinfo
from itertools import islice

from app.backup.copies.manifest import Manifest
from app.backup.copies.overwrite_rules import FAR, count_items_and_tasks
from app.backup.proofs.drill_records import BackupDrills, drills_in, orphaned_records
from app.backup.stores.deployment import OwnBackups
from app.backup.stores.folder import under_way
from app.backup.stores.store import Store
from app.backup.stores.stored_backup import (
    ENDING,
    OBJECT_ENDINGS,
    StoredBackup,
    by_time,
    deployment_in,
    is_name,
    manifest_of,
    names_in,
    read_stored_backup,
    time_of,
    without_future,
)
from app.errors import Conflict, Problem
from app.setting_values import keep_rules

FEWEST = 3
"""So many of the newest stay whatever the rules say."""
UNFINISHED_AFTER = timedelta(days=2)
"""An object without a manifest is then taken for one whose backup broke off."""
SWEPT = (*OBJECT_ENDINGS, ENDING)
PERIODS: dict[str, Callable[[datetime], object]] = {
    "daily": lambda time: time.date(),
    "weekly": lambda time: time.isocalendar()[:2],
    "monthly": lambda time: (time.year, time.month),
}


def names_to_keep(names: Iterable[str], rules: str, zone: tzinfo) -> set[str]:
    """By each rule the newest of each of the newest N days, weeks or months that have one, and the last N."""
    newest_first = sorted(names, key=by_time, reverse=True)
    numbers = keep_rules(rules)
    stay = set(newest_first[: max(FEWEST, numbers.pop("last", 0))])
    for rule, number in numbers.items():
        newest_of: dict[object, str] = {}
        for name in newest_first:
            newest_of.setdefault(PERIODS[rule](time_of(name).astimezone(zone)), name)
        stay |= set(list(newest_of.values())[:number])
    return stay


def prune(store: Store, made: StoredBackup, rules: str, zone: tzinfo, warn: Callable[[str], None]) -> list[str]:
    """To be called when `made` is there, and after nothing that failed. Gives the names that are gone: none of those
    that another deployment has made.

    The newest one that a drill has opened stays, and so does what is far fuller than `made`: an emptied database must
    not take its good backups along, however many nights nobody looks.
    """
    store = OwnBackups(store, deployment_in(made.name))
    names = names_in(store)
    there = set(without_future(names, made.created_at))  # one of a time to come takes no place from the others
    stay = names_to_keep(there, rules, zone) | set(_proven(drills_in(store))) | {made.name}
    going = _without_fuller(store, [name for name in names if name in there - stay], made, warn)
    for name in going:
        _remove(store, name)
    _sweep(store, made.created_at)
    return going


def _without_fuller(store: Store, names: list[str], made: StoredBackup, warn: Callable[[str], None]) -> list[str]:
    """Nor those that can't be read, which a newer version may have made. Of each kind one sentence."""
    now, fuller, unread = count_items_and_tasks(made.database.rows), dict[str, int](), dict[str, str]()
    for name in names:
        try:
            rows = count_items_and_tasks(read_stored_backup(store, name).database.rows)
        except Problem as problem:
            unread[name] = problem.message
            continue
        if rows > FAR * now:
            fuller[name] = rows
    if unread:
        newest, why = max(unread, key=time_of), "can't be read"
        warn(f"{_staying(newest, unread, why)} {why}: {unread[newest]}")
    if fuller:
        newest = max(fuller, key=time_of)
        holds = f"holds {fuller[newest]:,} items and tasks, and the newest backup only {now:,}."
        warn(f"{_staying(newest, fuller, 'hold far more than the newest')} {holds}")
    return [name for name in names if name not in fuller and name not in unread]


def _staying(newest: str, all_of: Sized, why: str) -> str:
    if len(all_of) == 1:
        return f"{newest} stays, because it"
    return f"{len(all_of)} backups stay, because they {why}. The newest of them, {newest},"


def _proven(drills: dict[str, BackupDrills]) -> Iterator[str]:
    """The newest that was opened, and the newest that was found unchanged, of those that have not failed since."""
    newest_first = sorted(drills, key=by_time, reverse=True)
    for proof in ("restorable", "unchanged"):
        yield from islice((n for n in newest_first if any(each.proves == proof for each in drills[n].passed)), 1)


def _remove(store: Store, name: str) -> None:
    """The manifest first: killed in between, what is left is no backup any more, and swept."""
    for each in (manifest_of(name), *(name + ending for ending in OBJECT_ENDINGS)):
        store.remove(each)


def _sweep(store: Store, now: datetime) -> None:
    entries = store.entries()
    there = {entry.name for entry in entries}
    for each in orphaned_records(entries):
        store.remove(each)
    for each in there:
        part_of = under_way(each)  # what a folder has of an upload that was killed
        object_ = part_of or each
        name = next((object_.removesuffix(ending) for ending in SWEPT if object_.endswith(ending)), "")
        is_part = part_of is not None or name + ENDING not in there
        if is_name(name) and is_part and now - time_of(name) > UNFINISHED_AFTER:
            store.remove(each)


def refuse_emptied(taken: Manifest, newest: StoredBackup | None) -> None:
    """Raises Conflict for an empty database beside backups that are not: one that has just been made anew after a loss.

    Its backup would be the newest, and the one that `restore latest` takes.
    """
    if (
        newest is None
        or count_items_and_tasks(taken.rows)
        or not (there := count_items_and_tasks(newest.database.rows))
    ):
        return
    raise Conflict(
        f"The database is empty, and the newest backup, {newest.name}, holds {there:,} items and tasks. The schedule"
        " makes none of the empty one, so that `restore latest` takes that.",
        f"To put it back:  task-assist restore {newest.name}\n"
        "If the database is meant to be empty, make a backup by hand:  task-assist backup",
    )


def warn_of_loss(made: StoredBackup, before: StoredBackup | None, warn: Callable[[str], None]) -> None:
    """Where the database holds, or its backup takes, less than half of what it did."""
    if before is None:
        return
    then, now = count_items_and_tasks(before.database.rows), count_items_and_tasks(made.database.rows)
    if now * FAR < then:
        warn(f"The database holds {now:,} items and tasks; in the backup before, {before.name}, there were {then:,}.")
    elif made.object_size_bytes * FAR < before.object_size_bytes:
        warn(
            f"The backup has {made.object_size_bytes:,} bytes; the one before, {before.name}, had "
            f"{before.object_size_bytes:,}."
        )
