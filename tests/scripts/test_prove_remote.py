"""scripts/verify_persistence.py for an app with people's data: what counts as a loss, and what nobody gets to see."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main as task_assist
from scripts.persistence import answering_process, cli, prove_backup, prove_remote, restored_here
from scripts.persistence import site as site_module
from scripts.persistence.canary import Canary, delete_canary, new_mark, write_canary
from scripts.persistence.record import Record
from scripts.persistence.remote import Given, Remote, at_url, of_stack, run_deployment, up
from scripts.persistence.runs_as import runs_as
from scripts.persistence.site import Site
from scripts.persistence.stop import Failed, Misused, NotTried, Unproven
from tests.scripts.asked import Asked, reason


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
    monkeypatch.setattr(answering_process, "SETTLED_WITHIN", -1)
    monkeypatch.setattr(answering_process, "FOUND_WITHIN", -1)
    monkeypatch.setattr(prove_remote, "DELETED_WITHIN", -1)
    monkeypatch.setattr(prove_remote, "CHANGED_WITHIN", -1)
    monkeypatch.setattr(answering_process.time, "sleep", lambda seconds: None)


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


def test_a_deployment_that_changed_nothing_fails(site: Asked, quick: None):
    site.health_is = [health(site, backup={"newest": None, "failing": False})]
    with pytest.raises(Failed, match="nothing was deployed, so nothing is proven") as stop:
        proven(site)
    assert reason(stop) == "no_deployment" and left(site) == []


def test_a_process_that_does_not_say_when_it_began_fails(site: Asked, quick: None):
    site.health_is = [health(site, started="then")] * 5 + [health(site, started=None)]
    with pytest.raises(Failed, match="does not say when it began") as stop:
        proven(site)
    assert reason(stop) == "no_deployment"


def test_what_pulumi_did_not_deploy_is_deployed_anew(site: Asked, quick: None, tmp_path: Path):
    site.health_is = [health(site, started="then")] * 5 + [health(site, started="now")]
    with pytest.raises(Failed):
        proven(site, deploy="true", anew=f"echo anew >{tmp_path}/said")
    assert (tmp_path / "said").read_text() == "anew\n"


def test_rows_of_the_old_instance_prove_nothing(site: Asked, quick: None, monkeypatch: pytest.MonkeyPatch):
    """The old one answers until the new one, with another database, has taken over."""
    read = [0]
    monkeypatch.setattr(answering_process, "SETTLED_WITHIN", 60)
    monkeypatch.setattr(prove_remote, "compare", lambda *_: read.append(len(site.health_is)) or Fine())
    site.health_is = [health(site, started="then")] * 12 + [health(site, started="now")]
    with pytest.raises(Failed):
        proven(site)
    assert read == [0, 1], "the rows were read while the process of before still answered"


class Fine:
    def facts(self) -> dict[str, Any]:
        return {}


def test_rows_that_were_read_across_a_new_start_prove_nothing(site: Asked, quick: None):
    at = [health(site, started=when) for when in ("then", "now", "later")]
    site.health_is = [at[0]] * 5 + [at[1]] * 5 + [at[2]]
    with pytest.raises(Failed, match="While the rows were read it began once more, at later") as stop:
        proven(site)
    assert reason(stop) == "restarted"


@pytest.fixture
def lost(site: Asked, quick: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """From the deployment on the API answers so, or raises it, while /healthz and /readyz say that all is well."""

    def answers(answer: Any) -> None:
        asked = site.ask
        deployed(site)

        def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
            if "/api/" not in path:
                return asked(method, path, body)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(prove_remote, "run_deployment", lambda _: setattr(site, "ask", ask))

    return answers


def test_a_token_that_the_deployment_has_forgotten_is_a_loss(site: Asked, lost: Callable[[Any], None]):
    """What a target with sign-in answers from an empty database: its tokens are gone, too."""
    lost((401, {"error": {"code": "sign_in_needed", "message": "Who is asking?", "hint": ""}}))
    with pytest.raises(Failed, match=r"The token that wrote the canary is refused \(401\)") as stop:
        proven(site)
    assert (reason(stop), stop.value.exit_code) == ("token_forgotten", 1)


@pytest.mark.parametrize(
    "answer",
    [NotTried("x", "It leads elsewhere."), ConnectionError("refused"), (502, None), (502, {"error": "Bad gateway"})],
)
def test_what_does_not_answer_after_the_canary_fails(site: Asked, lost: Callable[[Any], None], answer: Any):
    lost(answer)
    with pytest.raises(Failed) as stop:
        proven(site)
    assert stop.value.exit_code == 1


def test_a_deployment_by_hand_that_answers_no_more_fails(site: Asked, quick: None):
    before = health(site)
    site.health = lambda: Site("http://127.0.0.1:1").health()
    with pytest.raises(Failed, match="does not answer any more"):
        prove_remote._wait_for_another(site, before, -1)


@pytest.mark.parametrize(("where", "answer"), [("DELETE", (500, None)), ("q=", (200, {"message": "Later."}))])
def test_a_canary_that_stays_is_told_and_is_not_proven(
    site: Asked, quick: None, monkeypatch: pytest.MonkeyPatch, where: str, answer: tuple[int, Any]
):
    monkeypatch.setattr(prove_remote, "prove_backup", lambda *_: None)
    deployed(site)
    asked = site.ask

    def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return answer if where in f"{method} {path}" else asked(method, path, body)

    site.ask = ask
    record = proven(site)
    assert (record.verdict, record.stop and record.stop.code) == ("unproven", "canary_left")
    assert record.steps[-1].outcome == "unproven" and "Search for" in ((record.stop and record.stop.hint) or "")


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

    def again(*words: Any) -> int:
        signal.raise_signal(signal.SIGINT)
        return delete_canary(*words)

    monkeypatch.setattr(prove_remote, "run_deployment", interrupted)
    monkeypatch.setattr(prove_remote, "delete_canary", again)
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
    monkeypatch.setattr(restored_here, "_run", lambda command, environment: (printed(command[4:], environment), ""))
    yield
    os.umask(umask)


def typed(words: list[str], environment: dict[str, str]) -> Any:
    said = json.loads(printed(words, environment))
    assert "error" not in said, said
    return said


def printed(words: list[str], environment: dict[str, str]) -> str:
    return CliRunner().invoke(task_assist, words, env=environment).stdout


def test_a_backup_of_a_store_is_restored_here_and_read(site: Asked, tmp_path: Path, in_this_process: None):
    """One of before the canary proves nothing of today, and one of another database is the wrong one."""
    store = f"file://{tmp_path}/store"
    (tmp_path / "store").mkdir()
    backup = ["backup", "--store", store, "--json"]
    here = {"DATABASE_PATH": str(tmp_path / "task_manager.db"), "APP_ENV": "development"}
    typed(backup, here)
    canary = write_canary(site, new_mark())
    written = canary.item["created_at"]
    canary.item["created_at"] = "2999-01-01T00:00:00Z"
    with pytest.raises(Unproven) as older:
        restored_here.restored_here(store, "latest", canary, None)
    assert reason(older) == "backup_older"
    canary.item["created_at"] = written
    name = typed(backup, here)["made"]["name"]
    assert restored_here.restored_here(store, "latest", canary, None)["restored_elsewhere"] is True
    assert restored_here.restored_here(store, name, canary, None)["name"] == name
    early = {"created_at": "2001-01-01T00:00:00Z"}
    task = {**canary.tasks[0], "title": "Another"}
    for wrong in (Canary("other", canary.item | early), Canary(canary.title, canary.item | early, [task])):
        with pytest.raises(Failed) as stop:
            restored_here.restored_here(store, "latest", wrong, None)
        assert reason(stop) == "wrong_backup"
    (object_,) = (tmp_path / "store").glob(f"{name}.db*")
    object_.write_bytes(b"damaged")
    with pytest.raises(Failed, match="The backup can't be restored") as damaged:
        restored_here.restored_here(store, "latest", canary, None)
    assert reason(damaged) == "no_restore"


def test_an_encrypted_backup_is_restored_here_with_its_key(site: Asked, tmp_path: Path, in_this_process: None):
    x25519 = import_module("pyrage").x25519

    identity, store = x25519.Identity.generate(), f"file://{tmp_path}/store"
    (tmp_path / "store").mkdir()
    (tmp_path / "key.txt").write_text(f"{identity}\n")
    canary = write_canary(site, new_mark())
    here = {"DATABASE_PATH": str(tmp_path / "task_manager.db"), "BACKUP_RECIPIENT": str(identity.to_public())}
    typed(["backup", "--store", store, "--json"], here)
    with pytest.raises(Unproven) as no_key:
        restored_here.restored_here(store, "latest", canary, None)
    assert reason(no_key) == "store"
    assert restored_here.restored_here(store, "latest", canary, tmp_path / "key.txt")["restored_elsewhere"] is True


class Shell:
    """task-assist where the app runs, as it answers `--json`: each look finds the next of `lacking` rows not there."""

    def __init__(self, *lacking: int, proves: str = "restorable") -> None:
        self.lacking, self.proves, self.made = list(lacking), proves, 0

    def __call__(self, *words: str) -> dict[str, Any]:
        if words == ("backup",):
            self.made += 1
            return {"made": {"name": f"backup-{self.made}"}}
        if words[:2] == ("backup", "drill"):
            return {"drilled": {"proves": self.proves}}
        assert words == ("restore", f"backup-{self.made}", "--dry-run")
        rows = {"go": self.lacking.pop(0), "come": 7, "change": 0}
        return {"difference": {"work_items": rows, "tasks": rows | {"go": 0}, "events": rows}}


def test_a_backup_where_it_runs_is_compared_with_the_database_that_has_the_canary():
    assert prove_backup.compared(Shell(0))["name"] == "backup-1"
    assert prove_backup.compared(Shell(1, 0))["name"] == "backup-2"
    with pytest.raises(Failed, match="lack items or tasks that the database has: the last one 6") as wrong:
        prove_backup.compared(Shell(6, 6, 6))
    assert reason(wrong) == "wrong_backup"
    with pytest.raises(Unproven) as no_key:
        prove_backup.compared(Shell(0, proves="unchanged"))
    assert reason(no_key) == "no_key"


def test_a_backup_of_another_app_is_none_of_the_one_that_was_asked(site: Asked):
    """--exec of the test system, beside the address of the real one: its backup holds all that it has."""
    canary = write_canary(site, new_mark())
    with pytest.raises(Failed, match="is not in the database where --exec types") as stop:
        prove_backup.refuse_elsewhere(site, canary, Typed({"go": 0}), "backup-1")
    assert reason(stop) == "wrong_backup"
    prove_backup.refuse_elsewhere(site, canary, Typed({"go": 1}), "backup-1")


class Typed:
    """A verb that answers so of the tasks."""

    def __init__(self, tasks: dict[str, int]) -> None:
        self.tasks = tasks

    def __call__(self, *words: str) -> dict[str, Any]:
        assert words == ("restore", "backup-1", "--dry-run")
        return {"difference": {"tasks": self.tasks}}


def test_the_verbs_answer_as_the_comparison_reads_them(site: Asked, tmp_path: Path):
    """By a real backup of a real database, and one of another."""
    stores = [tmp_path / "store", tmp_path / "other"]
    here = {"DATABASE_PATH": str(tmp_path / "task_manager.db"), "APP_ENV": "development"}
    umask = os.umask(0o022)
    for store in stores:
        store.mkdir()

    def verb(*words: str) -> Any:
        return typed([*words, "--json"], here | {"BACKUP_URL": stores[0].as_uri()})

    try:
        canary = write_canary(site, new_mark())
        made = prove_backup.compared(verb)
        assert made["database"]["rows"]["tasks"] == 5
        prove_backup.refuse_elsewhere(site, canary, verb, made["name"])
        before = verb("backup")["made"]["name"]
        write_canary(site, new_mark())
        found = verb("restore", before, "--dry-run")["difference"]
        assert (found["work_items"]["go"], found["tasks"]["go"]) == (1, 5)
    finally:
        os.umask(umask)


def test_a_backup_of_the_schedule_is_waited_for_where_it_comes_in_time(site: Asked, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prove_backup.time, "sleep", lambda seconds: None)
    canary = Canary("x", {"id": 1, "created_at": "2026-11-27T12:00:00Z"})

    def looks(wait: float) -> int:
        older = {"newest": "2026-11-27T03:15:00+00:00", "next": "2026-11-27T12:10:00+00:00", "failing": False}
        newer = older | {"newest": "2026-11-27T12:10:04+00:00"}
        site.health_is = [health(site, backup=each) for each in (older, older, newer)]
        first = site.health()
        prove_backup._wait_for_newer(site, first, canary, wait, lambda line: None)
        return 3 - len(site.health_is)

    assert looks(wait=1800) == 2
    assert looks(wait=60) == 1


def test_a_store_that_cant_be_read_is_unproven(site: Asked):
    with pytest.raises(Unproven, match=r"The store can't be read from here: There is no folder /nowhere") as stop:
        restored_here.restored_here("file:///nowhere", "latest", Canary("x", {"id": 1}), None)
    assert reason(stop) == "store"


# --- what nobody else gets to see -------------------------------------------------------------------------


def test_a_token_is_sent_over_https_or_to_this_machine_only():
    token = Given("ta_x")
    assert at_url("https://tasks.example.com", token).site.url == "https://tasks.example.com"
    assert at_url("http://127.0.0.1:8000/", token).site.url == "http://127.0.0.1:8000"
    with pytest.raises(Misused, match="everybody on the way would read the token"):
        at_url("http://tasks.example.com", token)


class Elsewhere(BaseHTTPRequestHandler):
    """Leads everybody to itself under another name, and notes who has come with what."""

    came: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.came.append((self.path, self.headers.get("Authorization", "")))
        self.send_response(302 if self.path == "/healthz" else 200)
        self.send_header("Location", "http://localhost:1/stolen?key=hush")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any, **__: Any) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port."""
    Elsewhere.came = []
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("text", ["ta_secret\n# of the account me", "ta_sécret", "ta_ secret"])
def test_a_token_that_no_header_takes_is_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
):
    monkeypatch.chdir(tmp_path)
    Path("token").write_text(text)
    assert cli.main(["http://127.0.0.1:1", "--token-file", "token"]) == 2
    printed = capsys.readouterr().err
    assert "token has more in it than a token" in printed and "cret" not in printed
    assert not Path("receipts").exists()


class Odd(BaseHTTPRequestHandler):
    """Answers each path as its name says; whatever else it is asked, with `next` to the same page."""

    def do_GET(self) -> None:
        body = {"/null": b"null", "/health": b'{"database": null}', "/healthz": b'{"database": {}}'}.get(
            self.path, json.dumps({"items": [], "next": self.path}).encode()
        )
        if self.path == "/no-http":
            self.wfile.write(b"nothing of HTTP\r\n\r\n")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + (self.path == "/half")))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def odd() -> Iterator[Site]:
    with HTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.mark.parametrize("path", ["/half", "/no-http"])
def test_half_an_answer_is_none(odd: Site, path: str):
    """While a process is killed, or a gateway changes what is behind it."""
    with pytest.raises(ConnectionError, match="no whole answer in HTTP"):
        odd.ask("GET", path)
    with pytest.raises(NotTried, match="got no answer") as stop:
        odd.get(path)
    assert (reason(stop), stop.value.exit_code) == ("no_answer", 4)


def test_an_answer_that_is_not_task_assists_is_told(odd: Site, monkeypatch: pytest.MonkeyPatch):
    for ask in (lambda: odd.get("/null"), odd.health, lambda: list(odd.pages("/that-leads-to-itself"))):
        with pytest.raises(NotTried, match="as Task Assist does") as stop:
            ask()
        assert reason(stop) == "not_task_assist"
    monkeypatch.setattr(site_module, "LONGEST", 3)
    with pytest.raises(ConnectionError, match="an answer of more than 3 bytes"):
        odd.ask("GET", "/null")
    monkeypatch.setattr(site_module, "LONGEST", 100)
    monkeypatch.setattr(site_module, "WHOLE_WITHIN", -1)
    with pytest.raises(TimeoutError, match="did not end within"):
        odd.ask("GET", "/null")


def test_a_token_follows_no_redirect(elsewhere: int):
    with pytest.raises(NotTried, match=r"leads to http://localhost:1/stolen, where no token is sent") as stop:
        Site(f"http://127.0.0.1:{elsewhere}", "ta_x").health()
    assert reason(stop) == "leads_elsewhere" and "hush" not in stop.value.message
    assert Elsewhere.came == [("/healthz", "Bearer ta_x")]


def test_the_token_is_not_in_the_environment_of_the_commands_that_are_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TASK_ASSIST_TOKEN", "ta_hush")
    options = cli._parser().parse_args(["https://tasks.example.com"])
    assert cli._token(options) == "ta_hush"
    run_deployment(f"env >{tmp_path}/env")
    assert "ta_hush" not in (tmp_path / "env").read_text()


def test_the_command_that_deploys_and_the_one_that_types_are_in_no_receipt(site: Asked, quick: None):
    hook = "curl https://deploy.example.com/hook?key=hush && false"
    record = Record("http://localhost")
    with pytest.raises(Failed) as stop:
        prove_remote.prove(Remote("x", site, hook.replace("curl", "true")), record, wait=0, say=lambda line: None)
    record.stop = stop.value
    assert "hush" not in json.dumps(record.receipt())
    with pytest.raises(NotTried) as no_answer:
        prove_backup.answer(["sh", "-c", "false", "hush"], "backup")
    assert "hush" not in no_answer.value.message and "task-assist backup ended with 1" in no_answer.value.message


# --- a stack ------------------------------------------------------------------------------------------------

AWS = {"cluster": "arn:aws:ecs:eu-central-1:123456789012:cluster/task-assist", "name": "task-assist"}
SITE = "/subscriptions/1/resourceGroups/mine/providers/Microsoft.Web/sites/tasks"
VM = {"name": "task-assist", "zone": "europe-west1-b", "project": "mine"}


@pytest.mark.parametrize(
    ("resource", "anew"),
    [
        (
            {"type": "aws:ecs/service:Service", "outputs": AWS},
            "aws ecs update-service --cluster {cluster} --region eu-central-1 --service task-assist "
            "--force-new-deployment --query service.status --output text".format(**AWS),
        ),
        (
            {"type": "azure-native:web:WebApp", "id": SITE, "outputs": {}},
            "az webapp restart --subscription 1 --resource-group mine --name tasks",
        ),
        (
            {"type": "gcp:compute/instance:Instance", "outputs": VM},
            "gcloud compute instances stop task-assist --zone europe-west1-b --project mine && "
            "gcloud compute instances start task-assist --zone europe-west1-b --project mine",
        ),
        ({"type": "gcp:cloudrunv2/service:Service", "outputs": {}}, None),
    ],
)
def test_each_cloud_has_a_command_that_deploys_the_same_anew(resource: dict[str, Any], anew: str | None):
    found = runs_as({"deployment": {"resources": [{"type": "pulumi:pulumi:Stack"}, resource]}}, up("aws"))
    assert (found.anew, found.shell) == (anew, [])


CONTAINER = (
    "urn:pulumi:blue::task-assist::task-assist:docker:Hosting$docker:index/container:Container::hosting-container"
)
STATE = {
    "deployment": {
        "resources": [
            {"type": "pulumi:providers:docker", "inputs": {"host": "ssh://you@host"}},
            {"type": "docker:index/container:Container", "urn": "urn::proxy-container", "outputs": {"name": "caddy"}},
            {"type": "docker:index/container:Container", "urn": CONTAINER, "outputs": {"name": "task-assist-blue"}},
        ]
    }
}
PULUMI = f"""#!/bin/sh
case "$*" in
  "stack output"*blue) echo '{{"url": "http://localhost", "backup_url": "file:///backups", "image": "sha256:1"}}' ;;
  "stack output"*far) echo '{{"url": "http://localhost:8001", "backup_url": "s3://bucket/folder"}}' ;;
  "stack export"*blue) echo '{json.dumps(STATE)}' ;;
  "stack export"*far) echo '{{}}' ;;
  *) echo "error: no stack named red found" >&2; exit 255 ;;
esac
"""


def test_a_stack_says_where_it_is_where_to_type_and_where_its_backups_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "pulumi").write_text(PULUMI)
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = of_stack("blue", Given("ta_x"))
    assert (found.target, found.site.url, found.store) == ("stack blue", "http://localhost", None)
    assert found.shell == ["docker", "--host", "ssh://you@host", "exec", "task-assist-blue", "task-assist"]
    assert found.deploy == "pulumi up --yes --non-interactive --stack blue"
    assert found.anew == f"{found.deploy} --replace '{CONTAINER}'"
    assert found.facts == {"image": "sha256:1"}
    far = of_stack("far", Given("ta_x"))
    assert (far.store, far.shell, far.anew) == ("s3://bucket/folder", [], None)
    with pytest.raises(NotTried, match="The stack red can't be read: error: no stack named"):
        of_stack("red", Given("ta_x"))
