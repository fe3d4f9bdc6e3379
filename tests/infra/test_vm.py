"""The Google VM's units under a real systemd: the app starts on its mounted disk, and not without it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.containers.running import docker
from tests.infra.plans import plan

pytestmark = [pytest.mark.containers, pytest.mark.root]

# systemd makes no device units where /sys can't be written, so a mount there waits for no udev.
RUN = [
    *("--privileged", "--cgroupns=host", "--tmpfs", "/run", "--tmpfs", "/tmp"),
    *("--mount", "type=bind,source=/sys,target=/sys,readonly"),
    *("--mount", "type=bind,source=/sys/fs/cgroup,target=/sys/fs/cgroup"),
]
# What the VM has and this container hasn't: each writes down how it was called.
STUBS = {
    # 3 is what `verify` answers to a sound database without a manifest, 8 to a damaged one.
    "docker": """echo "docker $*" >>/calls
case "$*" in *verify*) [ ! -e /damaged ] || exit 8; exit 3;; run*) exec sleep infinity;; esac""",
    "docker-credential-gcr": 'echo "credential $*" >>/calls',
    "curl": """case "$*" in
  *metadata*) echo '{"access_token":"a-token","expires_in":3599}';;
  *secretmanager*) grep -q 'Bearer a-token' && echo '{"name":"x","payload":{"data":"aHVudGVyMi1odW50ZXIy"}}';;
esac""",
}


class Machine:
    """A container that systemd runs in, with the VM's files."""

    def __init__(self, name: str, disk: str) -> None:
        self.name, self.disk = name, disk

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return docker("exec", self.name, *command, check=False)

    def out(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def attach(self) -> None:
        """Gives the disk the name that Google gives it."""
        self.out("mkdir", "-p", "/dev/disk/by-id")
        self.out("ln", "-sf", self.disk, "/dev/disk/by-id/google-data")

    def start(self) -> bool:
        return self.run("systemctl", "start", "task-assist.service").returncode == 0

    def calls(self) -> str:
        return self.run("cat", "/calls").stdout

    def call(self, name: str) -> str:
        """How the container of this name was last started."""
        return [line for line in self.calls().splitlines() if f"docker run --rm --name {name} " in line][-1]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[str]:
    with blank_disk(tmp_path / "disk") as device:
        yield device


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[str]:
    with blank_disk(tmp_path / "other-disk") as device:
        yield device


@contextmanager
def blank_disk(file: Path) -> Iterator[str]:
    """A blank disk of 64 MB."""
    if os.geteuid() != 0 or not shutil.which("losetup"):
        pytest.skip("needs root and losetup, to make a disk")
    with file.open("wb") as blank:
        blank.truncate(64 << 20)
    made = subprocess.run(["losetup", "--find", "--show", str(file)], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no loop device: {made.stderr.strip()}")
    yield made.stdout.strip()
    subprocess.run(["losetup", "--detach", made.stdout.strip()], check=True)


@pytest.fixture
def machine(debian: str, disk: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    root = tmp_path / "root"
    lay_out(root, getattr(request, "param", "gcp-disk"))
    name = f"task-assist-test-vm-{os.getpid()}"
    docker("create", "--name", name, *RUN, debian)
    docker("cp", f"{root}/.", f"{name}:/")
    docker("start", name)
    made = Machine(name, disk)
    made.run("systemctl", "is-system-running", "--wait")
    yield made
    made.run("umount", "/mnt/disks/data")
    docker("rm", "--force", name)


def lay_out(root: Path, name: str) -> None:
    """The files of the VM's user-data, the stubs, and a docker.service."""
    user_data = plan(name).one("compute/instance:Instance").inputs["metadata"]["user-data"]
    files = {file["path"]: file["content"] for file in json.loads(user_data.partition("\n")[2])["write_files"]}
    files["/etc/systemd/system/docker.service"] = "[Service]\nExecStart=/bin/sleep infinity\n"
    # Without the half minute's wait for a disk that never comes.
    files["/etc/task-assist/format"] = files["/etc/task-assist/format"].replace("seq 30", "seq 1")
    for path, content in files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    for name, body in STUBS.items():
        stub = root / "usr" / "bin" / name
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(f"#!/bin/sh\n{body}\n")
        stub.chmod(0o755)


def test_the_app_starts_on_its_disk_and_not_without_it(machine: Machine):
    assert not machine.start()
    assert "docker run" not in machine.calls()

    machine.attach()
    assert machine.start()
    assert machine.out("findmnt", "-no", "FSTYPE", "/mnt/disks/data") == "ext4"
    assert machine.out("stat", "-c", "%u:%g %a", "/mnt/disks/data/task-manager-data") == "1000:1000 750"
    assert machine.out("stat", "-c", "%u %a", "/run/task-assist/environment") == "0 600"
    settings = machine.out("cat", "/run/task-assist/environment").splitlines()
    assert "DATABASE_PATH=/app/data/task_manager.db" in settings
    assert "ADMIN_PASSWORD=hunter2-hunter2" in settings
    assert "hunter2" not in machine.calls()
    assert "source=/mnt/disks/data/task-manager-data,target=/app/data" in machine.calls()

    # A second boot finds the disk as it was: nothing is formatted.
    machine.out("touch", "/mnt/disks/data/task-manager-data/kept")
    machine.out("systemctl", "stop", "task-assist.service", "mnt-disks-data.mount", "format-data.service")
    assert machine.start()
    machine.out("stat", "/mnt/disks/data/task-manager-data/kept")

    # The app does not outlive its disk.
    machine.out("systemctl", "stop", "mnt-disks-data.mount")
    assert machine.run("systemctl", "is-active", "task-assist.service").stdout.strip() != "active"


def test_a_disk_that_cannot_be_read_is_not_formatted(machine: Machine):
    machine.attach()
    machine.out("sh", "-c", "printf '#!/bin/sh\\nexit 4\\n' >/usr/local/bin/blkid && chmod +x /usr/local/bin/blkid")
    assert not machine.start()
    assert "docker run" not in machine.calls()
    assert machine.run("/usr/sbin/blkid", "-p", machine.disk).returncode == 2


@pytest.mark.parametrize("machine", ["gcp-disk-domain"], indirect=True)
def test_with_a_domain_caddy_publishes_its_ports_and_the_app_none(machine: Machine):
    """COS's firewall admits only SSH to the host's own network; what Docker publishes goes past it."""
    machine.attach()
    assert machine.start()
    assert machine.run("systemctl", "start", "caddy.service").returncode == 0
    machine.out("sh", "-c", "until grep -q 'name caddy' /calls; do sleep 0.1; done")
    calls = machine.calls()
    assert "--network host" not in calls
    assert "docker network create task-assist" in calls
    caddy, app = machine.call("caddy"), machine.call("task-assist")
    assert "--publish 80:80 --publish 443:443 --publish 443:443/udp" in caddy
    assert "--publish" not in app
    # Both are in one network, where the app's container is found by its name.
    assert "--network task-assist" in caddy
    assert "--network task-assist" in app
    assert "reverse_proxy task-assist:8000" in machine.out("cat", "/etc/task-assist/Caddyfile")
    machine.out("test", "-d", "/mnt/disks/data/caddy")
    machine.out("systemctl", "stop", "caddy.service", "task-assist.service")


def test_a_snapshots_database_takes_its_place_and_the_old_one_stays_beside(machine: Machine, other_disk: str):
    machine.attach()
    assert machine.start()
    data = "/mnt/disks/data/task-manager-data"
    machine.out("sh", "-c", f"echo now >{data}/task_manager.db; echo log >{data}/task_manager.db-wal")

    refused = machine.run("bash", "/etc/task-assist/restore")
    assert "--device-name=restored" in refused.stdout
    assert refused.returncode == 1

    machine.out("mkfs.ext4", "-q", other_disk)
    machine.out("sh", "-c", f"mount {other_disk} /mnt && mkdir /mnt/task-manager-data && umount /mnt")
    machine.out("ln", "-s", other_disk, "/dev/disk/by-id/google-restored")
    refused = machine.run("bash", "/etc/task-assist/restore")
    assert "There is no task-manager-data/task_manager.db on that disk." in refused.stdout

    machine.out(
        "sh", "-c", f"mount {other_disk} /mnt && echo then >/mnt/task-manager-data/task_manager.db; umount /mnt"
    )
    machine.out("touch", "/damaged")
    refused = machine.run("bash", "/etc/task-assist/restore")
    assert "not good; nothing was changed" in refused.stdout
    assert machine.out("cat", f"{data}/task_manager.db") == "now"

    machine.out("rm", "/damaged")
    said = machine.out("bash", "/etc/task-assist/restore")
    assert "is in its place" in said
    assert machine.out("cat", f"{data}/task_manager.db") == "then"
    assert machine.out("stat", "-c", "%u:%g", f"{data}/task_manager.db") == "1000:1000"
    assert machine.run("test", "-e", f"{data}/task_manager.db-wal").returncode == 1
    assert (
        machine.out("sh", "-c", f"cat {data}/before-*/task_manager.db {data}/before-*/task_manager.db-wal")
        == "now\nlog"
    )
    assert machine.out("systemctl", "is-active", "task-assist.service") == "active"
    assert machine.run("mountpoint", "/mnt/disks/restored").returncode != 0
