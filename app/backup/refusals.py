"""Why a file is not taken for a good backup. Each kind has its exit code, the same in every command."""

from app.errors import Problem


class Refused(Problem):
    """The file can't be restored; nothing was changed."""

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


class Held(Refused):
    """Another process has the database for itself."""

    code, exit_code = "in_use", 9


UNPROVEN = 3
"""Exit code of `verify` for a sound file without a manifest."""
