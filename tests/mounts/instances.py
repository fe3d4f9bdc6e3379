"""The app in a guest, as a container runs it; a load on it; and what its database must hold afterwards."""

import json
from dataclasses import dataclass
from datetime import datetime
from signal import SIGTERM
from typing import Any
from uuid import uuid4

from tests.mounts.guests import MOUNTS, Guest, GuestFailed, Job

READY_SECONDS = 300
"""How long a start may take before a test gives up on it: a file server needs seconds to notice a killed client, and a
guest on a busy machine two minutes to import the app five times at once."""
AS_IN_A_CONTAINER = "setpriv --reuid 1000 --regid 1000 --clear-groups"
"""Not as root, for whom SQLite sets the owner of its -wal, which gives a delegation back."""
EMAIL, PASSWORD = "ann@example.com", "a-long-enough-password"
PORTS = {mount: 8000 + number for number, mount in enumerate((*MOUNTS, "ext4"))}


class Instance:
    """A running app, whose database is in a folder of a mount. `job` is its process in the guest.

    After a `with` block it doesn't run any more and has left its port; an error in the block then tells its log.
    """

    def __init__(self, guest: Guest, mount: str, folder: str, *, sign_in: bool = False) -> None:
        """`sign_in`: for requests that come from another machine, as proxy.py makes them."""
        self.guest, self.port = guest, PORTS[mount]
        self._sign_in = f"ADMIN_EMAIL={EMAIL} ADMIN_PASSWORD={PASSWORD}" if sign_in else "AUTH_DISABLED=true"
        # NFS 4.1 and NFS 3 are one folder of the server, and so are the two kinds of SMB.
        self.database = f"/mnt/{mount}/{folder}-{mount}/task_manager.db"
        self.job = self.start()

    def start(self) -> Job:
        """Starts it (again); `wait_until_ready` says when it answers."""
        settings = f"APP_ENV=production {self._sign_in} DATABASE_PATH={self.database}"
        serve = f"{AS_IN_A_CONTAINER} env {settings} python3 -m app serve --port {self.port}"
        folder = f"$(dirname {self.database})"
        self.job = self.guest.begin(f"mkdir -p {folder} && chown 1000:1000 {folder} && exec {serve}")
        return self.job

    def ask(self, path: str, status: int = 200, seconds: float = READY_SECONDS) -> str:
        """The body of the first answer with that status. Raises GuestFailed if there is none in time."""
        command = f"python3 /src/tests/mounts/ask.py {self.port} {path} {status} {seconds}"
        answer = self.guest.run(command, seconds + 60)
        if self.job.ended:
            raise GuestFailed(f"{self.guest.name}: another process answers on port {self.port}")
        return answer

    def wait_until_ready(self) -> dict[str, Any]:
        """Until it can write; what it says of itself."""
        return json.loads(self.ask("/readyz"))

    def health(self) -> dict[str, Any]:
        return json.loads(self.ask("/healthz"))

    def stop(self) -> int:
        """As a platform does: SIGTERM, and its exit code."""
        self.job.tell(SIGTERM)
        return self.job.wait()

    def __enter__(self) -> "Instance":
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error:
            error.add_note(f"{self.guest.name}, {self.database}:\n{self.events}")
        self.job.kill()

    @property
    def events(self) -> str:
        """Its log without the requests."""
        return "\n".join(line for line in self.job.output.splitlines() if '"status"' not in line)

    def said(self, what: str) -> float:
        """When its log last said that, in seconds since 1970. Raises LookupError if it never did."""
        for line in reversed(self.job.output.splitlines()):
            if what in line:
                return datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()
        raise LookupError(f"{what!r} is not in the log of {self.guest.name}:\n{self.events}")


def held(instance: Instance) -> dict[str, Any]:
    """What records.py finds in the database of an instance that has ended: "titles" and "integrity"."""
    return json.loads(instance.guest.run(f"python3 /src/tests/mounts/records.py {instance.database}", 300))


@dataclass
class Load:
    """load.py in the guest of an instance. Its file of acknowledgements can be read here while it runs."""

    job: Job
    file: str

    @classmethod
    def on(cls, guest: Guest, port: int, seconds: float = 3600, *, sync: bool = False, **options: float) -> "Load":
        name = f"{uuid4().hex}.acknowledged"
        wanted = " ".join(
            [*(f"--{option} {value}" for option, value in options.items()), *(["--sync"] if sync else [])]
        )
        command = f"exec python3 /src/tests/mounts/load.py {port} /host/{name} --seconds {seconds} {wanted}"
        return cls(guest.begin(command), name)

    def acknowledged(self) -> list[tuple[float, str]]:
        """When (seconds since 1970) and which title, until now."""
        file = self.job.guest.folder / self.file
        # Up to the last newline: the next line may be half written.
        lines = file.read_text().rpartition("\n")[0].splitlines() if file.exists() else []
        return [(float(when), title) for when, title in map(str.split, lines)]

    def summary(self, seconds: float = 120) -> dict[str, Any]:
        """What load.py prints at its end, which must come within `seconds`."""
        assert self.job.wait(seconds) == 0, self.job.output
        return json.loads(self.job.output.splitlines()[-1])

    def stop(self) -> dict[str, Any]:
        self.job.tell(SIGTERM)
        return self.summary()
