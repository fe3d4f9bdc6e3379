"""Reads the stack's config, plans it on one place, and exports the same outputs everywhere."""

import importlib

import pulumi

from config import StackConfig, read_config
from contract import Site, outputs
from costs import dear
from kit import backups
from quick import be_quick
from reader import ConfigError


def plan(config: StackConfig) -> Site:
    """Plans everything on the chosen place. Imports that place's SDK and no other."""
    try:
        program = importlib.import_module(f"kit.{config.cloud}.program")
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("pulumi_"):
            raise
        raise pulumi.RunError(f"{missing.name} is not installed. Type: scripts/install {config.cloud}") from missing
    site: Site = program.plan(config)
    return site


def main() -> None:
    """The whole program."""
    be_quick()
    try:
        config = read_config()
    except ConfigError as faults:
        raise pulumi.RunError(str(faults)) from faults
    site = plan(config)
    for warning in filter(None, (dear(site.costs), backups.warning(config))):
        pulumi.log.warn(warning)
    for note in site.notes:
        pulumi.Output.from_input(note).apply(pulumi.log.info)
    for name, value in outputs(site).items():
        pulumi.export(name, value)


main()
