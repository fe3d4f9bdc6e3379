"""The last of a guest's start, as its process 1: runs the commands that the outside leaves as files in a folder.

`NAME.sh` is a command; NAME.pid, NAME.out and, when it has ended, NAME.status are the answer. It looks often, so that
a test can measure seconds, and reaps what nobody waits for: a killed process must not look alive.
"""

import os
import sys
import time
from pathlib import Path

SECONDS_BETWEEN_LOOKS = 0.02


def write_whole(file: Path, text: str) -> None:
    """Under its name only when it is complete."""
    making = file.with_suffix(".making")
    making.write_text(text)
    making.rename(file)


def begin(script: Path) -> int:
    """Starts it in a session of its own, so that it can be killed with all that it started; returns the process id."""
    out = str(script.with_suffix(".out"))
    files = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    command = ["bash", "-c", script.read_text()]
    return os.posix_spawn("/bin/bash", command, os.environ, file_actions=files, setsid=True)


def ended() -> dict[int, int]:
    """Exit codes by process id, negative for a signal, of all that have ended since the last time."""
    codes = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return codes
        if pid == 0:
            return codes
        codes[pid] = os.waitstatus_to_exitcode(status)


def main(folder: Path) -> None:
    running: dict[int, Path] = {}
    while True:
        for script in folder.glob("*.sh"):
            pid = begin(script)
            running[pid] = script
            write_whole(script.with_suffix(".pid"), str(pid))
            script.unlink()
        for pid, code in ended().items():
            if script := running.pop(pid, None):
                write_whole(script.with_suffix(".status"), str(code))
        time.sleep(SECONDS_BETWEEN_LOOKS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
