"""Run by the Python that has awscli: prints as JSON the flags of the aws commands that its arguments begin with."""

import json
import sys

from awscli import __version__
from awscli.clidriver import create_clidriver


def main(typed: list[str]) -> None:
    driver = create_clidriver()
    everywhere = [f"--{name}" for name in driver._get_argument_table()]
    commands: dict[str, list[str]] = {}
    for line in typed:
        below, name = driver._get_command_table(), "aws"
        for word in line.split()[1:]:
            if word not in below:
                break
            command, name = below[word], f"{name} {word}"
            below = children(command)
            # A command of awscli's own lists its flags; a service's has them from the service's model.
            own = {one["name"] for one in getattr(command, "ARG_TABLE", ())} | {*getattr(command, "arg_table", ())}
            commands[name] = sorted({*everywhere, *(f"--{flag}" for flag in own)})
    sys.stdout.write("\n" + json.dumps({"commands": commands, "source": f"aws-cli {__version__}"}) + "\n")


def children(command):
    if hasattr(command, "_get_command_table"):
        return command._get_command_table()
    return getattr(command, "subcommand_table", {})


main(sys.argv[1:])
