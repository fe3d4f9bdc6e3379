"""The log: one JSON object a line in a container, readable lines on a terminal. On stderr, so that stdout is data."""

import logging
import os
import select
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict

READ_WITHIN = 2.0
"""Seconds that a line waits for who reads the log."""
PIECE = 1024
"""Characters of 4 bytes at most: a pipe is writable while it has room for 4 KB (pipe(7))."""


class _Unhindered(logging.StreamHandler):
    """Leaves out what nobody takes: a request that waited for that would keep the database from being released."""

    _left_out, _is_cut_off = 0, False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._left_out and self._write(self._missing(), within=0):
                self._left_out = 0
            if self._left_out or not self._write(record, within=READ_WITHIN):
                self._left_out += 1
        except Exception:
            self.handleError(record)

    def _missing(self) -> logging.LogRecord:
        text = f"{self._left_out} line{'s are' if self._left_out > 1 else ' is'} missing here: nobody read the log."
        return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None)

    def _write(self, record: logging.LogRecord, within: float) -> bool:
        """False where it was left out, or cut off: one that is longer than a pipe has room for, as a traceback is."""
        before = self.terminator if self._is_cut_off else ""
        text, until = f"{before}{self.format(record)}{self.terminator}", time.monotonic() + within
        for at in range(0, len(text), PIECE):
            if not self._is_read(within=max(0.0, until - time.monotonic())):
                self._is_cut_off = self._is_cut_off or at > 0
                return False
            self.stream.write(text[at : at + PIECE])
            self.flush()
        self._is_cut_off = False
        return True

    def _is_read(self, within: float) -> bool:
        try:
            asked = select.poll()
            asked.register(self.stream, select.POLLOUT)
            return bool(asked.poll(within * 1000))
        except (OSError, TypeError, ValueError):  # it is no file of the system's
            return True


def init(level: str) -> None:
    """Sends structlog's and the standard library's messages to the same place in the same shape."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison]  # it was closed before the start
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    if sys.stderr.isatty():
        # Plain: the pretty tracebacks print local variables, passwords among them.
        last = [_for_terminal, structlog.dev.ConsoleRenderer(exception_formatter=_traceback)]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        # What the level leaves out is not put together first: each request has such a line.
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        cache_logger_on_first_use=True,
    )
    handler = _Unhindered()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last], foreign_pre_chain=shared
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("alembic", "_granian", "granian"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def visible(text: str, keep: str = "") -> str:
    """In one line, with an escape for each character that a terminal would obey and that is not in `keep`."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in keep else each.encode("unicode_escape").decode("ascii") for each in text
    )


def _for_terminal(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """JSON escapes them by itself. Our own messages have lines."""
    return {name: visible(value, "\n\t") if isinstance(value, str) else value for name, value in event.items()}


def _traceback(out: TextIO, exc_info: Any) -> None:
    """With the error's own words, which may be somebody's input."""
    written = StringIO()
    structlog.dev.plain_traceback(written, exc_info)
    out.write(visible(written.getvalue(), "\n\t"))
