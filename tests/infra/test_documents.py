"""What the programs write for others to read is read here by those others, or by their own schemas."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from kit import caddy
from tests.containers.running import docker
from tests.infra.plans import CONFIGS, plan

VM = [name for name in CONFIGS if name.startswith("gcp-disk")]


CADDYFILES = {
    "for a domain": caddy.for_domain("tasks.example.org", "task-assist"),
    "behind a front end": caddy.behind_front_end(8080, "10.30.0.2"),
}


def read_in(debian: str, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Lets a program of Debian's read the files of a folder, which it finds under /files."""
    there = f"type=bind,source={folder},target=/files,readonly"
    return docker("run", "--rm", "--network", "none", "--mount", there, debian, *command, check=False)


@pytest.mark.containers
@pytest.mark.parametrize("text", CADDYFILES.values(), ids=CADDYFILES)
def test_caddy_takes_the_caddyfile(text: str, debian: str, tmp_path: Path):
    (tmp_path / "Caddyfile").write_text(text)
    checked = read_in(debian, tmp_path, "caddy", "validate", "--config", "/files/Caddyfile", "--adapter", "caddyfile")
    assert checked.returncode == 0, checked.stderr
    assert "not formatted" not in checked.stderr


def files(name: str) -> dict[str, str]:
    """The files that the VM's first boot writes."""
    text = plan(name).one("compute/instance:Instance").inputs["metadata"]["user-data"]
    first, _, document = text.partition("\n")
    assert first == "#cloud-config"
    return {file["path"]: file["content"] for file in json.loads(document)["write_files"]}


@pytest.mark.containers
@pytest.mark.parametrize("name", VM)
def test_cloud_init_takes_the_user_data(name: str, debian: str, tmp_path: Path):
    user_data = plan(name).one("compute/instance:Instance").inputs["metadata"]["user-data"]
    (tmp_path / "user-data").write_text(user_data)
    checked = read_in(debian, tmp_path, "cloud-init", "schema", "--config-file", "/files/user-data")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.containers
@pytest.mark.parametrize("name", VM)
def test_systemd_takes_the_units(name: str, debian: str, tmp_path: Path):
    units = {Path(path).name: text for path, text in files(name).items() if path.startswith("/etc/systemd/system/")}
    assert set(units) >= {"task-assist.service", "mnt-disks-data.mount", "format-data.service"}
    for file, text in {**units, "docker.service": "[Service]\nExecStart=/bin/true\n"}.items():
        # The commands are the VM's own; what is checked here is all the rest.
        (tmp_path / file).write_text(re.sub(r"=(-?)/usr/bin/docker\S*", r"=\1/bin/true", text))
    there = [f"/files/{file.name}" for file in tmp_path.iterdir()]
    checked = read_in(debian, tmp_path, "systemd-analyze", "verify", "--man=no", *there)
    assert checked.returncode == 0, checked.stderr
    about_ours = [line for line in checked.stderr.splitlines() if "/files/" in line or "task-assist" in line]
    assert about_ours == []


SHELL = {path: text for name in VM for path, text in files(name).items() if path.startswith("/etc/task-assist/")}


@pytest.mark.parametrize("path", [path for path in SHELL if not path.endswith("Caddyfile")])
def test_bash_takes_the_scripts(path: str):
    checked = subprocess.run(["bash", "-n"], input=SHELL[path], capture_output=True, text=True, check=False)
    assert checked.stderr == ""
