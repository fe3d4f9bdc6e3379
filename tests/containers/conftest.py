"""What container tests start has a name of its own, and is gone after the test. Without an engine they are skipped."""

import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.containers.running import HARDENED, ROOT, START_SECONDS, Container, Site, docker
from tests.ports import free_port

HELPER = "task-assist.helper-of"
IN_THE_IMAGE = ("Dockerfile", ".dockerignore", "docker-compose.yml", ".env.sample", "app", "requirements")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.containers)
            item.add_marker(pytest.mark.usefixtures("engine"))


@pytest.fixture(scope="session")
def engine() -> None:
    """Skips where no container can be built and run."""
    if not shutil.which("docker"):
        pytest.skip("no docker command (as root on Debian, tests/containers/engine brings an engine up)")
    answer = docker("version", "--format", "{{.Server.Version}}", check=False)
    if answer.returncode:
        pytest.skip(f"no Docker engine: {answer.stderr.strip()}")
    if docker("compose", "version", check=False).returncode:
        pytest.skip("docker has no Compose v2 plugin")


def new_name() -> str:
    return f"task-assist-test-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def image(engine: None) -> Iterator[str]:
    """The image of this folder's Dockerfile, built anew from what is here."""
    name = new_name()
    docker("build", "--tag", name, str(ROOT))
    yield name
    docker("rmi", "--force", name)


@pytest.fixture
def volume(engine: None) -> Iterator[str]:
    yield from empty_volume()


@pytest.fixture
def another_volume(engine: None) -> Iterator[str]:
    yield from empty_volume()


def empty_volume() -> Iterator[str]:
    """An empty Docker volume."""
    name = new_name()
    docker("volume", "create", name)
    yield name
    # A container of a test that failed half way may still have it; not those of another test's `list --volumes`.
    found = docker("ps", "--all", "--filter", f"volume={name}", "--format", f'{{{{.ID}}}} {{{{.Label "{HELPER}"}}}}')
    for container, _, helper_of in (line.partition(" ") for line in found.stdout.splitlines()):
        if helper_of in ("", name, "tests"):
            docker("rm", "--force", container)
    remove_volume(name)


def remove_volume(name: str) -> None:
    """Waits while `list --volumes` of another test, which looks into every volume, has it mounted."""
    deadline = time.monotonic() + START_SECONDS
    while docker("volume", "rm", "--force", name, check=time.monotonic() > deadline).returncode:
        time.sleep(0.2)


Run = Callable[..., Container]


@pytest.fixture
def run(image: str, volume: str) -> Iterator[Run]:
    """run(*docker options, command=(), hardened=True): a container of the image, as `docker run` starts it.

    It depends on `volume` so that the container is gone before the volume is.
    """
    names: list[str] = []

    def start(*options: str, command: tuple[str, ...] = (), hardened: bool = True) -> Container:
        name, port = new_name(), free_port()
        names.append(name)
        publish = ["--publish", f"127.0.0.1:{port}:8000"]
        docker("run", "--detach", "--name", name, *publish, *(HARDENED if hardened else ()), *options, image, *command)
        return Container(name, Site(port))

    yield start
    for name in names:
        docker("rm", "--force", "--volumes", name)


@dataclass
class Project:
    """A checkout of the project whose Compose names are its own, so that it never meets the person's real ones."""

    name: str
    folder: Path
    site: Site

    def compose(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {**os.environ, "PORT": str(self.site.port), **environment}
        return docker("compose", *arguments, cwd=self.folder, env=settings)

    def up(self, **environment: str) -> Container:
        """`docker compose up --build`, until the page answers."""
        self.compose("up", "--build", "--detach", **environment)
        container = Container(self.compose("ps", "--quiet", "app").stdout.strip(), self.site)
        container.wait_until_ready()
        return container


@pytest.fixture
def project(engine: None, tmp_path: Path) -> Iterator[Project]:
    made = Project(new_name(), tmp_path / "checkout", Site(free_port()))
    made.folder.mkdir()
    for part in IN_THE_IMAGE:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, made.folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, made.folder)
    file = made.folder / "docker-compose.yml"
    # The names of project, image and volume; all else stays as it is.
    file.write_text(re.sub("task-assist|task-manager-db", made.name, file.read_text()))
    yield made
    made.compose("down", "--volumes", "--rmi", "local", "--timeout", "1")
    docker("rmi", "--force", made.name)
