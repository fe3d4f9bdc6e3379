"""Where the data would be lost the container does not start, and says what to type."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.containers.conftest import Run
from tests.containers.running import WITHOUT_SIGN_IN, Container, docker


def type_what_it_says(container: Container, image: str) -> None:
    """Runs the command that the refusal names, as it stands there, on the tests' image."""
    said = re.search(r"docker run --rm .*", container.logs())
    assert said, container.logs()
    docker(*(image if word == "task-assist" else word for word in shlex.split(said[0])[1:]))


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
    type_what_it_says(container, image)
    mended = run(*WITHOUT_SIGN_IN, "--volume", mount)
    mended.wait_until_ready()
    mended.site.add_item("Written after chown")


@pytest.mark.long
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
    type_what_it_says(container, image)
    mended = run(*WITHOUT_SIGN_IN, "--volume", mount)
    mended.wait_until_ready()
    assert mended.site.item_titles() == {"Kept"}


@pytest.mark.long
def test_as_another_user_it_starts_after_the_command_that_it_names_also_on_an_empty_volume(
    run: Run, volume: str, image: str
):
    """Docker hands an empty volume back to the image's user each time that it is mounted."""
    as_nobody = ("--user", "99:100", *WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container = run(*as_nobody)
    assert container.wait_for_exit() == 1
    assert "/app/data belongs to user 1000 and has mode 700, so user 99 can't write it." in container.logs()
    type_what_it_says(container, image)
    for title in ("Written as another user", "And again"):
        mended = run(*as_nobody)
        mended.wait_until_ready()
        mended.site.add_item(title)
        docker("stop", mended.name)


@pytest.mark.long
def test_a_folder_of_a_wrong_mode_is_told_as_that_and_mended(run: Run, volume: str, image: str):
    mount = ("--volume", f"{volume}:/app/data")
    docker("run", "--rm", *mount, image, "sh", "-c", "touch /app/data/old && chmod 500 /app/data")
    container = run(*WITHOUT_SIGN_IN, *mount)
    assert container.wait_for_exit() == 1
    assert "/app/data belongs to this user and has mode 500" in container.logs()
    type_what_it_says(container, image)
    run(*WITHOUT_SIGN_IN, *mount).wait_until_ready()


@pytest.mark.long
def test_a_session_secret_of_another_user_is_seen_by_check_and_doctor_before_the_start(
    run: Run, volume: str, image: str
):
    mount = ("--volume", f"{volume}:/app/data")
    first = run(*WITHOUT_SIGN_IN, *mount)
    first.wait_until_ready()
    docker("stop", first.name)
    docker("run", "--rm", "--user", "0", *mount, image, "chown", "0:0", "/app/data/task_manager.secret")
    for command in ("check", "doctor", "serve"):
        container = run(*WITHOUT_SIGN_IN, *mount, command=("task-assist", command))
        assert container.wait_for_exit() == 1
        assert "task_manager.secret belongs to user 0 and has mode 600, so user 1000 can't read it." in container.logs()
        assert "chown -R 1000:1000 /app/data" in container.logs()
    type_what_it_says(container, image)
    run(*WITHOUT_SIGN_IN, *mount).wait_until_ready()


@pytest.mark.long
def test_a_damaged_session_secret_is_taken_away_by_the_command_that_is_named(run: Run, volume: str, image: str):
    mount = ("--volume", f"{volume}:/app/data")
    docker("run", "--rm", *mount, image, "sh", "-c", "echo something else >/app/data/task_manager.secret")
    container = run(*WITHOUT_SIGN_IN, *mount)
    assert container.wait_for_exit() == 1
    assert "The session secret /app/data/task_manager.secret is damaged." in container.logs()
    type_what_it_says(container, image)
    run(*WITHOUT_SIGN_IN, *mount).wait_until_ready()


def test_a_file_that_is_not_on_the_host_and_of_which_docker_made_a_folder_is_told(run: Run, tmp_path: Path):
    container = run("--volume", f"{tmp_path}/tasks.db:/app/data/task_manager.db")
    assert container.wait_for_exit() == 1
    said = container.logs()
    assert "Docker makes a folder of that name" in said
    assert "-v FOLDER:/app/data" in said

    (tmp_path / "tasks.db").rmdir()
    shutil.chown(tmp_path, 1000, 1000)
    run(*WITHOUT_SIGN_IN, "--volume", f"{tmp_path}:/app/data").wait_until_ready()


def test_a_volume_mounted_at_app_keeps_the_data_and_not_the_code(run: Run, volume: str, image: str):
    mount = ("--volume", f"{volume}:/app")
    container = run(*WITHOUT_SIGN_IN, *mount)
    container.wait_until_ready()
    container.site.add_item("Kept")
    assert docker("exec", container.name, "ls", "-A", "/app").stdout.split() == ["data"]
    docker("stop", container.name)
    again = run(*WITHOUT_SIGN_IN, *mount)
    again.wait_until_ready()
    assert again.site.item_titles() == {"Kept"}


def test_a_volume_over_the_code_itself_is_refused(run: Run, volume: str):
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/opt/task-assist", "--volume", "/app/data")
    assert container.wait_for_exit() == 1
    assert f"The volume {volume} is mounted at /opt/task-assist, over the app itself" in container.logs()
    assert f"docker run -v {volume}:/app/data" in container.logs()


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
