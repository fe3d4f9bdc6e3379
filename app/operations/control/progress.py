"""How far a copy is, on stderr."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from app.storage.files import Progress

SECONDS_BETWEEN = 0.2


@contextmanager
def shown(label: str, *, lines: bool) -> Iterator[Progress | None]:
    """A function for (bytes done, bytes in all): a bar on a terminal, with `lines` JSON for a program, else None."""
    if lines:
        yield _lines(label)
    elif sys.stderr.isatty():
        with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

            def advance(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            yield advance
    else:
        yield None


def _lines(label: str) -> Progress:
    said = 0.0

    def say(done: int, total: int) -> None:
        nonlocal said
        if done >= total or time.monotonic() - said > SECONDS_BETWEEN:
            said = time.monotonic()
            click.echo(json.dumps({"doing": label, "done": done, "total": total}), err=True)

    return say
