"""A lab of three small Linux machines on this one: a file server and two clients with real NFS and SMB mounts.

They are User-Mode-Linux kernels, ordinary processes without a network to anywhere else. `srv` serves a folder over
NFS and another over SMB; `c1` and `c2` have all of MOUNTS, about 1 ms away, each over a link of its own.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("srv", "c1", "c2")
MOUNTS = ("nfs41", "nfs3", "nfs3nl", "cifs", "cifs_nobrl")
"""Under /mnt of each client: NFS 4.1, 3, 3 without locks, SMB 3.1.1, and that with nobrl. /mnt/ext4 is local."""
ALONE = "alone"
"""A guest without a network; its disk, ext4, is the file `data`, which outlives it."""
MEGABYTES = {"srv": 1500, "c1": 2000, "c2": 2000, ALONE: 1000}
BOOT_SECONDS = 120
LOOK_SECONDS = 0.01


class GuestFailed(Exception):
    """A guest did not come up, or a command in it did not end well."""


def image() -> Path:
    """The folder with the guests' kernel and disk; made if this is the first time. Raises GuestFailed."""
    built = subprocess.run([ROOT / "tests/mounts/build"], stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        raise GuestFailed("tests/mounts/build failed; its messages are above, its log in ~/.cache/task-assist/mounts")
    return Path(built.stdout.strip())


def wait_for(file: Path, seconds: float, what: str) -> str:
    """The text of `file` as soon as it is there. Raises GuestFailed after `seconds`."""
    give_up = time.monotonic() + seconds
    while not file.exists():
        if time.monotonic() > give_up:
            raise GuestFailed(f"{what}: no answer within {seconds:.0f} s")
        time.sleep(LOOK_SECONDS)
    return file.read_text()


@dataclass(frozen=True)
class Job:
    """A command that runs, or ran, in a guest."""

    guest: "Guest"
    name: str
    command: str

    @property
    def output(self) -> str:
        """What it has written until now, errors included."""
        return self._file("out").read_text(errors="replace")

    @property
    def ended(self) -> bool:
        return self._file("status").exists()

    def wait(self, seconds: float = 60) -> int:
        """Its exit code, negative for a signal. Raises GuestFailed if it is still running after `seconds`."""
        return int(wait_for(self._file("status"), seconds, f"{self.guest.name}: {self.command}"))

    def tell(self, number: signal.Signals) -> None:
        """Sends the signal to its first process, as a platform does."""
        self.guest.run(f"kill -{number.value} {self._pid}")

    def kill(self) -> None:
        """kill -9 for it and all that it started; done when this returns."""
        if not self.ended:
            self.guest.run(f"kill -9 -- -{self._pid}")
            self.wait()

    @property
    def _pid(self) -> int:
        return int(wait_for(self._file("pid"), 30, f"{self.guest.name}: {self.command}"))

    def _file(self, ending: str) -> Path:
        return self.guest.folder / f"{self.name}.{ending}"


@dataclass
class Guest:
    """One of the machines. `folder` is /host in it."""

    name: str
    folder: Path
    _process: subprocess.Popen[bytes] | None = None

    def begin(self, command: str) -> Job:
        """Starts a shell command there, as root, and goes on."""
        job = Job(self, uuid4().hex, command)
        making = self.folder / f"{job.name}.making"
        making.write_text(command)
        making.rename(self.folder / f"{job.name}.sh")
        return job

    def run(self, command: str, seconds: float = 60) -> str:
        """What the command writes. Raises GuestFailed with that if it fails or takes longer."""
        job = self.begin(command)
        code = job.wait(seconds)
        if code:
            raise GuestFailed(f"{self.name}: {command}: exit code {code}\n{job.output}")
        return job.output

    @property
    def _session(self) -> Path:
        """The file with its session's number, for a command that didn't start it."""
        return self.folder.parent / f"{self.name}.session"

    def boot(self, files: Path, links: list[str]) -> None:
        """Switches the machine on with an empty disk; `run` waits until it is up."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        console = self.folder.parent / f"{self.name}.console"
        changes = self.folder.parent / f"{self.name}.changes"
        changes.unlink(missing_ok=True)
        with self.data.open("wb") as file:
            file.truncate(6 << 30)
        arguments = [
            *(str(files / "linux"), f"mem={MEGABYTES[self.name]}M", f"umid={uuid4().hex}"),
            *(f"ubd0={changes},{files / 'disk.ext4'}", f"ubd1={self.data}", "root=/dev/ubda", "rw", "init=/sbin/first"),
            *("con=null", "con0=null,fd:1", "ssl=null", "quiet", *links),
            *(f"lab.name={self.name}", f"lab.host={self.folder}", f"lab.src={ROOT}"),
        ]
        # User-Mode-Linux keeps its memory in a file of TMPDIR and runs code from there.
        environment = os.environ | {"TMPDIR": "/dev/shm", "HOME": str(self.folder.parent)}
        with console.open("wb") as out:
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, start_new_session=True
            )
        self._session.write_text(str(self._process.pid))

    @property
    def data(self) -> Path:
        """Its second disk, /data there; while it is off, any ext4 that can be mounted."""
        return self.folder.parent / f"{self.name}.data"

    def wait_until_up(self) -> None:
        try:
            self.run("true", BOOT_SECONDS)
        except GuestFailed as error:
            raise GuestFailed(f"{error}. The end of its console:\n{self.console[-2000:]}") from None

    @property
    def console(self) -> str:
        return (self.folder.parent / f"{self.name}.console").read_text(errors="replace")

    def switch_off(self) -> None:
        """At once: what is not on its disk is gone."""
        if not self._session.exists():
            return
        # Each process of a guest is one of ours too, in the session that boot() opened.
        for process in _processes_of(int(self._session.read_text()), str(self.folder)):
            os.kill(process, signal.SIGKILL)
        if self._process:
            self._process.wait()
        self._session.unlink()


def _processes_of(session: int, its_folder: str) -> list[int]:
    """The processes of a guest; none if the session's number now belongs to something else."""
    try:
        if its_folder not in Path(f"/proc/{session}/cmdline").read_text():
            return []
    except FileNotFoundError:
        return []
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == session:
                found.append(int(folder.name))
        except ProcessLookupError:
            continue
    return found


class Lab:
    """The three guests, whose files are in `folder`. `srv`, `c1` and `c2` are theirs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.srv, self.c1, self.c2 = (Guest(name, folder / name) for name in NAMES)

    def start(self) -> None:
        """Switches all three on and waits until every mount is there. Raises GuestFailed."""
        files = image()
        self.stop()
        ends = [_link(client) for client in (1, 2)]
        self.srv.boot(files, [f"vec{n}:{server_end}" for n, (server_end, _) in enumerate(ends)])
        for client, (_, client_end) in zip((self.c1, self.c2), ends, strict=True):
            client.boot(files, [f"vec0:{client_end}"])
        for guest in (self.srv, self.c1, self.c2):
            guest.wait_until_up()
        for client in (self.c1, self.c2):
            mounted = client.run("findmnt --noheadings --list --output TARGET").split()
            missing = [name for name in (*MOUNTS, "ext4") if f"/mnt/{name}" not in mounted]
            if missing:
                raise GuestFailed(f"{client.name} has no {', '.join(missing)}:\n{client.console[-2000:]}")

    def stop(self) -> None:
        for guest in (self.c1, self.c2, self.srv):
            guest.switch_off()

    def cut(self, client: Guest) -> None:
        """Takes the client's network away; commands still reach it."""
        self.srv.run(f"ip link set {self._link_of(client)} down")

    def heal(self, client: Guest) -> None:
        self.srv.run(f"ip link set {self._link_of(client)} up")

    def _link_of(self, client: Guest) -> str:
        return f"vec{(self.c1, self.c2).index(client)}"


def _link(client: int) -> tuple[str, str]:
    """Both ends of a cable between srv and a client: Ethernet in UDP packets on 127.0.0.1."""
    ports = [_free_udp_port(), _free_udp_port()]

    def end(mine: int, theirs: int, number: int) -> str:
        return (
            f"transport=l2tpv3,udp=1,src=127.0.0.1,dst=127.0.0.1,srcport={mine},dstport={theirs},rx_session=0x1,"
            f"tx_session=0x1,rx_cookie=0x0,tx_cookie=0x0,depth=64,mac=52:54:00:77:0{client}:0{number}"
        )

    return end(ports[0], ports[1], 1), end(ports[1], ports[0], 2)


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
