"""A real `pulumi up` on a real Docker engine: build, write, upgrade, roll back, destroy; the data is still there."""

import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from contract import NAME, PORT
from kit import caddy
from kit.docker.storage import COMPOSE_VOLUME
from tests.containers.running import START_SECONDS, Container, Site, docker
from tests.infra.engine import Engine
from tests.infra.recording import ROOT
from tests.infra.standins import PACKAGES, StandIns

DOMAIN = "tasks.localhost"
CONTAINERS = (NAME, f"{NAME}-secrets", f"{NAME}-caddy")
VOLUMES = (COMPOSE_VOLUME, "task-manager-backups", f"{NAME}-secrets", f"{NAME}-certificates")
IN_THE_IMAGE = ("Dockerfile", ".dockerignore", "app", "requirements")


def missing() -> str | None:
    """Why it can't run here, or None."""
    for command in ("pulumi", "pulumi-resource-docker", "docker"):
        if shutil.which(command) is None:
            return f"no `{command}` on the PATH"
    if docker("info", check=False).returncode:
        return "no Docker engine"
    there = [("container", name) for name in CONTAINERS] + [("volume", name) for name in VOLUMES] + [("network", NAME)]
    for kind, name in there:
        if docker(kind, "inspect", name, check=False).returncode == 0:
            return f"there is a {kind} {name} on this machine, and the test must not touch it"
    return None


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    if why := missing():
        pytest.skip(why)
    stand_ins = StandIns(tuple(package for package in PACKAGES if package != "docker"))
    yield new_stack(tmp_path, stand_ins.environment)
    lose_all_but()
    docker("rmi", "--force", "task-assist-next", check=False)
    stand_ins.stop()


def new_stack(folder: Path, environment: Mapping[str, str]) -> Engine:
    """The stack `docker`, of which nothing is known yet."""
    engine = Engine(folder, environment, {"cloud": "docker"}, stack="docker")
    # The build's context is the project's own folder, so the files themselves are needed there.
    (engine.project / "infra").unlink()
    shutil.copytree(ROOT / "infra", engine.project / "infra")
    for name in IN_THE_IMAGE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, engine.project / name)
    return engine


def lose_all_but(*volumes: str) -> None:
    """What a lost host takes along."""
    docker("rm", "--force", *CONTAINERS, check=False)
    docker("volume", "rm", "--force", *(volume for volume in VOLUMES if volume not in volumes), check=False)
    docker("network", "rm", NAME, check=False)


def signed_in(site: Site, password: str) -> Site:
    """The site, with the password that the stack made."""
    Container(NAME, site).wait_until_ready()
    answer = site.post("/sign-in", data={"email": "admin@example.com", "password": password})
    assert answer.ok, answer.text
    return site


def reached(engine: Engine) -> Site:
    return signed_in(Site(PORT), engine.outputs()["admin_password"])


def next_image() -> str:
    docker("build", "--tag", "task-assist-next", "-", input=f"FROM {NAME}:latest\nLABEL version=next\n")
    return "task-assist-next"


@pytest.mark.containers
def test_data_survives_an_upgrade_and_a_destroy(engine: Engine):
    engine.up()
    reached(engine).add_item("Written before the upgrade", "with a task")
    assert docker("inspect", "--format", "{{.Config.User}}", NAME).stdout.strip() == "1000:1000"

    password = engine.outputs()["admin_password"]
    shown = docker("inspect", NAME, f"{NAME}-secrets", COMPOSE_VOLUME, "--format", "{{json .}}").stdout
    assert password not in shown
    refused = docker("exec", NAME, "sh", "-c", "echo other > /run/secrets/admin_password", check=False)
    assert "Read-only file system" in refused.stderr

    assert "unchanged" in engine.up("--expect-no-changes")
    engine.run("refresh", "--yes", "--expect-no-changes")

    first = engine.outputs()["image"]
    engine.set("image", next_image())
    engine.up()
    second = engine.outputs()["image"]
    assert second != first
    assert docker("inspect", "--format", "{{.Image}}", NAME).stdout.strip() == second
    assert "Written before the upgrade" in reached(engine).item_titles()

    assert engine.try_("destroy", "--yes").returncode != 0
    assert Container(NAME, Site(PORT)).state("Running") == "true"
    engine.run("destroy", "--yes", "--exclude-protected")
    assert docker("container", "inspect", NAME, check=False).returncode != 0
    assert docker("volume", "inspect", COMPOSE_VOLUME).returncode == 0

    engine.up()
    # The first account's password is the one of the first start.
    assert "Written before the upgrade" in signed_in(Site(PORT), password).item_titles()
    assert Container(NAME, Site(PORT)).integrity() == "ok"


BACKUPS = "task-manager-backups"


def backups() -> list[dict[str, Any]]:
    """What is in the store, the newest last."""
    listed = docker("exec", NAME, "task-assist", "backup", "list", "--json").stdout
    return json.loads(listed)["backups"]


def wait_for_backup() -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while not (found := backups()):
        assert time.monotonic() < deadline, docker("logs", NAME).stdout
        time.sleep(0.5)
    return found[-1]


def typed_in_the_page() -> list[str]:
    """The commands that get a backup back, as docs/deploy/docker.md has them."""
    page = (ROOT / "docs" / "deploy" / "docker.md").read_text()
    section = re.split(r"\n##+ ", page.partition("\n### Get one back\n")[2])[0]
    return section.partition("the same:\n```\n")[2].partition("```")[0].splitlines()


@pytest.mark.containers
def test_a_new_stack_gets_back_what_the_schedule_backed_up_before_the_data_was_lost(engine: Engine, tmp_path: Path):
    engine.set("backupSchedule", "off")
    engine.up()
    reached(engine).add_item("Written before the loss", "with a task")
    made = docker("volume", "inspect", "--format", "{{.CreatedAt}}", COMPOSE_VOLUME).stdout
    password = engine.outputs()["admin_password"]
    assert backups() == []

    engine.set("backupSchedule", "* * * * *")
    engine.up()
    assert docker("volume", "inspect", "--format", "{{.CreatedAt}}", COMPOSE_VOLUME).stdout == made
    assert "Written before the loss" in reached(engine).item_titles()
    backup = wait_for_backup()
    assert backup["scheduled_for"] and backup["database"]["rows"]["tasks"] == 1

    lose_all_but(BACKUPS)
    (tmp_path / "another").mkdir()
    another = new_stack(tmp_path / "another", engine.environment)
    another.set("backupSchedule", "* * * * *")
    another.up()
    assert reached(another).item_titles() == set()
    for line in typed_in_the_page():
        subprocess.run(["bash", "-ec", line], check=True, timeout=START_SECONDS)
    site = signed_in(Site(PORT), password)
    assert site.items() == {"Written before the loss": ["with a task"]}
    assert Container(NAME, site).integrity() == "ok"


@pytest.mark.containers
def test_the_volume_that_compose_made_is_taken_over_and_stays_as_it_is(engine: Engine):
    docker("volume", "create", "--label", "com.docker.compose.volume=task-manager-db", COMPOSE_VOLUME)
    made = docker("volume", "inspect", "--format", "{{.CreatedAt}}", COMPOSE_VOLUME).stdout
    engine.up()
    reached(engine)
    # What the provider reads back are Compose's labels, and a volume can't be given others.
    engine.run("refresh", "--yes")
    assert "unchanged" in engine.up("--expect-no-changes")
    assert docker("volume", "inspect", "--format", "{{.CreatedAt}}", COMPOSE_VOLUME).stdout == made


@pytest.mark.containers
def test_a_taken_port_is_named_and_another_one_mends_it(engine: Engine):
    # A container under one of the names that are removed in the end.
    publish = ("--publish", f"127.0.0.1:{PORT}:1")
    docker("run", "--detach", "--name", f"{NAME}-caddy", *publish, "python:3.13-slim-trixie", "sleep", "600")
    refused = engine.try_("up", "--yes", "--skip-preview")
    assert "port is already allocated" in refused.stdout + refused.stderr
    engine.set("port", str(PORT + 1))
    engine.up()
    assert Site(PORT + 1).is_ready()


class OverHttps(HTTPAdapter):
    """Asks this machine as if a resolver had led from the domain to it."""

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        super().init_poolmanager(*arguments, **options, server_hostname=DOMAIN, assert_hostname=DOMAIN)


class SecureSite(Site):
    """The site behind Caddy, trusted by the root certificate that it made."""

    def __init__(self, root: Path) -> None:
        super().__init__(443)
        self.session.mount("https://", OverHttps())
        self.session.headers["Host"] = DOMAIN
        self.session.verify = str(root)
        # Else a bundle that this machine's environment names would come before the root.
        self.session.trust_env = False

    @property
    def url(self) -> str:
        return "https://127.0.0.1"


def behind_caddy(folder: Path) -> SecureSite:
    root = folder / "root.crt"
    deadline = time.monotonic() + 30
    while docker("cp", f"{NAME}-caddy:{caddy.ROOT_CERTIFICATE}", str(root), check=False).returncode:
        assert time.monotonic() < deadline, docker("logs", f"{NAME}-caddy").stderr
        time.sleep(0.2)
    return SecureSite(root)


@contextmanager
def asked_meanwhile(site: Site) -> Iterator[list[int]]:
    """The status of each answer while the block runs; 0 for none."""
    answers: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.wait(0.1):
            try:
                answers.append(site.session.get(f"{site.url}/healthz", timeout=90).status_code)
            except requests.RequestException:
                answers.append(0)

    asking = threading.Thread(target=ask)
    asking.start()
    yield answers
    done.set()
    asking.join()


@pytest.fixture
def with_domain(engine: Engine, debian: str) -> Engine:
    """The stack with a domain, and Debian's Caddy in the place of the one that would have to be pulled."""
    file = engine.project / "infra" / "kit" / "caddy.py"
    laid_out = f"FROM {debian}\nENV XDG_DATA_HOME=/data XDG_CONFIG_HOME=/config\n"
    image = docker("build", "--quiet", "-", input=laid_out).stdout.strip()
    file.write_text(file.read_text().replace(caddy.IMAGE, image))
    engine.set("domain", DOMAIN)
    return engine


@pytest.mark.containers
def test_with_a_domain_no_request_fails_at_an_upgrade_or_rollback_and_the_data_comes_back(
    with_domain: Engine, tmp_path: Path
):
    engine = with_domain
    engine.up()
    assert "unchanged" in engine.up("--expect-no-changes")
    engine.run("refresh", "--yes", "--expect-no-changes")
    password, first = engine.outputs()["admin_password"], engine.outputs()["image"]
    site = behind_caddy(tmp_path)
    signed_in(site, password).add_item("Written over HTTPS")
    assert docker("port", NAME, check=False).stdout == ""

    for image in (next_image(), first):
        engine.set("image", image)
        with asked_meanwhile(site) as answers:
            engine.up()
        assert set(answers) == {200}
        assert "Written over HTTPS" in site.item_titles()
    assert docker("inspect", "--format", "{{.Image}}", NAME).stdout.strip() == first

    engine.run("destroy", "--yes", "--exclude-protected")
    assert docker("network", "inspect", NAME, check=False).returncode != 0
    engine.up()
    assert "Written over HTTPS" in signed_in(behind_caddy(tmp_path), password).item_titles()
