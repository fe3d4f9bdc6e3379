"""scripts/verify_persistence.py where no engine is needed: what it takes for a loss, what it touches, what it says."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app import create_app
from app.cli import main as task_assist
from app.settings import load
from scripts.persistence import placement, prove_remote, restored_here
from scripts.persistence.canary import Canary, compare, delete_canary, look_for, new_mark, rows_of, write_canary
from scripts.persistence.cli import TARGETS
from scripts.persistence.compose_model import built_as, of_its_own
from scripts.persistence.engine import Container, Mount
from scripts.persistence.keep import keep
from scripts.persistence.page import HEADINGS, SECTIONS
from scripts.persistence.record import Record
from scripts.persistence.remote import Remote, at_url, container_of, deployment_of, of_stack
from scripts.persistence.site import Site
from scripts.persistence.stop import EXIT_CODES, Failed, Misused, NotTried, Stop, Unproven
from tests.scripts.conftest import ROOT

SCRIPT = ROOT / "scripts/verify_persistence.py"
PAGE = (ROOT / "docs/receipts.md").read_text()


class Asked(Site):
    """The app in this process, asked as over HTTP; `health_is` replaces what it says of itself."""

    def __init__(self, client: FlaskClient) -> None:
        super().__init__("http://localhost")
        self.client = client
        self.health_is: list[dict[str, Any]] = []

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if path == "/healthz" and self.health_is:
            return 200, self.health_is.pop(0) if len(self.health_is) > 1 else self.health_is[0]
        answer = self.client.open(path, method=method, json=body)
        return answer.status_code, answer.json


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Asked]:
    made = create_app(load({"DATABASE_PATH": str(tmp_path / "task_manager.db"), "AUTH_DISABLED": "true"}))
    yield Asked(made.test_client())
    made.instance.stop()


def reason(stop: pytest.ExceptionInfo[Stop]) -> str:
    return stop.value.code


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
    site.delete(f"/api/v1/tasks/{canary.tasks[3]['id']}")
    with pytest.raises(Failed, match=r"^1 of 5 tasks that were acknowledged are gone") as stop:
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


def test_what_people_change_and_delete_meanwhile_is_no_loss(site: Asked):
    ids = [site.post("/api/v1/work-items", {"title": f"Item {number}"})["id"] for number in range(5)]
    before = rows_of(site)
    site.ask("PATCH", f"/api/v1/work-items/{ids[0]}", {"title": "Changed"})
    site.ask("PATCH", f"/api/v1/work-items/{ids[1]}", {"after": ids[3]})
    site.delete(f"/api/v1/work-items/{ids[2]}")
    site.post("/api/v1/work-items", {"title": "New"})
    assert compare(site, before).facts() == {
        "rows_same": 3,
        "rows_changed_by_people": 1,
        "rows_deleted_by_people": 1,
    }


def test_a_row_that_is_gone_and_not_in_the_trash_is_lost(site: Asked):
    before = rows_of(site) | {7: next(iter(rows_of_one(site).values()))}
    with pytest.raises(Failed, match=r"^1 of 1 work items of before are gone, and not in the trash: 7\.") as stop:
        compare(site, before)
    assert reason(stop) == "rows_lost"


def rows_of_one(site: Asked) -> Any:
    number = site.post("/api/v1/work-items", {"title": "One"})["id"]
    rows = rows_of(site)
    site.delete(f"/api/v1/work-items/{number}")
    return rows


def test_a_row_of_an_earlier_time_is_an_older_file(site: Asked):
    number = site.post("/api/v1/work-items", {"title": "One"})["id"]
    early = rows_of(site)
    site.ask("PATCH", f"/api/v1/work-items/{number}", {"title": "Two"})
    late = rows_of(site)
    site.ask("PATCH", f"/api/v1/work-items/{number}", {"title": "One"})
    compare(site, late)
    with pytest.raises(Failed) as stop:
        compare(site, {number: type(late[number])(9, late[number].sha256)})
    assert reason(stop) == "rows_older"
    assert early[number].version < late[number].version


# --- where the database lies -------------------------------------------------------------------------------


class Described(Container):
    """A container as `docker inspect` would describe it."""

    def __init__(self, *mounts: Mount, path: str = "/app/data/task_manager.db") -> None:
        super().__init__("app")
        self._found, self._path = list(mounts), path

    @property
    def database(self) -> str:
        return self._path

    @property
    def store(self) -> str:
        return "file:///backups"

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
            "volumes": [
                {"type": "volume", "source": "task-manager-db", "target": "/app/data"},
                {"type": "bind", "source": "/home/me/secrets", "target": "/run/secrets"},
            ],
        },
        "other": {"image": "caddy", "ports": [{"target": 80, "published": "80"}]},
    },
    "volumes": {"task-manager-db": {"name": "task-manager-db", "external": True}},
    "networks": {"default": {"name": "task-assist_default"}},
}


def test_a_project_of_its_own_shares_no_name_port_volume_or_folder_with_the_persons():
    own = of_its_own(MODEL, "proof", 4711)
    app = own["services"]["app"]
    assert own["name"] == "proof"
    assert own["volumes"] == {
        "task-manager-db": {"name": "proof-task-manager-db"},
        "bind-1": {"name": "proof-bind-1"},
    } | {"backups": {"name": "proof-backups"}}
    assert own["networks"] == {"default": {"name": "proof-default", "external": False}}
    assert (app["image"], app["ports"][0]["published"], app["ports"][0]["host_ip"]) == (
        "proof-app",
        "4711",
        "127.0.0.1",
    )
    assert "container_name" not in app and "ports" not in own["services"]["other"]
    assert [mount["type"] for mount in app["volumes"]] == ["volume"] * 3
    assert app["environment"] == {
        "DATABASE_PATH": "/app/data/task_manager.db",
        "TZ": "UTC",
        "AUTH_DISABLED": "true",
        "BACKUP_URL": "file:///backups",
        "BACKUP_SCHEDULE": "off",
    }
    assert MODEL["services"]["app"]["container_name"] == "mine"


def test_a_persons_bucket_is_not_backed_up_to_and_a_folder_stays():
    def store(url: str) -> str:
        model = {"services": {"app": {"environment": {"BACKUP_URL": url}}}}
        return of_its_own(model, "proof", 1)["services"]["app"]["environment"]["BACKUP_URL"]

    assert store("s3://bucket/mine") == "file:///backups"
    assert store("file:///somewhere") == "file:///somewhere"


def test_a_folder_of_the_persons_for_backups_becomes_a_volume_and_none_is_mounted_over_it():
    bind = {"type": "bind", "source": "/home/me/backups", "target": "/backups"}
    own = of_its_own({"services": {"app": {"volumes": [bind]}}}, "proof", 1)
    assert own["services"]["app"]["volumes"] == [{"type": "volume", "source": "bind-0", "target": "/backups"}]
    assert own["volumes"] == {"bind-0": {"name": "proof-bind-0"}}


@pytest.mark.parametrize(
    "model",
    [
        {"services": {"app": {"volumes": [{"type": "bind", "source": "/home/me", "target": "/app/data"}]}}},
        {"services": {"app": {}}, "volumes": {"share": {"driver_opts": {"type": "nfs", "device": ":/export"}}}},
    ],
)
def test_a_compose_file_that_keeps_data_elsewhere_is_refused(model: dict[str, Any]):
    with pytest.raises(Misused, match="a proof must not touch it") as stop:
        of_its_own(model, "proof", 1)
    assert reason(stop) == "own_data"


def test_each_deployment_builds_another_image():
    one, two = (built_as(MODEL, number)["services"]["app"]["build"] for number in (1, 2))
    assert one != two and one["context"] == two["context"]


# --- an app that runs --------------------------------------------------------------------------------------


def proven(site: Asked, deploy: str | None = "true", **options: Any) -> Record:
    """After a proof at a site of which no other stop came."""
    record = Record("http://localhost")
    prove_remote.prove(Remote("x", site, deploy, **options), record, wait=0, say=lambda line: None)
    return record


def health(site: Asked, **changed: Any) -> dict[str, Any]:
    said = site.get("/healthz")
    database = {key: changed.pop(key) for key in list(changed) if key in said["database"]}
    return said | changed | {"database": said["database"] | database}


def left(site: Asked) -> list[str]:
    return [item["title"] for item in site.get("/api/v1/work-items")["items"]]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for nothing."""
    for name in ("SETTLED_WITHIN", "DELETED_WITHIN"):
        monkeypatch.setattr(prove_remote, name, -1)


def test_ephemeral_storage_is_never_called_persistent(site: Asked, quick: None):
    site.health_is = [health(site, persistent=False)]
    with pytest.raises(Failed, match="its data is not kept") as stop:
        proven(site)
    assert reason(stop) == "not_persistent" and left(site) == []


def test_two_instances_that_answer_in_turns_are_two_writers(site: Asked, quick: None):
    site.health_is = [health(site, started="then"), health(site, started="now")] * 3
    with pytest.raises(Failed, match="one that began at now and one that began at then") as stop:
        proven(site)
    assert reason(stop) == "two_writers"


def test_a_deployment_that_changed_nothing_proves_nothing(site: Asked, quick: None):
    site.health_is = [health(site, backup={"newest": None, "failing": False})]
    record = proven(site)
    assert record.verdict == "unproven"
    assert record.stop and record.stop.code == "no_deployment"
    assert left(site) == []


def test_a_deployment_that_fails_ends_it_and_the_canary_is_deleted(site: Asked, quick: None):
    with pytest.raises(Failed) as stop:
        proven(site, deploy="false")
    assert reason(stop) == "deployment_failed" and left(site) == []


def test_without_a_deployment_the_wait_ends_and_the_canary_is_deleted(site: Asked, quick: None):
    with pytest.raises(NotTried, match="No new process answered") as stop:
        proven(site, deploy=None)
    assert reason(stop) == "no_deployment" and left(site) == []


def test_an_interruption_deletes_the_canary(site: Asked, quick: None, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: Any) -> None:
        assert len(left(site)) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(prove_remote, "run_deployment", interrupted)
    with pytest.raises(KeyboardInterrupt):
        proven(site)
    assert left(site) == []


def test_another_storage_after_the_deployment_is_told(site: Asked, quick: None):
    before, after = health(site, started="then"), health(site, started="now", filesystem="overlay")
    site.health_is = [before] * 5 + [after]
    with pytest.raises(Failed, match=r"filesystem was .*, and is overlay") as stop:
        proven(site)
    assert reason(stop) == "moved"


def deployed(site: Asked, **backup: Any) -> None:
    """A new process answers from the sixth look on."""
    site.health_is = [health(site, started="then")] * 5 + [health(site, started="now", **backup)]


def test_an_app_without_backups_has_none_that_outlive_it(site: Asked, quick: None):
    deployed(site)
    with pytest.raises(Failed, match="what takes its storage takes the data") as stop:
        proven(site)
    assert reason(stop) == "backups_nowhere"


def test_backups_that_nobody_can_ask_for_are_unproven_and_not_proven(site: Asked, quick: None):
    deployed(site, backup={"newest": "2026-11-27T03:15:00+00:00", "failing": False})
    record = proven(site)
    assert (record.verdict, record.stop and record.stop.code) == ("unproven", "backup_not_tried")


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Verbs of task-assist are called here instead of in processes of their own."""
    umask = os.umask(0o022)
    monkeypatch.setattr(restored_here, "_typed", lambda command, environment: typed(command[4:], environment))
    yield
    os.umask(umask)


def typed(words: list[str], environment: dict[str, str]) -> Any:
    done = CliRunner().invoke(task_assist, words, env=environment)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_backup_of_a_store_is_restored_here_and_read(site: Asked, tmp_path: Path, in_this_process: None):
    """One of before the canary proves nothing of today, and one of another database is the wrong one."""
    store = f"file://{tmp_path}/store"
    (tmp_path / "store").mkdir()
    backup = ["backup", "--store", store, "--json"]
    here = {"DATABASE_PATH": str(tmp_path / "task_manager.db"), "APP_ENV": "development"}
    typed(backup, here)
    canary = write_canary(site, new_mark())
    canary.item["created_at"] = "2999-01-01T00:00:00Z"
    with pytest.raises(Unproven) as older:
        restored_here.restored_here(store, canary)
    assert reason(older) == "backup_older"
    typed(backup, here)
    assert restored_here.restored_here(store, canary)["restored_elsewhere"] is True
    with pytest.raises(Failed) as wrong:
        restored_here.restored_here(store, Canary("of another", {**canary.item, "created_at": "2001-01-01T00:00:00Z"}))
    assert reason(wrong) == "wrong_backup"


def test_a_store_that_cant_be_read_is_unproven(site: Asked):
    with pytest.raises(Unproven, match=r"The store can't be read from here: There is no folder /nowhere") as stop:
        restored_here.restored_here("file:///nowhere", canary_of_another_database())
    assert reason(stop) == "store"


def test_a_token_is_sent_over_https_or_to_this_machine_only():
    assert at_url("https://tasks.example.com", "ta_x", None, None, None).site.url == "https://tasks.example.com"
    assert at_url("http://127.0.0.1:8000/", "ta_x", None, None, None).site.url == "http://127.0.0.1:8000"
    with pytest.raises(Misused, match="everybody on the way would read the token"):
        at_url("http://tasks.example.com", "ta_x", None, None, None)


def test_a_stack_is_deployed_anew_and_on_a_docker_host_by_another_container():
    assert (
        deployment_of("aws", {"task-assist:cloud": {"value": "aws"}}) == "pulumi up --yes --non-interactive --stack aws"
    )
    command = deployment_of("blue", {"task-assist:cloud": {"value": "docker"}})
    assert command.endswith("--replace 'urn:pulumi:blue::task-assist::**::hosting-container'")
    assert (container_of("docker"), container_of("blue")) == ("task-assist", "task-assist-blue")


PULUMI = """#!/bin/sh
case "$*" in
  "stack output"*blue) echo '{"url": "http://localhost:8001", "backup_url": "file:///backups", "image": "sha256:1"}' ;;
  config*blue) echo '{"task-assist:cloud": {"value": "docker"}}' ;;
  *) echo "error: no stack named red found" >&2; exit 255 ;;
esac
"""


def test_a_stack_says_where_it_is_and_where_its_backups_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "pulumi").write_text(PULUMI)
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = of_stack("blue", "ta_x", None, None, None)
    assert (found.target, found.site.url, found.store) == ("stack blue", "http://localhost:8001", "file:///backups")
    assert found.shell == ["docker", "exec", "task-assist-blue", "task-assist"]
    assert found.facts == {"image": "sha256:1"}
    with pytest.raises(NotTried, match="The stack red can't be read: error: no stack named"):
        of_stack("red", "ta_x", None, None, None)


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


@pytest.mark.parametrize("target", ["compose", "docker"])
def test_the_receipts_in_the_documentation_are_whole_and_proven(target: str):
    (figures,) = (ROOT / "docs/receipts").glob(f"{target}-*.json")
    receipt, page = json.loads(figures.read_text()), figures.with_suffix(".html").read_text()
    assert (receipt["target"], receipt["verdict"]) == (target, "proven")
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
    ],
)
def test_what_cant_be_meant_is_told_before_anything_is_done(tmp_path: Path, words: list[str], said: str):
    done = run(*words, cwd=tmp_path, TASK_ASSIST_TOKEN="ta_x")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Not tried: ") and said in done.stderr
    assert "Traceback" not in done.stderr and list(tmp_path.iterdir()) == []


def test_where_nothing_answers_it_says_so(tmp_path: Path):
    done = run("http://127.0.0.1:1", cwd=tmp_path)
    assert done.returncode == 4
    assert "http://127.0.0.1:1 does not answer" in done.stderr


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
