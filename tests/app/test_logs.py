"""What the log shows of what somebody else wrote."""

import logging
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
