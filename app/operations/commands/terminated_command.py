"""SIGTERM ends a command as Ctrl-C does: what it began is cleared away, as after any error."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click


class Terminated(SystemExit):
    """No Problem: nobody who carries on after one may carry on after this."""


@contextmanager
def ends_by_sigterm() -> Iterator[None]:
    """Exits with 143, as a shell says of who was ended by SIGTERM. A second one does not break off what is cleared."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    except Terminated:
        click.echo("task-assist: It was ended from outside (SIGTERM) before it was done.", err=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise Terminated(128 + number)
