"""What the container may do: its own data folder, and nothing else."""

import json
from typing import Any

from tests.containers.conftest import Project, Run
from tests.containers.running import DATABASE, WITHOUT_SIGN_IN, Container, docker


def inspected(container: Container) -> dict[str, Any]:
    return json.loads(docker("inspect", container.name).stdout)[0]


def test_it_needs_no_capability_and_no_writable_root(run: Run, volume: str):
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    container.site.add_item("Written without any rights")
    status = docker("exec", container.name, "cat", "/proc/1/status").stdout
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "Uid:\t1000\t1000\t1000\t1000" in status
    assert "read-only file system" in docker("exec", container.name, "touch", "/app/x", check=False).stderr.lower()


def test_compose_gives_it_no_more_than_it_needs(project: Project):
    facts = inspected(project.up())
    host = facts["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["PortBindings"] == {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(project.site.port)}]}
    mounts = {mount["Destination"]: mount.get("Name") or mount["Source"] for mount in facts["Mounts"]}
    assert mounts == {"/app/data": project.name, "/backups": str(project.folder / "backups/app")}
    assert f"DATABASE_PATH={DATABASE}" in facts["Config"]["Env"]


def test_only_its_own_user_can_read_what_it_writes(run: Run, volume: str):
    container = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data")
    container.wait_until_ready()
    listed = docker("exec", container.name, "find", "/app/data", "-printf", "%m %u %f\\n").stdout.splitlines()
    assert "600 app task_manager.db" in listed
    assert all(line.startswith(("600 app ", "700 app ")) for line in listed), listed
