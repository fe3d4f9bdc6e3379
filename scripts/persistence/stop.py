"""What ends a proof before it is whole, in words for a person, with a code for programs."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

FAILED, USAGE, UNPROVEN, NOT_TRIED, INTERRUPTED = 1, 2, 3, 4, 130

EXIT_CODES = {
    0: "proven: all that was written is there, and a backup holds it",
    FAILED: "not persistent, something was lost, or is not to be seen any more; the message says what",
    USAGE: "wrong usage",
    UNPROVEN: "the rows came through, but not all else could be tried; the message says what",
    NOT_TRIED: "it could not begin: no engine, no answer, no token",
    INTERRUPTED: "interrupted; what was made for the proof is gone",
}


class Stop(Exception):
    """`code` names the reason in the receipt, `message` says what happened and to which value, `hint` what to type."""

    exit_code = FAILED

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message, "hint": self.hint}


class Failed(Stop):
    """The promise is not kept."""


class Unproven(Stop):
    """Nothing was found missing, and something could not be tried."""

    exit_code = UNPROVEN


class NotTried(Stop):
    """The proof could not begin."""

    exit_code = NOT_TRIED


class Misused(NotTried):
    """What was typed can't be meant."""

    exit_code = USAGE


SIGNALS = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))


@contextmanager
def undisturbed() -> Iterator[None]:
    """What clears up goes on to its end, whatever is pressed meanwhile: half of it would be left, and nobody told."""
    before = {number: signal.signal(number, _go_on) for number in set(SIGNALS)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _go_on(_number: int, _frame: object) -> None:
    """And no SIG_IGN, which the commands that clear up would inherit."""


@contextmanager
def in_doubt_failed() -> Iterator[None]:
    """From the canary on nothing is "not tried": what can't be looked at may be lost. Raises Failed instead."""
    try:
        yield
    except NotTried as stop:
        raise Failed(stop.code, stop.message, stop.hint) from None
    except OSError as error:
        raise Failed("no_answer", f"It does not answer any more: {error}", "Its log says why.") from None
