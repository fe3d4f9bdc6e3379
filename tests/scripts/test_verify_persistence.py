"""scripts/verify_persistence.py where no engine is needed: what it takes for a loss, what it touches, what it says."""

import errno
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.database.migrations import known_revisions
from app.setting_values import store_url
from scripts.persistence import cli, existing_rows, own, placement
from scripts.persistence import keep as keep_module
from scripts.persistence.canary import Canary, delete_canary, look_for, new_mark, write_canary
from scripts.persistence.cli import TARGETS
from scripts.persistence.compose_model import built_as, left_out, of_its_own
from scripts.persistence.docker_run import DockerRun
from scripts.persistence.engine import Container, Mount
from scripts.persistence.existing_rows import EMPTIED_AFTER, Others, Row, compare, rows_of
from scripts.persistence.keep import keep
from scripts.persistence.own import Elsewhere
from scripts.persistence.page import HEADINGS, SECTIONS
from scripts.persistence.prove_own import changed
from scripts.persistence.record import Record
from scripts.persistence.settings import NO_BACKUPS, folder_of
from scripts.persistence.stop import EXIT_CODES, Failed, Misused, NotTried, Stop, Unproven, in_doubt_failed
from scripts.persistence.storage import told_by_doctor
from scripts.persistence.store_of import StoreOf, store_of
from tests.scripts.asked import Asked, reason
from tests.scripts.conftest import ROOT

SCRIPT = ROOT / "scripts/verify_persistence.py"
PAGE = (ROOT / "docs/receipts.md").read_text()


# --- the canary and the other rows -------------------------------------------------------------------------


def test_a_canary_is_found_again_and_deleted_without_touching_another_item(site: Asked):
    site.post("/api/v1/work-items", {"title": "Milk"})
    mark = new_mark()
    canary = write_canary(site, mark)
    look_for(site, canary)
    assert delete_canary(site, mark) == 1
    assert [item["title"] for item in site.get("/api/v1/work-items")["items"]] == ["Milk"]
    assert delete_canary(site, mark) == 0


def test_an_item_that_only_speaks_of_the_mark_is_not_deleted(site: Asked):
    mark = new_mark()
    site.post("/api/v1/work-items", {"title": f"What is the persistence check {mark}: ours?"})
    assert delete_canary(site, mark) == 0


def test_one_lost_task_of_the_canary_is_a_loss(site: Asked):
    canary = write_canary(site, new_mark())
    canary.tasks.append(canary.tasks[3] | {"id": 999})
    with pytest.raises(Failed, match=r"^1 of 6 tasks that were acknowledged are gone") as stop:
        look_for(site, canary)
    assert reason(stop) == "acknowledged_lost"


def test_a_changed_row_of_the_canary_is_none_of_before(site: Asked):
    canary = write_canary(site, new_mark())
    site.ask("PATCH", f"/api/v1/tasks/{canary.tasks[3]['id']}", {"title": "Another"})
    with pytest.raises(Failed) as stop:
        look_for(site, canary)
    assert reason(stop) == "canary_changed"


def canary_of_another_database() -> Canary:
    return Canary("Persistence check: of another", {"id": 1, "title": "Persistence check: of another"})


def test_an_empty_database_is_told_from_another_one(site: Asked):
    with pytest.raises(Failed) as stop:
        look_for(site, canary_of_another_database())
    assert reason(stop) == "empty"
    site.post("/api/v1/work-items", {"title": "Of an older file"})
    with pytest.raises(Failed, match="it has 1 items") as stop:
        look_for(site, canary_of_another_database())
    assert reason(stop) == "other_database"


def test_a_canary_that_somebody_deleted_is_no_other_database(site: Asked):
    """The hint of another database is to take a restore back, which would lose rows."""
    canary = write_canary(site, new_mark())
    site.delete(f"/api/v1/tasks/{canary.tasks[0]['id']}")
    with pytest.raises(Failed, match=r"1 tasks of work item .* lie in the trash") as task:
        look_for(site, canary)
    site.delete(f"/api/v1/work-items/{canary.id}")
    with pytest.raises(Failed, match=f"work item {canary.id} lies in the trash") as item:
        look_for(site, canary)
    assert reason(task) == reason(item) == "canary_deleted"
    assert "undo" not in task.value.hint + item.value.hint


def test_what_people_change_and_delete_meanwhile_is_no_loss(site: Asked):
    ids = [site.post("/api/v1/work-items", {"title": f"Item {number}"})["id"] for number in range(5)]
    tasks = [site.post(f"/api/v1/work-items/{number}/tasks", {"title": "Task"})["id"] for number in ids for _ in "ab"]
    site.delete(f"/api/v1/tasks/{tasks[9]}")
    before = rows_of(site)
    assert before.facts() == {"work_items": 5, "tasks": 9, "tasks_not_read": 0, "in_the_trash": 1}
    site.ask("PATCH", f"/api/v1/work-items/{ids[0]}", {"title": "Changed"})
    site.ask("PATCH", f"/api/v1/work-items/{ids[1]}", {"after": ids[3]})
    site.delete(f"/api/v1/work-items/{ids[2]}")
    site.delete(f"/api/v1/tasks/{tasks[0]}")
    site.post(f"/api/v1/tasks/{tasks[9]}/restore", {})
    site.post("/api/v1/work-items", {"title": "New"})
    told = {"rows_same": 9, "changed_by_people": 2, "deleted_by_people": 4}
    assert compare(site, before).facts() == told


def also(before: Others, name: str, row: Row) -> Others:
    return Others(before.rows | {name: row}, before.tasks_there)


@pytest.mark.parametrize("name", ["work item 7", "task 7"])
def test_a_row_that_is_gone_and_not_in_the_trash_is_lost(site: Asked, name: str):
    with pytest.raises(Failed, match=rf"^1 of 1 rows of before are not found, nor in the trash: {name}\.") as stop:
        compare(site, also(rows_of(site), name, Row(1, "ab" * 32)))
    assert reason(stop) == "rows_lost"


def test_a_row_of_the_trash_may_be_gone_when_it_has_lain_there_for_thirty_days(site: Asked):
    def compared(days: float) -> dict[str, int]:
        at = datetime.now(UTC) - EMPTIED_AFTER + timedelta(days=days)
        return compare(site, also(rows_of(site), "task 7", Row(1, "ab" * 32, trashed=at.isoformat()))).facts()

    assert compared(-1)["deleted_by_people"] == 1
    with pytest.raises(Failed) as stop:
        compared(1)
    assert reason(stop) == "rows_lost"


def test_tasks_of_lists_that_are_not_read_are_counted(site: Asked, monkeypatch: pytest.MonkeyPatch):
    """And what was read before and is not in a list that is read again is asked for by itself."""
    lists = [site.post("/api/v1/work-items", {"title": "List"})["id"] for _ in "ab"]
    for number in lists:
        site.post(f"/api/v1/work-items/{number}/tasks", {"title": "Task"})
    monkeypatch.setattr(existing_rows, "LISTS", 1)
    before = rows_of(site)
    assert before.facts()["tasks_not_read"] == 1
    site.ask("PATCH", f"/api/v1/work-items/{lists[1]}", {"after": lists[0]})
    told = {"rows_same": 3, "changed_by_people": 0, "deleted_by_people": 0, "tasks_not_read": 1}
    assert compare(site, before).facts() == told


@pytest.mark.parametrize("kind", ["work item", "task"])
def test_a_row_of_an_earlier_time_is_an_older_file(site: Asked, kind: str):
    item = site.post("/api/v1/work-items", {"title": "One"})["id"]
    task = site.post(f"/api/v1/work-items/{item}/tasks", {"title": "One"})["id"]
    name, path = {"work item": (f"work item {item}", "work-items"), "task": (f"task {task}", "tasks")}[kind]
    site.ask("PATCH", f"/api/v1/{path}/{name.split()[-1]}", {"title": "Two"})
    now = rows_of(site)
    compare(site, now)
    with pytest.raises(Failed) as stop:
        compare(site, also(now, name, Row(9, now.rows[name].sha256)))
    assert reason(stop) == "rows_older"


# --- where the database lies -------------------------------------------------------------------------------


class Described(Container):
    """A container as `docker inspect` would describe it."""

    def __init__(self, *mounts: Mount, store: str = "file:///backups") -> None:
        super().__init__("app")
        self._found, self._store = list(mounts), store

    @property
    def database(self) -> str:
        return "/app/data/task_manager.db"

    @property
    def store(self) -> str:
        return self._store

    def mounts(self) -> list[Mount]:
        return self._found


@pytest.fixture
def volumes(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = {"data": {"CreatedAt": "then", "Options": None}}
    monkeypatch.setattr(placement, "_volume", lambda name: known[name])
    return known


@pytest.mark.parametrize(
    ("mounts", "code"),
    [
        ([], "no_volume"),
        ([Mount("tmpfs", "", "/tmp")], "no_volume"),
        ([Mount("volume", "backups", "/backups")], "no_volume"),
        ([Mount("tmpfs", "", "/app/data")], "in_memory"),
        ([Mount("volume", "memory", "/app/data")], "in_memory"),
        ([Mount("volume", "data", "/data")], "wrong_path"),
        ([Mount("volume", "data", "/app/database")], "wrong_path"),
        ([Mount("volume", "f" * 64, "/app/data")], "anonymous"),
        ([Mount("volume", "data", "/app/data"), Mount("tmpfs", "", "/app/data/more")], None),
        ([Mount("volume", "data", "/app")], None),
        ([Mount("bind", "/srv", "/app/data")], None),
    ],
)
def test_what_vanishes_is_told_by_the_mounts(volumes: dict[str, Any], mounts: list[Mount], code: str | None):
    volumes |= {"memory": {"Options": {"type": "tmpfs"}}, "f" * 64: {"Options": None}}
    if code is None:
        assert placement.refuse_what_vanishes(Described(*mounts)).target in ("/app/data", "/app")
        return
    with pytest.raises(Failed) as stop:
        placement.refuse_what_vanishes(Described(*mounts))
    assert reason(stop) == code


def test_a_volume_of_another_time_is_another_volume(volumes: dict[str, Any]):
    mount = Mount("volume", "data", "/app/data")
    born = placement.made_at(mount)
    placement.refuse_replaced(mount, born)
    volumes["data"]["CreatedAt"] = "now"
    with pytest.raises(Failed, match="it is of now, and was of then") as stop:
        placement.refuse_replaced(mount, born)
    assert reason(stop) == "volume_replaced"


DATA = Mount("volume", "data", "/app/data")


@pytest.mark.parametrize(
    ("mount", "store", "code"),
    [
        (Mount("volume", "backups", "/backups"), "file:///backups", None),
        (Mount("volume", "backups", "/backups"), "file://localhost/backups/of%20mine/", None),
        (Mount("volume", "backups", "/else"), "file:///backups", "backups_nowhere"),
        (Mount("tmpfs", "", "/backups"), "file:///backups", "backups_nowhere"),
        (Mount("volume", "memory", "/backups"), "file:///backups", "backups_nowhere"),
        (Mount("volume", "f" * 64, "/backups"), "file:///backups", "backups_nowhere"),
        (Mount("volume", "data", "/backups"), "file:///backups", "backups_with_data"),
        (Mount("volume", "backups", "/backups"), "file:///app/data/backups", "backups_with_data"),
    ],
)
def test_backups_lie_on_a_volume_of_their_own(volumes: dict[str, Any], mount: Mount, store: str, code: str | None):
    volumes |= {"memory": {"Options": {"type": "tmpfs"}}, "backups": {"Options": None}, "f" * 64: {"Options": None}}
    container = Described(DATA, mount, store=store)
    if code is None:
        assert store_of(container, DATA) == StoreOf(store, "backups", "/backups")
        return
    with pytest.raises(Failed) as stop:
        store_of(container, DATA)
    assert reason(stop) == code


def test_a_store_s_folder_is_read_as_the_app_reads_it():
    for url in ("file:///backups", "file://localhost/backups", "file:///back%20ups", "file:///srv/backups"):
        assert folder_of(url) == store_url(url).path
    assert folder_of("s3://bucket/folder") == ""


def test_backups_that_the_doctor_says_lie_with_the_data_are_none():
    finding = {
        "name": "backups",
        "level": "note",
        "text": "with the data",
        "value": {"with_data": True},
        "fix": "Mount.",
    }
    with pytest.raises(Failed) as stop:
        told_by_doctor({"findings": [finding]})
    assert reason(stop) == "backups_with_data"
    assert told_by_doctor({"findings": [finding | {"value": {"newest": "x"}}]}) == {}


# --- a Compose project of its own --------------------------------------------------------------------------

MODEL: dict[str, Any] = {
    "name": "task-assist",
    "services": {
        "app": {
            "image": "task-assist",
            "container_name": "mine",
            "build": {"context": "/somewhere"},
            "environment": {"DATABASE_PATH": "/app/data/task_manager.db", "NOTIFY_URL": "https://hooks", "TZ": "UTC"},
            "ports": [{"target": 8000, "published": "8000"}],
            "networks": {"lan": None},
            "network_mode": "host",
            "privileged": True,
            "secrets": [{"source": "key"}],
            "depends_on": {"other": {}},
            "volumes": [
                {"type": "volume", "source": "task-manager-db", "target": "/app/data"},
                {"type": "bind", "source": "/home/me/secrets", "target": "/run/secrets"},
                {"type": "tmpfs", "target": "/scratch"},
            ],
        },
        "other": {"image": "caddy", "ports": [{"target": 80, "published": "80"}]},
    },
    "volumes": {"task-manager-db": {"name": "task-manager-db"}, "certificates": {"name": "certificates"}},
    "networks": {"lan": {"name": "lan", "external": True}},
}


def test_a_project_of_its_own_has_the_app_alone_and_nothing_of_the_persons():
    own = of_its_own(MODEL, "proof", 4711)
    assert own == {
        "name": "proof",
        "services": {
            "app": {
                "image": "proof-app",
                "build": {"context": "/somewhere"},
                "environment": {
                    "DATABASE_PATH": "/app/data/task_manager.db",
                    "TZ": "UTC",
                    "AUTH_DISABLED": "true",
                    "BACKUP_URL": "file:///backups",
                    "BACKUP_SCHEDULE": "off",
                },
                "ports": [{"target": 8000, "published": "4711", "host_ip": "127.0.0.1", "protocol": "tcp"}],
                "volumes": [
                    {"type": "volume", "source": "task-manager-db", "target": "/app/data"},
                    {"type": "volume", "source": "bind-1", "target": "/run/secrets"},
                    {"type": "tmpfs", "target": "/scratch"},
                    {"type": "volume", "source": "backups", "target": "/backups"},
                ],
            }
        },
        "volumes": {
            "task-manager-db": {"name": "proof-task-manager-db"},
            "bind-1": {"name": "proof-bind-1"},
            "backups": {"name": "proof-backups"},
        },
    }
    assert MODEL["services"]["app"]["container_name"] == "mine"


def test_a_persons_bucket_is_not_backed_up_to_and_a_folder_stays():
    def store(url: str) -> str:
        model = {"services": {"app": {"environment": {"BACKUP_URL": url}}}}
        return of_its_own(model, "proof", 1)["services"]["app"]["environment"]["BACKUP_URL"]

    assert store("s3://bucket/mine") == "file:///backups"
    assert store("file:///somewhere") == "file:///somewhere"


def test_what_the_proof_does_without_is_said():
    given = {"BACKUP_URL": "s3://bucket/mine", "BACKUP_RECIPIENT": "age1x", "NOTIFY_URL": "", "TZ": "UTC"}
    model = {"services": {"app": {"environment": given}, "proxy": {}}}
    assert left_out(model) == ["service proxy", "BACKUP_RECIPIENT", "BACKUP_URL"]
    given |= {"BACKUP_URL": "file:///backups", "AUTH_DISABLED": "false"}
    assert left_out(model) == ["service proxy", "AUTH_DISABLED", "BACKUP_RECIPIENT"]
    assert left_out({"services": {"app": {}}}) == [NO_BACKUPS]
    dropped = ["service other", "network_mode", "privileged", "secrets", "network lan", NO_BACKUPS, "NOTIFY_URL"]
    assert left_out(MODEL) == dropped
    assert left_out({"services": {"app": {"networks": {"default": None}, "ports": []}}}) == [NO_BACKUPS]


def test_a_folder_of_the_persons_for_backups_becomes_a_volume_and_none_is_mounted_over_it():
    bind = {"type": "bind", "source": "/home/me/backups", "target": "/backups"}
    own = of_its_own({"services": {"app": {"volumes": [bind]}}}, "proof", 1)
    assert own["services"]["app"]["volumes"] == [{"type": "volume", "source": "bind-0", "target": "/backups"}]
    assert own["volumes"] == {"bind-0": {"name": "proof-bind-0"}}


def test_a_folder_above_the_datas_volume_is_no_place_of_the_data():
    bind, volume = (
        {"type": kind, "source": kind, "target": at} for kind, at in (("bind", "/app"), ("volume", "/app/data"))
    )
    own = of_its_own({"services": {"app": {"volumes": [bind, volume]}}}, "proof", 1)
    assert [mount["source"] for mount in own["services"]["app"]["volumes"]] == ["bind-0", "volume", "backups"]


def on_volume(**volume: Any) -> dict[str, Any]:
    mount = {"type": "volume", "source": "share", "target": "/app/data"}
    return {"services": {"app": {"volumes": [mount]}}, "volumes": {"share": volume}}


@pytest.mark.parametrize(
    "model",
    [
        {"services": {"app": {"volumes": [{"type": "bind", "source": "/home/me", "target": "/app/data"}]}}},
        {"services": {"app": {"volumes": [{"type": "bind", "source": "/x", "target": "/app/data/task_manager.db"}]}}},
        {"services": {"app": {"volumes": [{"type": "cluster", "source": "x", "target": "/else"}]}}},
        {"services": {"app": {"volumes_from": ["other"]}}},
        on_volume(driver_opts={"type": "nfs", "device": ":/export"}),
        on_volume(driver="vieux/sshfs", driver_opts={"sshcmd": "me@host:/data"}),
        on_volume(external=True, name="mine"),
    ],
)
def test_a_compose_file_that_keeps_data_elsewhere_is_refused(model: dict[str, Any]):
    with pytest.raises(Misused, match="a proof must not touch it") as stop:
        of_its_own(model, "proof", 1)
    assert reason(stop) == "own_data"


def test_another_service_that_may_write_to_the_datas_volume_is_a_second_writer():
    def services(**mount: Any) -> dict[str, Any]:
        data = {"type": "volume", "source": "data", "target": "/app/data"}
        return {"services": {"app": {"volumes": [data]}, "backup": {"volumes": [data | {"target": "/in"} | mount]}}}

    with pytest.raises(Failed, match="app and backup run on the same volume, data, and both may write") as stop:
        of_its_own(services(), "proof", 1)
    assert reason(stop) == "two_writers" and "data:/in:ro" in stop.value.hint
    of_its_own(services(read_only=True), "proof", 1)
    of_its_own(services(source="another"), "proof", 1)
    of_its_own(services(source="another") | {"volumes": {"another": {"name": "else"}}}, "proof", 1)
    with pytest.raises(Failed, match="app and backup run on the same volume"):
        of_its_own(services(source="another") | {"volumes": {"another": {"name": "data"}}}, "proof", 1)


@pytest.mark.parametrize(("taken", "refused"), [("app", True), ("app:rw", True), ("app:ro", False), ("x", False)])
def test_another_service_that_takes_the_apps_volumes_is_a_second_writer(taken: str, refused: bool):
    data = {"type": "volume", "source": "data", "target": "/app/data"}
    model = {"services": {"app": {"volumes": [data]}, "backup": {"volumes_from": [taken]}}}
    if not refused:
        of_its_own(model, "proof", 1)
        return
    with pytest.raises(Failed, match="run on the same volume") as stop:
        of_its_own(model, "proof", 1)
    assert reason(stop) == "two_writers" and 'volumes_from: ["app:ro"]' in stop.value.hint


@pytest.mark.parametrize("several", [{"scale": 2}, {"deploy": {"replicas": 2}}])
def test_a_file_that_starts_two_of_the_app_is_not_proven_with_one(several: dict[str, Any]):
    with pytest.raises(Failed, match="starts 2 of app on the same data") as stop:
        of_its_own({"services": {"app": several}}, "proof", 1)
    assert reason(stop) == "two_writers"


def test_two_keys_of_one_volume_are_one_in_the_proof():
    """Else backups on the data's own volume would pass for backups elsewhere."""
    mounts = [
        {"type": "volume", "source": source, "target": target}
        for source, target in (("data", "/app/data"), ("backups", "/backups"))
    ]
    model = {"services": {"app": {"volumes": mounts}}, "volumes": {key: {"name": "one"} for key in ("data", "backups")}}
    assert {volume["name"] for volume in of_its_own(model, "proof", 1)["volumes"].values()} == {"proof-data"}


def test_a_build_gives_no_name_of_the_persons_to_the_proofs_image():
    build = {"context": ".", "tags": ["registry/mine:latest"], "cache_to": ["type=registry,ref=mine"]}
    model = {"services": {"app": {"build": build}}}
    assert of_its_own(model, "proof", 1)["services"]["app"]["build"] == {"context": "."}


def test_each_deployment_builds_another_image_which_names_its_proof():
    one, two = (built_as(MODEL, "proof", number)["services"]["app"]["build"] for number in (1, 2))
    assert one != two and one["context"] == two["context"]
    assert one["labels"][own.LABEL] == two["labels"][own.LABEL] == "proof"


# --- what is made for a proof, and taken away again --------------------------------------------------------

DOCKER = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
  *"task-assist restore broken"*) echo '{"error": {"code": "damaged", "message": "It is damaged.", "hint": ""}}' ;;
  "image ls"*) echo sha256:one; echo sha256:two; echo sha256:one ;;
  version*) echo 26.1 ;;
  inspect*) echo '[{"Image": "sha256:one"}]' ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What was typed after `docker`, a line each; nothing of it was done."""
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def test_every_image_that_was_built_is_taken_away_and_what_stays_is_named(calls: Path):
    place = DockerRun()
    place.deploy()
    place.deploy()
    assert own.cleared(place) == ["sha256:one", "sha256:two"]
    typed = calls.read_text()
    builds = [line for line in typed.splitlines() if line.startswith("build ")]
    assert len(set(builds)) == 2 and all(f"--label {own.LABEL}={place.name} " in line for line in builds)
    assert f"image ls --all --quiet --no-trunc --filter label={own.LABEL}={place.name}" in typed
    assert "rmi --force sha256:one sha256:two\n" in typed
    assert all("--volumes" in line for line in typed.splitlines() if line.startswith("rm "))


def test_a_backup_that_does_not_restore_fails(calls: Path):
    elsewhere = Elsewhere(DockerRun("ready"), StoreOf("file:///backups", "backups", "/backups"))
    with pytest.raises(Failed, match=r"The backup can't be restored: It is damaged\.") as stop:
        elsewhere.restore("broken")
    assert reason(stop) == "no_restore"
    with pytest.raises(Failed, match="The backup can't be restored"):
        elsewhere.restore("that says nothing")


def test_an_engine_that_is_gone_does_not_cover_how_the_proof_ended(calls: Path):
    place = DockerRun()
    (calls.parent / "docker").write_text("#!/bin/sh\necho no engine >&2; exit 1\n")
    assert own.cleared(place) == [f"whatever is called {place.name}"]


@pytest.mark.parametrize("doubt", [NotTried("docker", "docker start failed."), ConnectionError("refused")])
def test_from_the_canary_on_nothing_is_not_tried(doubt: Exception):
    with pytest.raises(Failed) as stop, in_doubt_failed():
        raise doubt
    assert str(doubt) in stop.value.message


def test_a_build_that_gives_the_image_of_before_proves_nothing():
    assert changed(("1", "a"), ("2", "a"), builds=False) == {"new_container": True, "new_image": False}
    assert changed(("1", "a"), ("2", "b"), builds=True) == {"new_container": True, "new_image": True}
    for now, code in ((("1", "a"), "same_container"), (("2", "a"), "same_image")):
        with pytest.raises(Failed) as stop:
            changed(("1", "a"), now, builds=True)
        assert reason(stop) == code


# --- the receipt -------------------------------------------------------------------------------------------


def record_with(stop: Stop | None) -> Record:
    record = Record("compose")
    with record.step("Wrote <the> canary") as facts:
        facts |= {"rows": 1234}
    record.stop, record.canary = stop, {"rows": 1234, "sha256": "ab" * 32}
    record.storage = {"filesystem": "ext4", "persistent": True}
    return record


@pytest.mark.parametrize(
    ("stop", "verdict"),
    [
        (None, "proven"),
        (Failed("in_memory", "It is in <memory>.", "Mount a volume."), "failed"),
        (Unproven("backup_older", "Of before."), "unproven"),
        (NotTried("no_token", "No token."), "not tried"),
    ],
)
def test_a_receipt_says_what_was_seen_on_one_page_that_needs_nothing_else(tmp_path: Path, stop: Stop, verdict: str):
    kept = keep(record_with(stop).receipt(), tmp_path / "receipts")
    receipt, page = json.loads(kept.json.read_text()), kept.page.read_text()
    assert receipt["verdict"] == verdict and HEADINGS[verdict] in page
    assert "Wrote &lt;the&gt; canary" in page and "1,234" in page and "ab" * 32 in page
    assert not any(word in page for word in ("<script", "http://", "https://", "src=", "url("))
    assert (stop is None) == (receipt["reason"] is None)
    if stop:
        assert stop.message.replace("<", "&lt;").replace(">", "&gt;") in page
    assert os.uname().nodename not in kept.json.read_text() + page or len(os.uname().nodename) < 4


def test_a_receipt_takes_no_other_ones_place_and_half_of_one_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    receipt = record_with(None).receipt()
    kept = [keep(receipt, tmp_path), keep(receipt, tmp_path)]
    assert kept[1].json.stem == kept[1].page.stem == f"{kept[0].json.stem}-2"
    monkeypatch.setattr(keep_module, "page", full)
    with pytest.raises(NotTried, match="No space left on device"):
        keep(receipt, tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def full(*_: Any) -> str:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_is_pressed_while_a_proof_is_cleared_up_leaves_nothing(monkeypatch: pytest.MonkeyPatch):
    cleared: list[str] = []
    before = signal.getsignal(signal.SIGINT)

    def pressed(what: str) -> list[str]:
        signal.raise_signal(signal.SIGINT)
        cleared.append(what)
        return []

    monkeypatch.setattr(cli, "cleared", lambda _: pressed("place"))
    monkeypatch.setattr(cli.prove_own, "prove", lambda *_: None)
    monkeypatch.setattr(Elsewhere, "clear", lambda _: pressed("elsewhere"))
    cli._prove_own(DockerRun.__new__(DockerRun), Record("docker"))
    with cli.prove_own._cleared(Elsewhere.__new__(Elsewhere)):
        pass
    assert cleared == ["place", "elsewhere"]
    assert signal.getsignal(signal.SIGINT) is before, "after that it is heard again"


@pytest.mark.parametrize(("left", "said"), [([], " What was made for the proof is gone."), (["a-volume"], "")])
def test_an_interrupted_proof_says_that_all_is_gone_where_it_is(
    left: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupted(_options: Any, record: Record, _say: Any) -> None:
        record.left = left
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_prove", interrupted)
    assert cli.main(["docker"]) == 130
    assert capsys.readouterr().err == f"Interrupted.{said}\n"


@pytest.mark.parametrize("target", ["compose", "docker"])
def test_the_receipts_in_the_documentation_are_whole_and_proven(target: str):
    (figures,) = (ROOT / "docs/receipts").glob(f"{target}-*.json")
    receipt, page = json.loads(figures.read_text()), figures.with_suffix(".html").read_text()
    assert (receipt["target"], receipt["verdict"]) == (target, "proven")
    assert receipt["versions"]["schema"] == known_revisions()[-1], "make them anew: the schema is another one"
    assert re.fullmatch("[0-9a-f]{40}", receipt["versions"]["script_commit"]), "of a clone in which nothing was changed"
    assert not re.search(r"/(home|tmp|root|work|Users)/", figures.read_text() + page)
    assert hashlib.sha256(figures.read_bytes()).hexdigest() in page and figures.name in page
    assert f"receipts/{figures.name}" in PAGE and f"receipts/{figures.stem}.html" in PAGE


def test_an_unproven_step_lets_the_proof_go_on_and_any_other_stop_ends_it():
    record = Record("compose")
    with record.step("One"):
        raise Unproven("backup_older", "Of before.")
    with pytest.raises(Failed), record.step("Two"):
        raise Failed("empty", "Nothing there.")
    assert [step.outcome for step in record.steps] == ["unproven", "failed"]


# --- the command line --------------------------------------------------------------------------------------


def run(*words: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", str(SCRIPT), *words],
        cwd=cwd,
        env={"PATH": os.defpath, "COLUMNS": "80", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_needs_no_library_fits_the_terminal_and_names_every_target_and_exit_code():
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 100
    for target, _ in TARGETS:
        assert f"  {target}" in done.stdout
    for code, meaning in EXIT_CODES.items():
        assert f"  {code:>3}  {meaning}" in done.stdout
        assert f"| {code} | {meaning} |" in PAGE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "nonsense is no target."),
        (["stack"], "stack is no target."),
        (["compose", "--deploy", "x"], "--deploy is for an app that runs, not for compose."),
        (["http://tasks.example.com"], ""),
        (["https://user:secret@tasks.example.com"], "is not the address of an app."),
        (["https://tasks.example.com?key=secret", "again"], "tasks.example.com is no target."),
        (["https://:secret@tasks.example.com"], "is not the address of an app."),
        (["https://user:pass/secret@tasks.example.com"], "is not the address of an app."),
        (["https://user:pass/secret@tasks.example.com", "again"], "https://…@tasks.example.com again is no target."),
        (["https://tasks.example.com#secret"], "is not the address of an app."),
        (["https://tasks.example.com:99999"], "is not the address of an app."),
        (["http://[::1"], "is not the address of an app."),
        (["http://tasks example.com"], "is not the address of an app."),
        (["https://tasks.example.com", "--identity", "nowhere"], "There is no file nowhere."),
        (["https://tasks.example.com", "--exec", "docker exec 'x"], "A quotation mark in --exec is never closed."),
        (
            ["https://tasks.example.com", "--exec", "dokcer exec x"],
            "--exec does not begin with a command of this machine.",
        ),
    ],
)
def test_what_cant_be_meant_is_told_before_anything_is_done(tmp_path: Path, words: list[str], said: str):
    done = run(*words, cwd=tmp_path, TASK_ASSIST_TOKEN="ta_x")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Not tried: ") and said in done.stderr
    assert "Traceback" not in done.stderr and list(tmp_path.iterdir()) == []
    assert "secret" not in run(*words, "--json", cwd=tmp_path).stdout + done.stderr


def test_where_nothing_answers_it_says_so(tmp_path: Path):
    done = run("http://127.0.0.1:1", cwd=tmp_path)
    assert done.returncode == 4
    assert "http://127.0.0.1:1 does not answer" in done.stderr


def test_where_no_receipt_can_be_kept_it_says_so_before_anything_is_done(tmp_path: Path):
    (tmp_path / "receipts").write_text("a file")
    done = run("http://127.0.0.1:1", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("Not tried: Can't write the receipt to receipts: File exists.")
    assert "--receipts FOLDER" in done.stderr and "Traceback" not in done.stderr


def test_a_receipt_that_can_no_longer_be_kept_ends_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)

    def proven(options: Any, record: Record, say: Any) -> None:
        with record.step("Wrote the canary"):
            record.canary = {"rows": 6}
        Path("receipts").write_text("a file meanwhile")

    monkeypatch.setattr(cli, "_prove", proven)
    assert cli.main(["http://127.0.0.1:1"]) == 1
    printed = capsys.readouterr()
    assert "Can't write the receipt" in printed.err and "Proven" not in printed.out


def test_a_fault_of_the_script_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_prove", lambda *_: {}["nothing"])
    assert cli.main(["http://127.0.0.1:1"]) == 1


def test_without_docker_it_says_so(tmp_path: Path):
    done = run("docker", cwd=tmp_path, PATH=str(tmp_path))
    assert done.returncode == 4
    assert done.stderr.startswith("Not tried: There is no docker command here.\n")


def test_the_page_explains_every_section_of_a_receipt_and_every_reason_of_the_seven():
    assert set(SECTIONS) <= Record("compose").receipt().keys()
    for code in (
        "no_volume",
        "in_memory",
        "wrong_path",
        "two_writers",
        "volume_replaced",
        "other_database",
        "backups_nowhere",
    ):
        assert f"`{code}`" in PAGE
