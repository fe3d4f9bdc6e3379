"""The canary: rows of its own that are written through the API, and a hash of each row to know it again by."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from .site import Site
from .stop import Failed

HASHED = ("id", "work_item_id", "title", "notes", "status", "priority", "done", "due", "version", "created_at")
"""What changes only with a row's version. Where it stands in a list, and how many tasks it has, are not in it."""
NOTES = "Line one\nZwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich\n漢字かな交じり文 🐤\n" + "x" * 4_000


@dataclass
class Canary:
    """Of the one item and its tasks what the API acknowledged."""

    title: str
    item: dict[str, Any]
    tasks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def id(self) -> int:
        return self.item["id"]

    def facts(self) -> dict[str, Any]:
        return {"title": self.title, "rows": 1 + len(self.tasks), "sha256": self.sha256()}

    def sha256(self) -> str:
        return fingerprint([self.item, *self.tasks])


def new_mark() -> str:
    """In the title of every row of one proof, and nowhere else."""
    return secrets.token_hex(6)


def write_canary(site: Site, mark: str, tasks: int = 5) -> Canary:
    title = f"Persistence check {mark}: deleted again when it ends"
    canary = Canary(title, site.post("/api/v1/work-items", {"title": title, "notes": NOTES, "priority": "high"}))
    for number in range(tasks):
        add_task(site, canary, f"Canary {number + 1}: {secrets.token_hex(16)}")
    return canary


def delete_canary(site: Site, mark: str) -> int:
    """Whatever has the mark, and nothing else; gives how many items that was. They lie in the trash for 30 days."""
    found = [item for page in site.pages(f"/api/v1/work-items?limit=200&q={mark}") for item in page["items"]]
    ours = [item["id"] for item in found if item["title"].startswith(f"Persistence check {mark}:")]
    for number in ours:
        site.delete(f"/api/v1/work-items/{number}")
    return len(ours)


def add_task(site: Site, canary: Canary, title: str) -> None:
    """Is the canary's as soon as it is acknowledged."""
    canary.tasks.append(site.post(f"/api/v1/work-items/{canary.id}/tasks", {"title": title}))


def look_for(site: Site, canary: Canary) -> None:
    """Raises Failed where one row of it is not there as it was acknowledged."""
    status, item = site.ask("GET", f"/api/v1/work-items/{canary.id}")
    if status != 200 or not isinstance(item, dict) or item.get("title") != canary.title:
        raise _gone(site, canary)
    there = {task["id"]: digest(task) for page in _pages(site, canary) for task in page["items"]}
    missing = [task for task in canary.tasks if task["id"] not in there]
    if missing and {task["id"] for task in missing} <= _trashed(site, "tasks").keys():
        raise _deleted(f"{len(missing)} tasks of work item {canary.id} lie")
    if missing:
        raise Failed(
            "acknowledged_lost",
            f"{len(missing)} of {len(canary.tasks)} tasks that were acknowledged are gone, the first of them task "
            f"{missing[0]['id']}.",
            "Keep the volume as it is, and report it with this receipt.",
        )
    changed = [row["id"] for row in canary.tasks if there[row["id"]] != digest(row)]
    if changed or digest(item) != digest(canary.item):
        raise Failed(
            "canary_changed",
            f"The canary is there, and not as it was written: tasks {changed or 'none'}, item {canary.id}.",
            "Did somebody change it meanwhile? If not, keep the volume as it is, and report it with this receipt.",
        )


def _pages(site: Site, canary: Canary) -> Any:
    return site.pages(f"/api/v1/work-items/{canary.id}/tasks?limit=200")


def _gone(site: Site, canary: Canary) -> Failed:
    """Somebody has deleted it; or its place is empty, or another row's: which other database is it?"""
    if _trashed(site, "work_items").get(canary.id) == canary.title:
        return _deleted(f"work item {canary.id} lies")
    total = site.get("/api/v1/work-items?limit=1")["total"] + site.get("/api/v1/trash?limit=1")["total"]
    if not total:
        return Failed(
            "empty",
            f"The database is an empty one: work item {canary.id} is gone, and there is no other.",
            "Its volume or share was deleted, or another one was mounted. What is mounted now:  task-assist doctor",
        )
    return Failed(
        "other_database",
        f"The database is another one: it has {total} items, and work item {canary.id} is not what was written.",
        "An older or another file was put in its place. To take a restore back:  task-assist undo",
    )


def _trashed(site: Site, kind: str) -> dict[int, str]:
    """The titles of what lies in the trash, by its ID."""
    return {row["id"]: row["title"] for page in site.pages("/api/v1/trash?limit=200") for row in page[kind]}


def _deleted(what: str) -> Failed:
    return Failed(
        "canary_deleted",
        f"Somebody deleted the canary meanwhile: {what} in the trash.",
        "That is no loss, and no proof either. Try again, and tell whoever tidies up there.",
    )


def digest(row: dict[str, Any]) -> str:
    """Of one row as the API tells it."""
    told = {name: row[name] for name in HASHED if name in row}
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def fingerprint(rows: list[dict[str, Any]]) -> str:
    """Of rows in their order."""
    return hashlib.sha256("".join(map(digest, rows)).encode()).hexdigest()
