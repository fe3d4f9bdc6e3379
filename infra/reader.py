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
    "storageGb": "",
    "database": "sqlite",
    "instances": "1",
    "machine": "",
    "network": "",
    "port": "",
    "backupSchedule": "15 3 * * *",
    "backupKeep": "last=3 daily=7 weekly=4 monthly=12",
    "backupCopy": "",
    "backupRecipient": "",
    "backupStore": "",
    "backupCredentials": "",
    "notifyUrl": "",
    "alertEmail": "",
    "monthlyBudget": "",
    "billingAccount": "",
    "logDays": "",
    "rollout": "",
    "storageKeyIndex": "",
    "domain": "",
    "adminEmail": "admin@example.com",
}
# An image's reference, as github.com/distribution/reference has it. The VM's units and scripts get it unquoted.
_NAME = r"([\w.-]+(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:\w[\w.-]{0,127})?"
_SHA = r"sha256:[0-9a-f]{64}"
DIGEST = re.compile(rf"{_NAME}@{_SHA}", re.ASCII)
# What a Docker host knows: a name, with a digest or without, or an image's ID.
IMAGE = re.compile(rf"{_NAME}(@{_SHA})?|(sha256:)?[0-9a-f]{{12,64}}", re.ASCII)


class ConfigError(Exception):
    """The config has faults. The message lists all of them, each with the command to type."""


class Reader:
    """Reads one value after another and gathers what is wrong with them.

    `defaults` are the chosen place's own, for settings that not every place has.
    """

    def __init__(self, project: str, defaults: Mapping[str, str]) -> None:
        self.config = pulumi.Config()
        self.project = project
        self.defaults = {**DEFAULTS, **defaults}
        self.faults: list[str] = []

    def text(self, key: str) -> str:
        return (self.config.get(key) or self.defaults[key]).strip()

    def fault(self, key: str, value: str, why: str, example: str) -> None:
        """One fault: which value, why it can't be, and the command that mends it."""
        said = f"{key} is {value!r}" if value else f"{key} is not set"
        quoted = f'"{example}"' if " " in example.removeprefix("--secret ") else example
        self.faults.append(f"{said}: {why}\n    pulumi config set {key} {quoted}")

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in choices:
            self.fault(key, value, f"it must be {' or '.join(choices)}.", choices[0])
        return value

    def number(self, key: str, low: int, high: int) -> int:
        """The whole number that is set, or `low` with a fault."""
        value = self.text(key)
        if value.isascii() and value.isdigit() and low <= int(value) <= high:
            return int(value)
        default = self.defaults[key] or str(low)
        self.fault(key, value, f"it must be a whole number from {low} to {high}.", default)
        return low

    def matching(self, key: str, pattern: re.Pattern[str], why: str, example: str, *, secret: bool = False) -> str:
        """What is set. A `secret` that doesn't match is not shown: the fault stands in terminals and in runs' logs."""
        value = self.text(key)
        if value and not pattern.fullmatch(value):
            self.fault(key, "(hidden)" if secret else value, why, example)
        return value

    def provider(self, key: str, why: str, example: str, *variables: str) -> None:
        """A provider's own key must be set, or one of the environment variables that the provider reads instead."""
        if not self.of_provider(key, *variables):
            self.fault(key, "", why, example)

    def of_provider(self, key: str, *variables: str) -> str:
        """What the provider reads, empty where nothing is set."""
        namespace, name = key.split(":")
        set_in_environment = (os.environ[variable] for variable in variables if os.environ.get(variable))
        return pulumi.Config(namespace).get(name) or next(set_in_environment, "")

    def pinned_image(self) -> None:
        """A tag can move under a running service; only a digest says what runs."""
        image = self.text("image")
        if image and not DIGEST.fullmatch(image):
            why = "a cloud needs the digest too; `docker buildx imagetools inspect` shows it."
            name = image.partition("@")[0]
            if not IMAGE.fullmatch(name) or name.startswith("sha256:"):
                why, name = "it must be an image's name, without https://, and its digest.", "REGISTRY/task-assist"
            self.fault("image", image, why, f"{name}@sha256:…")
