"""What the image adds to its base: the app, its libraries with their bytecode, and nothing that only a build needs."""

import json
import re
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.conftest import Run, new_name
from tests.containers.running import ROOT, START_SECONDS, WITHOUT_SIGN_IN, docker

MOST_ADDED_MB = 110
NOT_WANTED = re.compile(r"(^|/)(pip|pip-[\d.]+\.dist-info|tests?|testing|\.cache|\.git|\.env|Dockerfile|apt)(/|$)")


def base_image() -> str:
    found = re.search(r"^ARG PYTHON_IMAGE=(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found
    return found[1]


def size(image: str) -> int:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image).stdout)


@pytest.fixture(scope="module")
def added(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tarfile.TarInfo]]:
    """The files and folders of the image that its base does not have."""
    in_base = {member.name for member in members(base_image(), tmp_path_factory.mktemp("base"))}
    yield [member for member in members(image, tmp_path_factory.mktemp("image")) if member.name not in in_base]


def members(image: str, folder: Path) -> list[tarfile.TarInfo]:
    name = new_name()
    docker("create", "--name", name, image)
    try:
        docker("export", "--output", str(folder / "image.tar"), name)
    finally:
        docker("rm", name)
    with tarfile.open(folder / "image.tar") as archive:
        return archive.getmembers()


def test_it_adds_no_more_than_its_share(image: str):
    added_mb = (size(image) - size(base_image())) / 1e6
    assert added_mb <= MOST_ADDED_MB


def test_no_pip_no_caches_and_no_tests_are_in_what_it_adds(added: list[tarfile.TarInfo]):
    assert [member.name for member in added if NOT_WANTED.search(member.name)] == []
    assert {member.name.split("/")[0] for member in added} <= {"app", "backups", "etc", "opt", "var"}


def test_every_module_has_its_bytecode(added: list[tarfile.TarInfo]):
    modules = {member.name for member in added if member.name.endswith(".py")}
    compiled = {
        re.sub(r"__pycache__/([^/]+)\.cpython-\d+\.pyc$", r"\1.py", member.name)
        for member in added
        if member.name.endswith(".pyc")
    }
    assert {"opt/task-assist/app/domain/work_items.py", "opt/task-assist/app/database/migrations/env.py"} <= modules
    assert modules - compiled == set()


def test_its_user_owns_the_folders_of_data_and_backups_and_nothing_else(added: list[tarfile.TarInfo]):
    assert sorted(member.name for member in added if member.uid == 1000) == ["app/data", "backups"]


def test_it_declares_no_volume_and_runs_as_its_user(image: str):
    def config(what: str) -> str:
        return docker("image", "inspect", "--format", f"{{{{json .Config.{what}}}}}", image).stdout.strip()

    assert config("Volumes") == "null"
    assert config("User") == '"app"'
    assert config("StopSignal") == '"SIGTERM"'
    assert '"APP_ENV=production"' in config("Env")


def test_docker_sees_that_it_is_healthy(run: Run, volume: str):
    container = run(*WITHOUT_SIGN_IN, "--health-interval", "1s", "--volume", f"{volume}:/app/data")
    deadline = time.monotonic() + START_SECONDS
    while container.state("Health.Status") != "healthy":
        assert time.monotonic() < deadline, container.state("Health")
        time.sleep(0.2)


def test_its_health_check_starts_no_python(image: str):
    said = docker("image", "inspect", "--format", "{{json .Config.Healthcheck}}", image).stdout
    check = json.loads(said)
    assert check["Test"][:2] == ["CMD", "bash"] and check["Interval"] == 10_000_000_000
    assert "/healthz" in check["Test"][-1] and "python" not in said and "task-assist" not in said


def test_a_command_of_task_assist_runs_in_its_place(image: str, volume: str):
    mount = f"{volume}:/app/data"
    done = docker("run", "--rm", "--volume", mount, image, "task-assist", "check")
    assert "The database is /app/data/task_manager.db on /app/data" in done.stdout
    refused = docker("run", "--rm", image, "task-assist", "check", check=False)
    assert refused.returncode == 1
    assert "not on a mount of its own" in refused.stderr
