"""scripts/run says where it runs and where the data lives, and never opens a second, empty database unasked."""

import socket
from collections.abc import Iterator

import pytest

from tests import ports
from tests.scripts.conftest import Checkout

# A docker with an engine, Compose, the base image and no volume yet; a test puts other cases before these.
WORKING_DOCKER = {
    "version*": "exit 0",
    "compose version*": "echo 2.26.1",
    "image inspect*": "exit 0",
    "volume inspect*": "exit 1",
    "compose port*": "exit 1",
    "compose build*": "exit 0",
    "compose up*": 'echo "compose is up on $PORT"',
}


def put_docker(checkout: Checkout, **changed: str) -> None:
    """Puts a docker on the PATH; `changed` is what some of its commands do instead, `_` standing for a space."""
    cases = {**WORKING_DOCKER, **{f"{name.replace('_', ' ')}*": script for name, script in changed.items()}}
    lines = [f"  {pattern.replace(' ', chr(92) + ' ')}) {script} ;;" for pattern, script in cases.items()]
    checkout.tool("docker", 'case "$*" in\n' + "\n".join(lines) + "\n  *) exit 64 ;;\nesac")


@pytest.fixture
def free_port() -> str:
    return str(ports.free_port())


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def stand_in_app(checkout: Checkout) -> None:
    """An installed app that says how it was started."""
    app = checkout.path / ".venv/bin/task-assist"
    app.parent.mkdir(parents=True)
    app.write_text('#!/bin/sh\necho "app $* AUTH_DISABLED=$AUTH_DISABLED DATABASE_PATH=$DATABASE_PATH"\n')
    app.chmod(0o755)
    (checkout.path / "scripts/install").write_text("#!/bin/sh\n")


def test_with_an_engine_it_builds_and_runs_compose(checkout: Checkout, free_port: str):
    put_docker(checkout)
    done = checkout.run("scripts/run", "--detach", PORT=free_port)
    assert done.returncode == 0, done.stderr
    assert f"compose is up on {free_port}" in done.stdout
    assert "Docker volume task-manager-db" in done.stdout
    assert checkout.calls()[-2:] == ["docker compose build", "docker compose up --detach"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (None, "there is no docker command here"),
        ({"version": "echo 'Cannot connect to the Docker daemon' >&2; exit 1"}, "the Docker engine does not answer"),
        (
            {"version": "echo 'permission denied while trying to connect' >&2; exit 1"},
            "may not use the engine's socket",
        ),
        ({"compose_version": "exit 1"}, "docker has no Compose v2 plugin"),
        ({"compose_version": "echo 1.29.2"}, "docker has no Compose v2 plugin"),
        (
            {"image_inspect": "exit 1", "pull": "exit 1"},
            "the base image python:3.13-slim-trixie is not here and can't be pulled",
        ),
    ],
)
def test_without_what_compose_needs_it_says_so_and_runs_from_the_folder(
    checkout: Checkout, free_port: str, broken: dict[str, str] | None, reason: str
):
    if broken is not None:
        put_docker(checkout, **broken)
    done = checkout.run("scripts/run", PORT=free_port)
    assert done.returncode == 0, done.stderr
    database = checkout.path / "task_manager.db"
    assert "Running without Docker: " in done.stdout
    assert reason in done.stdout
    assert f"Your data lives in the file {database}" in done.stdout
    assert f"app serve --host 127.0.0.1 --port {free_port} AUTH_DISABLED=true DATABASE_PATH={database}" in done.stdout


def test_a_base_image_that_can_be_pulled_is_pulled(checkout: Checkout, free_port: str):
    put_docker(checkout, image_inspect="exit 1", pull="exit 0")
    done = checkout.run("scripts/run", PORT=free_port)
    assert "compose is up" in done.stdout
    assert "docker pull python:3.13-slim-trixie" in checkout.calls()


def test_after_a_compose_run_it_does_not_open_an_empty_database(checkout: Checkout, free_port: str):
    put_docker(checkout)
    checkout.run("scripts/run", PORT=free_port)
    (checkout.bin / "docker").unlink()

    refused = checkout.run("scripts/run", PORT=free_port)
    assert refused.returncode == 1
    assert "app serve" not in refused.stdout
    assert "there is no docker command here" in refused.stderr
    assert "scripts/run --local" in refused.stderr

    assert "app serve" in checkout.run("scripts/run", "--local", PORT=free_port).stdout


def test_a_build_that_fails_leaves_no_trace_of_a_compose_run(checkout: Checkout, free_port: str):
    put_docker(checkout, compose_build="exit 17")
    assert checkout.run("scripts/run", PORT=free_port).returncode == 17
    (checkout.bin / "docker").unlink()
    assert "app serve" in checkout.run("scripts/run", PORT=free_port).stdout


def test_a_volume_from_another_folders_run_counts_as_a_compose_run(checkout: Checkout, free_port: str):
    put_docker(checkout, compose_version="exit 1", volume_inspect="exit 0")
    refused = checkout.run("scripts/run", PORT=free_port)
    assert refused.returncode == 1
    assert "The tasks of earlier runs are in the Docker volume task-manager-db" in refused.stderr


def test_tasks_in_the_folder_are_not_left_behind_for_an_empty_volume(checkout: Checkout, free_port: str):
    (checkout.path / "task_manager.db").write_text("tasks")
    put_docker(checkout)

    refused = checkout.run("scripts/run", PORT=free_port)
    assert refused.returncode == 1
    assert "compose up" not in " ".join(checkout.calls())
    assert str(checkout.path / "task_manager.db") in refused.stderr
    assert "scripts/run --compose" in refused.stderr

    assert "compose is up" in checkout.run("scripts/run", "--compose", PORT=free_port).stdout
    assert "app serve" in checkout.run("scripts/run", "--local", PORT=free_port).stdout
    put_docker(checkout, volume_inspect="exit 0")
    assert "compose is up" in checkout.run("scripts/run", PORT=free_port).stdout


def test_asked_for_compose_it_runs_nothing_else(checkout: Checkout, free_port: str):
    done = checkout.run("scripts/run", "--compose", PORT=free_port)
    assert done.returncode == 1
    assert "Can't run with Docker Compose: there is no docker command here." in done.stderr
    assert "app serve" not in done.stdout


@pytest.mark.parametrize("mode", ["--local", "--compose"])
def test_a_taken_port_is_one_line_with_what_to_type(checkout: Checkout, taken_port: int, mode: str):
    put_docker(checkout)
    done = checkout.run("scripts/run", mode, PORT=str(taken_port))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Port {taken_port} of 127.0.0.1 is taken by another program."
        f" To use another:  PORT={taken_port + 1} scripts/run {mode}"
    ]


def test_the_port_of_its_own_container_is_not_taken(checkout: Checkout, taken_port: int):
    put_docker(checkout, compose_port=f"echo 127.0.0.1:{taken_port}")
    assert "compose is up" in checkout.run("scripts/run", PORT=str(taken_port)).stdout


def test_dot_env_decides_on_sign_in_port_and_path_without_docker(checkout: Checkout, free_port: str):
    (checkout.path / ".env").write_text(f"PORT={free_port}\n#PORT=1\nAUTH_DISABLED=false\nDATABASE_PATH=other.db\n")
    done = checkout.run("scripts/run")
    assert (
        f"app serve --host 127.0.0.1 --port {free_port} --env-file .env AUTH_DISABLED=false DATABASE_PATH=other.db"
        in done.stdout
    )
    assert "Your data lives in the file other.db" in done.stdout


def test_an_option_for_compose_is_refused_without_compose(checkout: Checkout, free_port: str):
    done = checkout.run("scripts/run", "--detach", PORT=free_port)
    assert done.returncode == 1
    assert "Without Docker Compose there is no --detach" in done.stderr
