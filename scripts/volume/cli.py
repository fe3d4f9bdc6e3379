"""The command line: which command, on what, and how it ends."""

import importlib.util
import os
import re
import signal
import sys
import textwrap
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from . import backup, create, delete, inspect, listing, restore, undo
from .engine import DEFAULTS, Place, command, connect, told_in_words
from .speak import WIDTH, Speaker
from .stop import EXIT_CODES, INTERRUPTED, USAGE, Stop

COMMANDS: dict[str, ModuleType] = {
    "create": create,
    "inspect": inspect,
    "list": listing,
    "backup": backup,
    "restore": restore,
    "undo": undo,
    "delete": delete,
}
ROOT = Path(__file__).parents[2]
VOLUME_NAME = "[a-zA-Z0-9][a-zA-Z0-9_.-]{1,199}"
"""Docker's rule, and short enough for names made of it."""


def main(words: list[str]) -> int:
    """Runs one command; gives its exit code. No traceback reaches a person."""
    _open_what_was_closed()
    options = _parser().parse_args(words)
    speaker = Speaker(as_json=options.json, quiet=options.quiet, yes=options.yes)
    signal.signal(signal.SIGTERM, _interrupt)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        _refuse_odd_names(options)
        _use_the_projects_python(words)
        with closing(connect()) as client, told_in_words():
            place = Place(client, options.volume, options.file, options.image)
            speaker.answer(COMMANDS[options.command].run(place, options, speaker))
    except Stop as stop:
        return speaker.stop(stop)
    except KeyboardInterrupt:
        place = Place(None, options.volume, options.file, options.image)
        mend = f"What it left half done is mended by the next command, for example:  {command('inspect', place=place)}"
        return speaker.stop(Stop("Interrupted.", mend, INTERRUPTED))
    except Exception as error:
        if os.environ.get("TASK_ASSIST_TRACEBACK"):
            raise
        said = f"This is a fault of the script: {type(error).__name__}: {error}"
        return speaker.stop(Stop(said, "To see where, put in front of the command:  TASK_ASSIST_TRACEBACK=1"))
    return 0


def _open_what_was_closed() -> None:
    """Where stdin, stdout or stderr was closed before the start (`2>&-`) Python has None in its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115


def _parser() -> ArgumentParser:
    codes = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
    parser = ArgumentParser(
        prog="manage_db_volume.py",
        description="Looks after the Docker volume that holds Task Assist's database.",
        epilog=f"{_examples(('inspect', 'backup'))}\n\nexit codes:\n{codes}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        sub = subparsers.add_parser(
            name,
            help=module.HELP,
            description=textwrap.fill(module.HELP, WIDTH),
            epilog=_examples(module.EXAMPLES),
            formatter_class=RawDescriptionHelpFormatter,
        )
        module.arguments(sub)
        _common(sub)
    return parser


def _common(parser: ArgumentParser) -> None:
    for option, what in (("volume", "the volume"), ("file", "the database in it"), ("image", "the app's image")):
        default = DEFAULTS[option]
        parser.add_argument(f"--{option}", default=default, metavar="NAME", help=f"{what}; default: {default}")
    parser.add_argument("--yes", action="store_true", help="answer every question with yes")
    parser.add_argument("--quiet", action="store_true", help="say nothing but what goes wrong")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object, also for an error")


def _examples(examples: tuple[str, ...]) -> str:
    return "examples:\n" + "\n".join(f"  {command(*example.split())}" for example in examples)


def _refuse_odd_names(options: Namespace) -> None:
    file = Path(options.file)
    if not options.file or file.is_absolute() or ".." in file.parts:
        raise Stop(
            f"--file {options.file} is not the name of a file in the volume.",
            "For example:  --file task_manager.db",
            USAGE,
        )
    if not re.fullmatch(VOLUME_NAME, options.volume):
        raise Stop(
            f"--volume {options.volume} is not the name of a volume.",
            f"To see them:  {command('list', '--volumes')}",
            USAGE,
        )


def _use_the_projects_python(words: list[str]) -> None:
    """Starts anew with .venv's Python where this one has no Docker SDK and that one is there."""
    python = ROOT / ".venv/bin/python"
    if not importlib.util.find_spec("docker") and python.exists() and Path(sys.prefix) != ROOT / ".venv":
        os.execv(python, [str(python), str(ROOT / "scripts/manage_db_volume.py"), *words])  # noqa: S606


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
