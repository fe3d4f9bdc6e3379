"""The `task-assist` command. Its commands import what they need when they run, so that --help is quick."""

import os
import sys

import click

from app.operations.commands.lazy_group import LazyGroup
from app.version import __version__

MODULES = {
    **dict.fromkeys(("serve", "check", "healthcheck", "doctor", "reset-password"), "app_commands"),
    **dict.fromkeys(("snapshot", "verify", "facts"), "backup_commands"),
    **dict.fromkeys(("restore", "start-empty", "settle"), "restore_commands"),
    **dict.fromkeys(("undo", "undoes"), "undo_commands"),
    "import-db": "import_command",
    "backup": "store_commands",
}


class TaskAssist(LazyGroup):
    """Shows a problem in words, without a traceback, and exits with 1."""

    def invoke(self, ctx: click.Context):
        from app.errors import Problem, problem_of

        # Whatever a command writes may hold password hashes: for its owner alone.
        os.umask(0o077)
        try:
            return super().invoke(ctx)
        except (Problem, OSError) as error:
            problem = problem_of(error) if isinstance(error, OSError) else error
            click.echo(f"task-assist: {problem}", err=True)
            sys.exit(problem.exit_code)


@click.group(cls=TaskAssist, modules=MODULES)
@click.version_option(__version__, message="Task Assist %(version)s")
def main() -> None:
    """Task Assist: work items and their tasks, in a database that survives."""
