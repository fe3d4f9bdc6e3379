"""For the benchmarks: a program that serves on a port of its own, and connections that ask it again and again.

usage, by the benchmarks themselves: python3 benchmarks/served.py PORT REQUEST CONNECTIONS SECONDS PAUSE
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv/bin/python"
OURS = "from app.cli import main; main()"
"""What the command task-assist does."""


AS_IN_IMAGE = "import sys; sys.modules.update(dict.fromkeys(('rich', 'pygments', 'watchfiles')))\n"
"""What comes with the tools for development alone is not found: libraries import it where they find it, and then both
processes are larger, and start later, than in the image."""


def free_port() -> int:
    """Servers share a port without a word, so no two may meet on one."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Served:
    """The program as a process in a folder of its own, from when it answers until the block ends.

    `code` is Python, called with `serve --port PORT`. `started` is the seconds from its start to its first answer.
    """

    def __init__(self, code: str, **environment: str) -> None:
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory()
        given = {
            "DATABASE_PATH": str(Path(self._folder.name) / "a.db"),
            "AUTH_DISABLED": "true",
            "LOG_LEVEL": "warning",
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        command = [str(PYTHON), "-c", AS_IN_IMAGE + code, "serve", "--port", str(self.port)]
        self._began = time.monotonic()
        self._process = subprocess.Popen(command, env={**os.environ, **given}, cwd=ROOT, start_new_session=True)

    def __enter__(self) -> "Served":
        while time.monotonic() < self._began + 60:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5)
            except urllib.error.HTTPError:
                pass
            except OSError:
                time.sleep(0.005)
                continue
            self.started = time.monotonic() - self._began
            return self
        sys.exit("It does not answer after 60 s.")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its worker too, which may wait for half a body for ever
        self._process.wait()
        self._folder.cleanup()

    def cpu_seconds(self) -> float:
        """Of the processor, by all its processes until now."""
        stats = [Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split() for number in self._processes()]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")

    def cpu_seconds_of_threads(self) -> float:
        """The same to the nanosecond, but only of the threads that run now: for a single request."""
        stats = [file for number in self._processes() for file in Path(f"/proc/{number}/task").glob("*/schedstat")]
        return sum(int(file.read_text().split()[0]) for file in stats) / 1e9

    def megabytes(self) -> float:
        """Memory of all its processes; a page that n of them share counts 1/n for each (PSS)."""
        lines = [Path(f"/proc/{number}/smaps_rollup").read_text().splitlines() for number in self._processes()]
        kilobytes = [int(line.split()[1]) for each in lines for line in each if line.startswith("Pss:")]
        return sum(kilobytes) * 1024 / 1e6

    def _processes(self) -> list[int]:
        own = self._process.pid
        return [own, *map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split())]


class Load:
    """Connections that send the request again and again for some seconds, in a process of their own."""

    def __init__(self, served: Served, request: str, connections: int, seconds: float, pause: float = 0) -> None:
        given = [str(served.port), request, str(connections), str(seconds), str(pause)]
        self._process = subprocess.Popen([sys.executable, __file__, *given], stdout=subprocess.PIPE, text=True)

    def done(self) -> dict[str, Any]:
        """`requests` and, of them, `refused`, by a status of 400 or more or by none; `p50` and `p99` in seconds."""
        return json.loads(self._process.communicate()[0])


async def _ask_until(
    port: int, request: bytes, until: float, pause: float, seconds: list[float], statuses: list[int]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < until:
        began = time.monotonic()
        writer.write(request)
        try:
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).lower()
            length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length:")), b":0")
            await reader.readexactly(int(length.partition(b":")[2]))
            statuses.append(int(head[9:12]))
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            statuses.append(0)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        seconds.append(time.monotonic() - began)
        await asyncio.sleep(pause)
    writer.close()


async def _load(port: int, request: bytes, connections: int, seconds: float, pause: float) -> dict[str, Any]:
    taken: list[float] = []
    statuses: list[int] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(_ask_until(port, request, until, pause, taken, statuses) for _ in range(connections)))
    taken.sort()
    return {
        "requests": len(taken),
        "p50": taken[len(taken) // 2],
        "p99": taken[-1 - len(taken) // 100],
        "refused": sum(not 200 <= status < 400 for status in statuses),
    }


if __name__ == "__main__":
    port, request, connections, *numbers = sys.argv[1:]
    print(json.dumps(asyncio.run(_load(int(port), request.encode(), int(connections), *map(float, numbers)))))
