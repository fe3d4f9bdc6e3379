"""Reads the stack's config value by value, and gathers what is wrong with them."""

import os
import re
from collections.abc import Mapping

import pulumi

# The config when nothing is set. Pulumi.yaml shows the same to `pulumi config`, and a test compares them.
DEFAULTS: Mapping[str, str] = {
    "cloud": "",
    "image": "",
    "storage": "",
    "database": "sqlite",
    "instances": "1",
    "backupSchedule": "15 3 * * *",
    "backupKeep": "last=3 daily=7 weekly=4 monthly=12",
    "rollout": "",
    "storageKeyIndex": "1",
    "domain": "",
    "adminEmail": "admin@example.com",
}


class ConfigError(Exception):
    """The config has faults. The message lists all of them, each with the command to type."""


class Reader:
    """Reads one value after another and gathers what is wrong with them."""

    def __init__(self, project: str) -> None:
        self.config = pulumi.Config()
        self.project = project
        self.faults: list[str] = []

    def text(self, key: str) -> str:
        return (self.config.get(key) or DEFAULTS[key]).strip()

    def fault(self, key: str, value: str, why: str, example: str) -> None:
        """One fault: which value, why it can't be, and the command that mends it."""
        said = f"{key} is {value!r}" if value else f"{key} is not set"
        quoted = f'"{example}"' if " " in example else example
        self.faults.append(f"{said}: {why}\n    pulumi config set {key} {quoted}")

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in choices:
            self.fault(key, value, f"it must be {' or '.join(choices)}.", choices[0])
        return value

    def number(self, key: str, low: int, high: int) -> int:
        value = self.text(key)
        if value.isascii() and value.isdigit() and low <= int(value) <= high:
            return int(value)
        self.fault(key, value, f"it must be a whole number from {low} to {high}.", str(low))
        return low

    def matching(self, key: str, pattern: re.Pattern[str], why: str, example: str) -> str:
        value = self.text(key)
        if value and not pattern.fullmatch(value):
            self.fault(key, value, why, example)
        return value

    def provider(self, key: str, why: str, example: str, *variables: str) -> None:
        """A provider's own key, or one of the environment variables that the provider reads instead."""
        namespace, name = key.split(":")
        if not pulumi.Config(namespace).get(name) and not any(os.environ.get(variable) for variable in variables):
            self.fault(key, "", why, example)
