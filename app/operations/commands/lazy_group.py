"""A group of commands of which only the one that is typed is loaded (click.palletsprojects.com, "Lazily Loading
Subcommands")."""

from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """`modules`: beside this file, by the name of each command. The command is called as it, with `_` for `-`."""

    def __init__(self, *given: Any, modules: dict[str, str], **more: Any) -> None:
        super().__init__(*given, **more)
        self._modules = dict(modules)
        # Their names are known, for --help and for what is mistyped.
        self.commands.update(dict.fromkeys(modules))  # pyright: ignore[reportArgumentType, reportCallIssue]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if module := self._modules.pop(cmd_name, None):
            loaded = import_module(f"app.operations.commands.{module}")
            self.commands[cmd_name] = getattr(loaded, cmd_name.replace("-", "_"))
        return super().get_command(ctx, cmd_name)
