"""How the commands speak: lines and tables for a person, one JSON object for a program, progress on stderr."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .stop import NOT_CONFIRMED, Stop

WIDTH = 80
Advance = Callable[[str, int, int], None]
"""Called with what is being done, the bytes done and the bytes in all."""


class Speaker:
    def __init__(self, *, as_json: bool = False, quiet: bool = False, yes: bool = False) -> None:
        self._as_json = as_json
        self._silent = as_json or quiet
        self._yes = yes

    def say(self, line: str = "") -> None:
        """A line for a person."""
        if not self._silent:
            print(line, flush=True)

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Aligned columns; the last one is cut where it would pass 80 characters."""
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            self.say(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…")

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
            print(json.dumps(result, indent=2))

    def stop(self, stop: Stop) -> int:
        """Says why a command ended; gives its exit code."""
        if self._as_json:
            print(json.dumps({"error": {"message": stop.message, "hint": stop.hint, "exit_code": stop.code}}, indent=2))
        else:
            print(stop.message, *([stop.hint] if stop.hint else []), sep="\n", file=sys.stderr)
        return stop.code

    def confirm(self, question: str, otherwise: str) -> None:
        """Goes on after a yes; raises Stop with `otherwise`, which says what is true now, after anything else."""
        self._ask(f"{question} [y/N] ", ("y", "yes"), otherwise)

    def confirm_by_name(self, question: str, name: str, otherwise: str) -> None:
        """Goes on when `name` is typed."""
        self._ask(f"{question} Type its name, {name}: ", (name,), otherwise)

    def _ask(self, prompt: str, accepted: tuple[str, ...], otherwise: str) -> None:
        if self._yes:
            return
        if not sys.stdin.isatty():
            raise Stop(
                "This needs a yes, and there is no terminal to ask on.",
                f"{otherwise} To say yes:  --yes",
                NOT_CONFIRMED,
            )
        print(prompt, end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline().strip()
        if answer not in accepted and answer.lower() not in accepted:
            raise Stop("Not confirmed.", otherwise, NOT_CONFIRMED)

    @contextmanager
    def progress(self) -> Iterator[Advance]:
        """Bars with bytes, rate and time left, on a terminal only."""
        if self._silent or not sys.stderr.isatty():
            yield lambda _doing, _done, _total: None
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
