"""How the commands speak: lines and tables for a person, one JSON object for a program, progress on stderr."""

import importlib.util
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from .stop import NOT_CONFIRMED, Stop

WIDTH = 80
NARROWEST = 12
"""Characters that a table's first column keeps."""
Advance = Callable[[str, int, int], None]
"""Called with what is being done, the bytes done and the bytes in all."""


def unseen(_doing: str, _done: int, _total: int) -> None:
    """The Advance of what takes no time, or nobody watches."""


class Speaker:
    def __init__(self, *, as_json: bool = False, quiet: bool = False, yes: bool = False) -> None:
        self._as_json = as_json
        self._silent = as_json or quiet
        self._yes = yes

    def say(self, line: str = "") -> None:
        """A line for a person."""
        if not self._silent:
            _print("\n".join(map(printable, line.split("\n"))))

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Aligned columns of 80 characters in all: a long first cell gets a line for itself, a long last one is cut."""
        shown = [[printable(cell) for cell in row] for row in rows]
        widths = [max(map(_width, column)) for column in zip(*shown, strict=True)]
        widths[0] = min(widths[0], max(WIDTH - sum(widths[1:]) - 2 * len(widths[1:]), NARROWEST))
        for first, *others in shown:
            alone = _width(first) > widths[0]
            if alone:
                self.say(first)
            cells = ["" if alone else first, *others]
            self.say(_cut("  ".join(map(_padded, cells, widths)).rstrip()))

    def facts(self, names_and_values: dict[str, str]) -> None:
        """One fact a line, its name in front; long values go on beneath themselves."""
        import textwrap

        margin = max(map(len, names_and_values)) + 2
        for name, value in names_and_values.items():
            lines = textwrap.wrap(value, WIDTH - margin, break_on_hyphens=False, break_long_words=False) or [""]
            for number, line in enumerate(lines):
                self.say(("" if number else name).ljust(margin) + line)

    def answer(self, result: dict[str, Any]) -> None:
        """The whole result for a program."""
        if self._as_json:
            _print(json.dumps(result, indent=2))

    def stop(self, stop: Stop) -> int:
        """Says why a command ended; gives its exit code."""
        if self._as_json:
            error = {"message": stop.message, "hint": stop.hint, "exit_code": stop.code}
            with suppress(OSError):  # No room for it: the exit code is all that is left to say.
                _print(json.dumps({"error": error}, indent=2))
        else:
            for line in f"{stop.message}\n{stop.hint}".rstrip("\n").split("\n"):
                print(printable(line), file=sys.stderr)
        return stop.code

    def confirm(self, question: str, otherwise: str) -> None:
        """Goes on after a yes; raises Stop with `otherwise`, which says what is true now, after anything else."""
        self._ask(question, "[y/N]", ("y", "yes"), otherwise)

    def confirm_by_name(self, question: str, name: str, otherwise: str) -> None:
        """Goes on when `name` is typed."""
        self._ask(question, f"Type its name, {name}:", (name,), otherwise)

    def _ask(self, question: str, how: str, accepted: tuple[str, ...], otherwise: str) -> None:
        if self._yes:
            return
        if not sys.stdin.isatty():
            raise Stop(
                f"{question} This needs a yes, and there is no terminal to ask on.",
                f"{otherwise} To say yes:  --yes",
                NOT_CONFIRMED,
            )
        print(printable(f"{question} {how} "), end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline().strip()
        if answer not in accepted and answer.lower() not in accepted:
            raise Stop("Not confirmed.", otherwise, NOT_CONFIRMED)

    @contextmanager
    def progress(self) -> Iterator[Advance]:
        """Bars with bytes, rate and time left, on a terminal only, and where `rich` is installed."""
        if self._silent or not sys.stderr.isatty() or not importlib.util.find_spec("rich"):
            yield unseen
            return
        # Imported here: nobody else has to wait for it.
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (
            TextColumn("{task.description:<9}"),
            BarColumn(20),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bars:
            tasks: dict[str, Any] = {}

            def advance(doing: str, done: int, total: int) -> None:
                if doing not in tasks:
                    tasks[doing] = bars.add_task(doing, total=total)
                bars.update(tasks[doing], completed=done, total=total)

            yield advance


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError as error:
        # What could not be written is still there, and would fail again at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Whoever reads has seen enough, as in `| head -1`: the command goes on to its end.
        if not isinstance(error, BrokenPipeError):
            raise


def printable(text: str) -> str:
    """The text on one line: what would move the cursor, or is no text at all, is shown escaped. Names may hold it."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _width(text: str) -> int:
    """The columns that the text takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char) for char in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _cut(line: str) -> str:
    if _width(line) <= WIDTH:
        return line
    while _width(line) >= WIDTH:
        line = line[:-1]
    return line + "…"


def size(count: int) -> str:
    """1,234,567 bytes as "1.2 MB"."""
    value, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{count} bytes" if unit == "bytes" else f"{value:.1f} {unit}"


def in_short(rows: dict[str, int]) -> str:
    """What a database holds, as people count it."""
    return f"{_count(rows.get('tasks', 0), 'task')} in {_count(rows.get('work_items', 0), 'item')}"


def all_rows(rows: dict[str, int]) -> str:
    return ", ".join(f"{table} {count:,}" for table, count in rows.items())


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
