"""Where the data would be lost the container does not start, and says what to type."""

import re

from tests.containers.conftest import Run
from tests.containers.running import WITHOUT_SIGN_IN, docker


def test_without_a_mount_it_does_not_start_and_names_the_ways_to_mount_one(run: Run):
    container = run()
    assert container.wait_for_exit() == 1
    said = container.logs()
    assert "not on a mount of its own" in said
    for way in ("-v task-manager-data:/app/data", "task-manager-db:/app/data", "Azure", "AWS", "Google Cloud"):
        assert way in said
    assert "Traceback" not in said


def test_on_a_tmpfs_it_does_not_start(run: Run):
    container = run("--tmpfs", "/app/data:mode=1777")
    assert container.wait_for_exit() == 1
    assert "is in memory (tmpfs at /app/data)" in container.logs()


def test_a_volume_of_roots_is_refused_with_the_command_that_mends_it(run: Run, volume: str, image: str):
    mount = f"{volume}:/app/data"
    # Not empty: Docker hands an empty volume to the owner of the image's folder by itself.
    as_root = ["run", "--rm", "--user", "0", "--volume", mount, image]
    docker(*as_root, "sh", "-c", "touch /app/data/old && chown 0:0 /app/data")
    container = run(*WITHOUT_SIGN_IN, "--volume", mount)
    assert container.wait_for_exit() == 1
    mend = re.search(r"docker run --rm --user 0 .*", container.logs())
    assert mend, container.logs()

    docker(*mend[0].replace(" task-assist ", f" {image} ").split()[1:])
    mended = run(*WITHOUT_SIGN_IN, "--volume", mount)
    mended.wait_until_ready()
    mended.site.add_item("Written after chown")


def test_a_database_that_root_copied_in_is_refused_the_same_way(run: Run, volume: str, image: str):
    mount = f"{volume}:/app/data"
    first = run(*WITHOUT_SIGN_IN, "--volume", mount)
    first.wait_until_ready()
    first.site.add_item("Kept")
    docker("stop", first.name)
    docker("run", "--rm", "--user", "0", "--volume", mount, image, "chown", "0:0", "/app/data/task_manager.db")

    container = run(*WITHOUT_SIGN_IN, "--volume", mount)
    assert container.wait_for_exit() == 1
    assert "task_manager.db belongs to user 0" in container.logs()
    assert "chown -R 1000:1000 /app/data" in container.logs()


def test_a_volume_without_a_name_is_warned_about(run: Run):
    container = run(*WITHOUT_SIGN_IN, "--volume", "/app/data")
    container.wait_until_ready()
    assert "a Docker volume without a name" in container.logs()
    assert container.site.get("/readyz").json()["database"]["persistent"] is False


def test_a_volume_with_a_name_is_not(run: Run, volume: str):
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    assert "without a name" not in container.logs()
    assert container.site.get("/readyz").json()["database"]["persistent"] is True
