"""A real `pulumi up` on a real Docker engine: build, write, upgrade, destroy, and the data is still there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import NAME, PORT
from kit.docker.storage import COMPOSE_VOLUME as VOLUME
from tests.containers.running import Container, Site, docker
from tests.infra.engine import Engine
from tests.infra.recording import ROOT
from tests.infra.standins import PACKAGES, StandIns

SECRETS = f"{NAME}-secrets"
IN_THE_IMAGE = ("Dockerfile", ".dockerignore", "app", "requirements")


def missing() -> str | None:
    """Why it can't run here, or None."""
    for command in ("pulumi", "pulumi-resource-docker", "docker"):
        if shutil.which(command) is None:
            return f"no `{command}` on the PATH"
    if docker("info", check=False).returncode:
        return "no Docker engine"
    for kind, name in (("container", NAME), ("container", SECRETS), ("volume", SECRETS), ("volume", VOLUME)):
        if docker(kind, "inspect", name, check=False).returncode == 0:
            return f"there is a {kind} {name} on this machine, and the test must not touch it"
    return None


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    if why := missing():
        pytest.skip(why)
    stand_ins = StandIns(tuple(package for package in PACKAGES if package != "docker"))
    engine = Engine(tmp_path, stand_ins.environment, {"cloud": "docker"})
    # The build's context is the project's own folder, so the files themselves are needed there.
    (engine.project / "infra").unlink()
    shutil.copytree(ROOT / "infra", engine.project / "infra")
    for name in IN_THE_IMAGE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, engine.project / name)
    yield engine
    docker("rm", "--force", NAME, SECRETS, check=False)
    docker("volume", "rm", "--force", VOLUME, SECRETS, check=False)
    docker("rmi", "--force", "task-assist-next", check=False)
    stand_ins.stop()


def signed_in(engine: Engine) -> Site:
    """The site, with the password that the stack made."""
    site = Site(PORT)
    Container(NAME, site).wait_until_ready()
    password = engine.outputs()["admin_password"]
    answer = site.post("/sign-in", data={"email": "admin@example.com", "password": password})
    assert answer.ok, answer.text
    return site


@pytest.mark.containers
def test_data_survives_an_upgrade_and_a_destroy(engine: Engine):
    engine.up()
    signed_in(engine).add_item("Written before the upgrade", "with a task")
    assert docker("inspect", "--format", "{{.Config.User}}", NAME).stdout.strip() == "1000:1000"

    password = engine.outputs()["admin_password"]
    assert password not in docker("inspect", NAME, SECRETS, VOLUME, "--format", "{{json .}}").stdout
    refused = docker("exec", NAME, "sh", "-c", "echo other > /run/secrets/admin_password", check=False)
    assert "Read-only file system" in refused.stderr

    assert "unchanged" in engine.up("--expect-no-changes")
    engine.run("refresh", "--yes", "--expect-no-changes")

    first = engine.outputs()["image"]
    docker("build", "--tag", "task-assist-next", "-", input=f"FROM {NAME}:latest\nLABEL version=next\n")
    engine.set("image", "task-assist-next")
    engine.up()
    second = engine.outputs()["image"]
    assert second != first
    assert docker("inspect", "--format", "{{.Image}}", NAME).stdout.strip() == second
    assert "Written before the upgrade" in signed_in(engine).item_titles()

    assert engine.try_("destroy", "--yes").returncode != 0
    assert Container(NAME, Site(PORT)).state("Running") == "true"
    engine.run("destroy", "--yes", "--exclude-protected")
    assert docker("container", "inspect", NAME, check=False).returncode != 0
    assert docker("volume", "inspect", VOLUME).returncode == 0

    engine.up()
    assert "Written before the upgrade" in signed_in(engine).item_titles()
    assert Container(NAME, Site(PORT)).integrity() == "ok"


@pytest.mark.containers
def test_the_volume_that_compose_made_is_taken_over_and_stays_as_it_is(engine: Engine):
    docker("volume", "create", "--label", "com.docker.compose.volume=task-manager-db", VOLUME)
    made = docker("volume", "inspect", "--format", "{{.CreatedAt}}", VOLUME).stdout
    engine.up()
    signed_in(engine)
    # What the provider reads back are Compose's labels, and a volume can't be given others.
    engine.run("refresh", "--yes")
    assert "unchanged" in engine.up("--expect-no-changes")
    assert docker("volume", "inspect", "--format", "{{.CreatedAt}}", VOLUME).stdout == made
