"""Reads the stack's config, plans it on one place, and exports the same outputs everywhere."""

import importlib
import sys
from pathlib import Path

# Pulumi puts infra/ first on the path, where `azure` or `aws` would hide installed packages of the same name.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import pulumi  # noqa: E402

from infra.config import StackConfig, read_config  # noqa: E402
from infra.contract import Site, outputs  # noqa: E402
from infra.costs import dear  # noqa: E402
from infra.quick import be_quick  # noqa: E402
from infra.reader import ConfigError  # noqa: E402

PACKAGES = {"azure": "azure", "aws": "aws", "gcp": "gcp", "docker": "docker_host"}


def plan(config: StackConfig) -> Site:
    """Plans everything on the chosen place. Imports that place's SDK and no other."""
    try:
        program = importlib.import_module(f"infra.{PACKAGES[config.cloud]}.program")
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
    if warning := dear(site.costs):
        pulumi.log.warn(warning)
    for note in site.notes:
        pulumi.Output.from_input(note).apply(pulumi.log.info)
    for name, value in outputs(site).items():
        pulumi.export(name, value)


main()
