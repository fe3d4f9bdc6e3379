"""What the log shows of what somebody else wrote."""

import fcntl
import logging
import os
import sys
from io import StringIO

import structlog

from app import logs
from app.logs import visible


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_obeys_nothing_that_a_client_wrote(monkeypatch):
    before, root = structlog.get_config(), logging.getLogger()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", terminal := Terminal())
        patched.setattr(root, "handlers", [])
        patched.setattr(root, "level", root.level)
        logs.init("info")
        structlog.get_logger("test").info("GET /\x1b]0;owned\x07\x9b2J", address="1\x1b[2J")
        structlog.get_logger("test").error("An unexpected error.", exc_info=ValueError("\x1b[2J"))
    structlog.configure(**before)
    said = terminal.getvalue()
    assert "\\x1b]0;owned\\x07\\x9b2J" in said
    assert "ValueError: \\x1b[2J" in said
    assert "1\\x1b[2J" in said


def test_a_path_stays_in_one_line():
    assert visible("/a\r\n2026-01-01 [error] no such thing\u2028") == "/a\\r\\n2026-01-01 [error] no such thing\\u2028"
    assert visible("/work-items/1?ö") == "/work-items/1?ö"


def test_a_log_that_nobody_reads_holds_nobody_up_and_says_later_what_is_missing(monkeypatch):
    monkeypatch.setattr(logs, "READ_WITHIN", 0.0)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # a line that is written all the same fails, instead of waiting for ever
    with os.fdopen(writing, "w") as pipe:
        handler = logs._Unhindered(pipe)
        for number in range(2000):  # a pipe takes 64 KB
            handler.emit(logging.makeLogRecord({"msg": f"{number} {'.' * 100}"}))
        assert len(os.read(reading, 1 << 20)) > 50_000
        handler.emit(logging.makeLogRecord({"msg": "the next one"}))
        missing, last = os.read(reading, 1 << 20).decode().splitlines()
    os.close(reading)
    assert last == "the next one"
    assert 1000 < int(missing.partition(" ")[0]) < 2000 and "nobody read the log" in missing


def test_a_long_line_that_nobody_reads_is_cut_off_instead_of_waiting(monkeypatch):
    """A pipe says that it is writable though it has room for a part of a traceback only."""
    monkeypatch.setattr(logs, "READ_WITHIN", 0.0)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # as above
    page = os.sysconf("SC_PAGE_SIZE")
    for _ in range(fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ) // page - 1):
        os.write(writing, b"." * page)
    with os.fdopen(writing, "w") as pipe:
        handler = logs._Unhindered(pipe)
        handler.emit(logging.makeLogRecord({"msg": "x" * 3 * page}))
        before = os.read(reading, 1 << 20)
        handler.emit(logging.makeLogRecord({"msg": "the next one"}))
        cut, missing, last = os.read(reading, 1 << 20).decode().splitlines()
    os.close(reading)
    assert before.endswith(b"xxx") and cut == ""
    assert missing == "1 line is missing here: nobody read the log."
    assert last == "the next one"
