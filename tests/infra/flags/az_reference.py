"""Run by the Python that has azure-cli: prints as JSON the flags of the az commands that its arguments begin with."""

import json
import sys

from azure.cli.core import __version__, get_default_cli

# Of every command: learn.microsoft.com/cli/azure/reference-index, Global Parameters.
EVERYWHERE = "--debug --help -h --only-show-errors --output -o --query --subscription --verbose".split()


def main(typed: list[str]) -> None:
    cli = get_default_cli()
    cli.invocation = cli.invocation_cls(
        cli_ctx=cli, parser_cls=cli.parser_cls, commands_loader_cls=cli.commands_loader_cls, help_cls=cli.help_cls
    )
    loader = cli.invocation.commands_loader
    commands: dict[str, list[str]] = {}
    for line in typed:
        words = line.split()[1:]
        table = loader.load_command_table(words)
        names = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
        for name in [name for name in names if name in table][:1]:
            # What it loads of the arguments goes by the command that is being typed.
            cli.invocation.data["command_string"] = name
            loader.load_arguments(name)
            commands[f"az {name}"] = sorted({*EVERYWHERE, *options(table[name])})
    sys.stdout.write("\n" + json.dumps({"commands": commands, "source": f"azure-cli {__version__}"}) + "\n")


def options(command) -> list[str]:
    lists = [
        argument.type.settings.get("options_list") or () for key, argument in command.arguments.items() if key != "cmd"
    ]
    return [getattr(option, "target", option) for options in lists for option in options if option is not None]


main(sys.argv[1:])
