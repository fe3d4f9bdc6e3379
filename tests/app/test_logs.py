"""What the log shows of what somebody else wrote."""

import logging
import sys

import pytest
import structlog

from app import logs
from app.logs import visible


@pytest.fixture
def terminal(monkeypatch, capsys):
    """The log as on a terminal; as it was before, afterwards."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    root.handlers = []
    logs.init("info")
    yield structlog.get_logger("test")
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


def test_a_terminal_obeys_nothing_that_a_client_wrote(terminal, capsys):
    terminal.info("GET /\x1b]0;owned\x07\x9b2J", address="1\x1b[2J")
    terminal.error("An unexpected error.", exc_info=ValueError("\x1b[2J"))
    said = capsys.readouterr().err
    assert "\\x1b]0;owned\\x07\\x9b2J" in said
    assert "ValueError: \\x1b[2J" in said
    assert "1\\x1b[2J" in said


def test_a_path_stays_in_one_line():
    assert visible("/a\r\n2026-01-01 [error] no such thing\u2028") == "/a\\r\\n2026-01-01 [error] no such thing\\u2028"
    assert visible("/work-items/1?ö") == "/work-items/1?ö"
