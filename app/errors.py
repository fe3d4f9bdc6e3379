"""What can go wrong, in words for a person. Pages, the API and the command line all show these, and nothing else."""

import errno
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

DOCKERS_FOLDER = "Where -v names a file that is not on the host, Docker makes a folder of that name, there and here."
AS_ANOTHER = "Type it as the user whose that is: with docker exec or run  --user 1000  , elsewhere with  sudo -u USER"


class Problem(Exception):
    """Something a person can act on.

    `message` says what happened and to which value, `hint` what to do next, `fields` maps an input to what is wrong
    with it, `retry_after` is in seconds. `status` is that of HTTP, `exit_code` what a command ends with.
    """

    code = "invalid"
    status = 400
    exit_code = 1

    def __init__(
        self, message: str, hint: str = "", *, fields: dict[str, str] | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.fields = fields or {}
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class Invalid(Problem):
    code, status = "invalid", 422


class NotFound(Problem):
    code, status = "not_found", 404


class SignInNeeded(Problem):
    code, status = "sign_in_needed", 401


class Forbidden(Problem):
    code, status = "forbidden", 403


class Conflict(Problem):
    code, status = "conflict", 409


class TooMany(Problem):
    code, status = "too_many", 429


class Busy(Problem):
    code, status = "busy", 503


class Locked(Busy):
    """Another process has the lock of the file."""

    code = "locked"


class Ending(Problem):
    code, status = "ending", 503

    def __init__(self) -> None:
        super().__init__(
            "Task Assist is being stopped or replaced.", "Nothing was changed. Try again in a moment.", retry_after=2
        )


class CutOff(Problem):
    code, status = "cut_off", 400

    def __init__(self) -> None:
        super().__init__("The connection broke before all of it was here.", "Nothing was changed. Send it again.")


class TooSlow(Problem):
    code, status = "too_slow", 408

    def __init__(self) -> None:
        super().__init__("It took too long until all of it was here.", "Nothing was changed. Send it again.")


class TooLarge(Problem):
    code, status = "too_large", 413

    def __init__(self, limit: int, unit: str = "bytes") -> None:
        most = {1 << 20: "1 MB", 16 << 10: "16 KB"}.get(limit, f"{limit} {unit}")
        super().__init__(f"What you sent is larger than {most}, so it was not kept.", "Shorten it and send it again.")


class Unwell(Problem):
    """Something is wrong with the database or with what lies under it, and stays so until it is mended."""

    stops_writes = False
    """Would a write be lost by what mends it?"""


class StorageFull(Unwell):
    code, status = "storage_full", 507


class ReadOnly(Unwell):
    """The file system takes no writes."""

    code, status = "read_only", 503


class Damaged(Unwell):
    code, status, exit_code, stops_writes = "damaged", 500, 8, True


class Replaced(Unwell):
    """The database's name is not that of the file which this process has open."""

    code, status, stops_writes = "replaced", 503, True


class Emptied(Unwell):
    """The database held something and holds nothing now. It is not started as a new one."""

    code, status = "emptied", 503


class CannotStart(Problem):
    """The app refuses to start, or a command to run."""

    code, status = "cannot_start", 500


class Standby(Problem):
    """Another instance writes, or this one can't be sure that none does. Nothing was changed that was acknowledged."""

    code, status = "standby", 503


class Refused(Problem):
    """A file is not taken for a good backup; nothing was changed. `exit_code` is the same in every command."""

    code, status, exit_code = "refused", 422, 1


class Unreadable(Refused):
    """Missing, a folder, a loop of links, not allowed."""

    code, exit_code = "unreadable", 1


class Mismatch(Refused):
    """Not the file that its manifest was written for."""

    code, exit_code = "manifest_mismatch", 4


class NotSqlite(Refused):
    code, exit_code = "not_sqlite", 5


class Foreign(Refused):
    """An SQLite database, but not one of Task Assist."""

    code, exit_code = "other_app", 6


class Newer(Refused):
    """Its schema is of a newer Task Assist than this one."""

    code, exit_code = "newer_revision", 7


class Broken(Refused):
    """Damaged, cut short, or without the log that belongs to it."""

    code, exit_code = "damaged", 8


class StrangeLog(Broken, Unwell):
    """A -wal or -journal beside it is not its own."""

    code, status, exit_code = "strange_log", 503, 8


class Held(Refused):
    """Another process has the database for itself."""

    code, exit_code = "in_use", 9


def is_no_room(error: OSError) -> bool:
    """Also where a quota is used up, which statfs doesn't always show."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def problem_of(error: OSError) -> Problem:
    """What the operating system refused, in words."""
    where = f" at {error.filename}" if error.filename else ""
    if is_no_room(error):
        return StorageFull(f"There is no room left{where}.", "Free some space, or make it larger, and try again.")
    why = AS_ANOTHER if isinstance(error, PermissionError) else "The kernel's log may say why:  dmesg"
    return Unreadable(f"It was refused{where}: {error.strerror or error}.", why)


def invalid_input(error: ValidationError) -> Invalid:
    """The same fault, with a sentence for each of the first inputs: no answer is larger than what was asked."""
    fields = {".".join(map(str, fault["loc"]))[:100] or "body": sentence(fault) for fault in error.errors()[:20]}
    return Invalid("Some of the input can't be used.", "Nothing was changed.", fields=fields)


def sentence(fault: Mapping[str, Any]) -> str:
    """What is wrong with one input, from one of a ValidationError's errors()."""
    limits = fault.get("ctx", {})
    match fault["type"]:
        case "missing":
            return "This is needed."
        case "too_short" | "string_too_short":
            return "This can't be empty." if (least := limits["min_length"]) == 1 else f"At least {least} characters."
        case "too_long" | "string_too_long":
            return f"At most {limits['max_length']} characters."
        case "literal_error":
            return f"One of {limits['expected']}."
        case "string_type" | "string_unicode":
            return "A text."
        case "int_parsing" | "int_type":
            return "A whole number."
        case "bool_parsing" | "bool_type":
            return "true or false."
        case "greater_than_equal":
            return f"At least {limits['ge']}."
        case "less_than_equal":
            return f"At most {limits['le']}."
        case "value_error":
            return str(limits["error"])
        case "extra_forbidden":
            return "There is no such field."
        case _:
            return f"{fault['msg']}."
