"""The `task-assist` command. Its commands import what they need when they run, so that --help is quick."""

import os
import sys

import click

from app.operations.commands import (
    app_commands,
    backup_commands,
    import_command,
    key_commands,
    proof_commands,
    restore_commands,
    store_commands,
    undo_commands,
)
from app.version import __version__


class TaskAssist(click.Group):
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


@click.group(cls=TaskAssist)
@click.version_option(__version__, message="Task Assist %(version)s")
def main() -> None:
    """Task Assist: work items and their tasks, in a database that survives."""


for command in (
    *app_commands.COMMANDS,
    *backup_commands.COMMANDS,
    *restore_commands.COMMANDS,
    *undo_commands.COMMANDS,
    *import_command.COMMANDS,
    *store_commands.COMMANDS,
):
    main.add_command(command)
for command in (*proof_commands.COMMANDS, *key_commands.COMMANDS):
    store_commands.backup.add_command(command)
