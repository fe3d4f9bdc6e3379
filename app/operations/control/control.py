"""The running app's Unix socket: what commands on the same machine ask of it, since only it may open the database.

One request, a line of JSON, per connection; progress and the answer come back as lines of JSON. The socket is for the
app's own user alone and never on the database's mount, where it would not work and others could find it.
"""

import hashlib
import json
import os
import shlex
import socket
import socketserver
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

import structlog

from app.errors import CannotStart, Problem, Replaced
from app.storage.files import Progress
from app.storage.mounts import Storage
from app.storage.owner import owner_model

MAX_REQUEST = 1 << 16
Command = Callable[..., dict[str, Any]]
"""Called with what was asked, as keywords, and `progress`; gives what can be JSON. Raises Problem."""

BROKEN_OFF = {
    "code": "broken_off",
    "message": "The running app ended, or broke off, before it had answered.",
    "hint": "Its log says why. Then run this again.",
    "exit_code": 1,
}
SECONDS = 60.0
"""Without a word of a running app, after which it counts as one that hangs."""
SECONDS_OF_CHECK = 3600.0
"""While it looks through the whole database, of which there is no progress."""

log = structlog.get_logger()


def _silent(seconds: float) -> dict[str, Any]:
    return {
        "code": "no_answer",
        "message": f"The running app did not answer within {seconds:.0f} s.",
        "hint": "It hangs, or has too much to do: its log may say why. To start it anew:  docker compose restart app",
        "exit_code": 1,
    }


class AppRefused(Problem):
    """What the running app said it could not do, with its code and exit code."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"], error["hint"])
        self.code, self.exit_code = error["code"], error["exit_code"]


# --- in the app -------------------------------------------------------------------------------------------


class Control:
    """Answers on the socket from now until `close()`."""

    def __init__(self, storage: Storage, commands: dict[str, Command]) -> None:
        folder = _folder(os.getuid())
        folder.mkdir(mode=0o700, exist_ok=True)
        _refuse_foreign_folder(folder)
        self._file = folder / f"{_name(storage)}-{os.getpid()}.sock"
        self._file.unlink(missing_ok=True)
        self._server = _Server(str(self._file), commands)
        self._file.chmod(0o600)
        answering = partial(self._server.serve_forever, poll_interval=0.1)
        threading.Thread(target=answering, name="control", daemon=True).start()

    def close(self) -> None:
        self._file.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: str, commands: dict[str, Command]) -> None:
        self.commands = commands
        super().__init__(address, _Conversation)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        if isinstance(sys.exception(), ConnectionError):
            log.info("A command on the control socket went away.")
        else:
            log.error("A command on the control socket could not be understood.", exc_info=True)


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        asked = json.loads(self.rfile.readline(MAX_REQUEST))
        command = cast(_Server, self.server).commands[asked.pop("command")]
        try:
            said = {"answer": command(**asked, progress=self._progress)}
        except Problem as problem:
            said = {"error": {**problem.as_dict(), "exit_code": problem.exit_code}}
        except ConnectionError:
            raise  # the command was interrupted
        except Exception as error:
            log.error("A command could not be answered.", exc_info=error)
            said = {"error": BROKEN_OFF}
        self._say(said)

    def _progress(self, done: int, total: int) -> None:
        self._say({"progress": [done, total]})

    def _say(self, what: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(what).encode() + b"\n")
        self.wfile.flush()


# --- in a command -----------------------------------------------------------------------------------------


def ask(
    storage: Storage, command: str, *, progress: Progress | None = None, seconds: float = SECONDS, **what: Any
) -> dict[str, Any] | None:
    """The answer of the app that runs on this machine and has the database; None where none does.

    Raises AppRefused with what the app could not do, and where it says nothing for so many `seconds`.
    """
    for file in _sockets(storage):
        with closing(socket.socket(socket.AF_UNIX)) as connection:
            try:
                _connect(connection, file, seconds)
                said = _answer(connection, {"command": command, **what}, progress)
            except (ConnectionRefusedError, FileNotFoundError):
                _remove_left(file)
                continue
            except TimeoutError:
                raise AppRefused(_silent(seconds)) from None
        if "answer" in said:
            return said["answer"]
        if said["error"]["code"] != "standby":
            raise AppRefused(said["error"])
    return None


def _connect(connection: socket.socket, file: Path, seconds: float) -> None:
    """Raises TimeoutError, as all does that is done with it afterwards."""
    connection.settimeout(seconds)
    until = time.monotonic() + seconds
    while True:
        try:
            return connection.connect(str(file))
        except BlockingIOError:  # so many wait there that no more can
            if time.monotonic() > until:
                raise TimeoutError from None
            time.sleep(0.05)


def refuse_replaced(storage: Storage) -> None:
    """Raises AppRefused where the app's file is not the one that this command would open by the same name."""
    found = ask(storage, "condition")
    if found and found["code"] == Replaced.code:
        raise AppRefused({**found, "exit_code": 1})


def _sockets(storage: Storage) -> list[Path]:
    """Root finds those of the database's user, too: docker exec -u 0 is typed beside the app."""
    try:
        folders = [_folder(os.getuid())]
    except FileNotFoundError:
        return []  # there is no folder for temporary files that the app could have put one into
    _refuse_foreign_folder(folders[0])
    with suppress(FileNotFoundError):  # the database's folder is gone, or its user has made no socket
        if os.getuid() == 0 and _is_private(theirs := _folder(user := owner_model(storage.path).stat().st_uid), user):
            folders.append(theirs)
    return sorted(file for folder in dict.fromkeys(folders) for file in folder.glob(f"{_name(storage)}-*.sock"))


def _remove_left(file: Path) -> None:
    """The socket of a killed app. One that is just being made refuses connections too, until it listens."""
    try:
        os.kill(int(file.stem.rpartition("-")[2]), 0)
    except ProcessLookupError:
        file.unlink(missing_ok=True)
    except PermissionError:
        return  # another user's process has the number now


def _answer(connection: socket.socket, asked: dict[str, Any], progress: Progress | None) -> dict[str, Any]:
    with suppress(ConnectionError):  # it ended without reading what it was asked
        connection.sendall(json.dumps(asked).encode() + b"\n")
        for said in _lines(connection):
            if "progress" not in said:
                return said
            if progress:
                progress(*said["progress"])
    return {"error": BROKEN_OFF}


def _lines(connection: socket.socket) -> Iterator[dict[str, Any]]:
    with connection.makefile("rb") as answers:
        for line in answers:
            yield json.loads(line)


# --- where it is ------------------------------------------------------------------------------------------


def _folder(user: int) -> Path:
    return Path(tempfile.gettempdir(), f"task-assist-{user}")


def _name(storage: Storage) -> str:
    return hashlib.sha256(bytes(storage.path)).hexdigest()[:16]


def _is_private(folder: Path, user: int) -> bool:
    """In a folder for all, another user may have made it first, to listen in or to answer in the app's place."""
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == user and not status.st_mode & 0o077


def _refuse_foreign_folder(folder: Path) -> None:
    with suppress(FileNotFoundError):
        if _is_private(folder, os.getuid()):
            return
        status = folder.lstat()
        raise CannotStart(
            f"{folder}, where the running app is asked, belongs to user {status.st_uid} and has mode "
            f"{status.st_mode & 0o777:03o}: somebody else may answer there.",
            "See who made it; then take it away, and start the app again:  "
            f"sudo {shlex.join(('rm', '-r', str(folder)))}",
        )
