"""The way back as docs/DATABASE_PERSISTENCE.md has it, typed inside the container, and in one beside it."""

import re

import pytest

from tests.containers.conftest import Run
from tests.containers.running import HARDENED, WITHOUT_SIGN_IN, Container, docker

pytestmark = pytest.mark.long

COPY = "/app/data/before-import.db"


@pytest.fixture
def app(run: Run, volume: str) -> Container:
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    container.site.add_item("Before")
    docker("exec", container.name, "task-assist", "snapshot", COPY)
    container.site.add_item("After")
    return container


def test_inside_the_running_container_a_restore_needs_no_stop_and_prints_the_way_back(app: Container):
    started = app.state("StartedAt")
    said = docker("exec", app.name, "task-assist", "restore", COPY).stdout
    app.wait_until_ready()
    assert app.site.item_titles() == {"Before"}
    back = re.search(r"To go back:  (task-assist restore /app/data/task_manager-before-restore-\S+\.db)$", said, re.M)
    assert back, said
    docker("exec", app.name, *back[1].split())
    app.wait_until_ready()
    assert app.site.item_titles() == {"Before", "After"}
    assert app.state("StartedAt") == started
    assert app.integrity() == "ok"


@pytest.mark.parametrize("running", [True, False])
def test_in_a_container_of_its_own_it_works_whether_the_app_runs_or_not(
    app: Container, volume: str, image: str, running: bool
):
    if not running:
        docker("stop", app.name)
    own = ("run", "--rm", *HARDENED, "--volume", f"{volume}:/app/data", image)
    docker(*own, "task-assist", "restore", COPY)
    if not running:
        docker("start", app.name)
    app.wait_until_ready()
    assert app.site.item_titles() == {"Before"}


def test_a_damaged_database_is_mended_by_the_command_that_doctor_names(app: Container):
    """Zeros in the middle of the file, as in a report of another app; then what doctor says, typed with that copy."""
    docker("exec", app.name, "task-assist", "snapshot", "/app/data/BACKUP.db")
    docker("stop", app.name)
    zero = "dd if=/dev/zero of=/app/data/task_manager.db bs=4096 seek=2 count=12 conv=notrunc"
    docker("run", "--rm", "--volumes-from", app.name, app_image(app), "sh", "-c", zero)
    docker("start", app.name)
    doctor = docker("exec", app.name, "task-assist", "doctor", "--full", check=False)
    assert doctor.returncode == 1, doctor.stdout
    named = re.search(r"(task-assist restore /app/data/BACKUP\.db)", doctor.stdout)
    assert named, doctor.stdout
    docker("exec", app.name, *named[1].split())
    app.wait_until_ready()
    assert app.site.item_titles() == {"Before", "After"}


def app_image(app: Container) -> str:
    return docker("inspect", "--format", "{{.Config.Image}}", app.name).stdout.strip()
