"""All the other rows, of whomever: read before a deployment, and looked for after it by id, version and hash."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .canary import digest
from .site import Site
from .stop import Failed

LISTS = 1_000
"""Work items whose tasks are read, with a request each. Of the rest the receipt says how many tasks were not."""
EMPTIED_AFTER = timedelta(days=30)
"""What has lain in the trash for so long the app deletes for good (app/domain/trash.py)."""
NAMED = 20
"""Lost rows, after which no more are asked for one by one."""
PATHS = {"work item": "/api/v1/work-items/", "task": "/api/v1/tasks/"}


@dataclass(frozen=True)
class Row:
    """`item`: of a task, the work item's name. `trashed`: when, of what lies in the trash."""

    version: int
    sha256: str
    item: str = ""
    trashed: str = ""


Rows = dict[str, Row]
"""By a row's name, such as "task 7"."""


@dataclass(frozen=True)
class Others:
    """`tasks_there`: how many tasks the work items say that they have; more than are in `rows` where these are many."""

    rows: Rows
    tasks_there: int

    def facts(self) -> dict[str, int]:
        live = [name for name, row in self.rows.items() if not row.trashed]
        tasks = sum(name.startswith("task ") for name in live)
        return {
            "work_items": len(live) - tasks,
            "tasks": tasks,
            "tasks_not_read": max(self.tasks_there - tasks, 0),
            "in_the_trash": len(self.rows) - len(live),
        }


@dataclass(frozen=True)
class Comparison:
    """`changed`: by somebody, since their version grew. `trashed`: deleted by somebody meanwhile."""

    same: int
    changed: int
    trashed: int
    not_read: int

    def facts(self) -> dict[str, int]:
        told = {"rows_same": self.same, "changed_by_people": self.changed, "deleted_by_people": self.trashed}
        return told | ({"tasks_not_read": self.not_read} if self.not_read else {})


def rows_of(site: Site) -> Others:
    """Every work item, what lies in the trash, and the tasks of the first LISTS work items that have any."""
    rows: Rows = {}
    for page in site.pages("/api/v1/trash?limit=200"):
        rows |= {f"work item {each['id']}": _row(each, trashed=each["updated_at"]) for each in page["work_items"]}
        rows |= {f"task {each['id']}": _row(each, trashed=each["updated_at"]) for each in page["tasks"]}
    items = [item for page in site.pages("/api/v1/work-items?limit=200") for item in page["items"]]
    rows |= {f"work item {item['id']}": _row(item) for item in items}
    for item in [item for item in items if item["tasks_total"]][:LISTS]:
        for page in site.pages(f"/api/v1/work-items/{item['id']}/tasks?limit=200"):
            rows |= {f"task {task['id']}": _row(task) for task in page["items"]}
    return Others(rows, sum(item["tasks_total"] for item in items))


def compare(site: Site, before: Others) -> Comparison:
    """Raises Failed where a row is lost, or is one of before."""
    now = rows_of(site).rows
    deleted = {name for name, row in before.rows.items() if _is_deleted(name, row, now)}
    now |= _asked_for(site, [name for name in before.rows if name not in now and name not in deleted])
    if lost := [name for name in before.rows if name not in now and name not in deleted]:
        raise Failed(
            "rows_lost",
            f"{len(lost)} of {len(before.rows)} rows of before are not found, nor in the trash: {_some(lost)}.",
            "Restore a backup of before:  task-assist backup list",
        )
    still = before.rows.keys() - deleted
    older = [name for name in before.rows if name in still and _is_older(before.rows[name], now[name])]
    if older:
        raise Failed(
            "rows_older",
            f"{len(older)} of {len(before.rows)} rows are as they were at an earlier time: {_some(older)}.",
            "An older file was put in the database's place. To take a restore back:  task-assist undo",
        )
    same = sum(before.rows[name].sha256 == now[name].sha256 for name in still)
    return Comparison(same, len(still) - same, len(deleted), before.facts()["tasks_not_read"])


def _is_deleted(name: str, before: Row, now: Rows) -> bool:
    """By somebody who put it, or the work item that it is of, into the trash; or by the app, which empties that."""
    if name in now:
        return bool(now[name].trashed and not before.trashed)
    if before.item in now and now[before.item].trashed:
        return True
    return bool(before.trashed) and datetime.now(UTC) - datetime.fromisoformat(before.trashed) > EMPTIED_AFTER


def _asked_for(site: Site, names: list[str]) -> Rows:
    """Those that are there all the same: tasks of a list that was not read again. Ends when NAMED are not."""
    found, missing = Rows(), 0
    for name in names:
        kind, _, number = name.rpartition(" ")
        status, row = site.ask("GET", PATHS[kind] + number)
        if status == 200:
            found[name] = _row(row)
        elif (missing := missing + 1) == NAMED:
            break
    return found


def _row(told: dict[str, Any], trashed: str = "") -> Row:
    item = f"work item {told['work_item_id']}" if "work_item_id" in told else ""
    return Row(told["version"], digest(told), item, trashed)


def _is_older(before: Row, now: Row) -> bool:
    return now.version < before.version or (now.version == before.version and now.sha256 != before.sha256)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
