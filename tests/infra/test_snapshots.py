"""What each stack plans, in files that a reviewer can read. After a change: pytest tests/infra --update-plans"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import Plan, Resource, is_secret

FOLDER = Path(__file__).parent / "planned"
# One of each storage as most people have it, and one of each place with a domain.
SHOWN = [name for name in CONFIGS if "ready" not in name and not ("domain" in name and "bind" in name)]


def readable(found: Plan) -> str:
    """The plan as YAML, in an order that no run changes."""
    resources = sorted(found.resources, key=lambda resource: (resource.type, resource.name))
    document = {
        "outputs": shown(dict(found.outputs)),
        "said": found.log,
        "resources": [describe(resource) for resource in resources],
    }
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, width=110, allow_unicode=True)


def describe(resource: Resource) -> dict[str, Any]:
    parent = resource.parent.rpartition("::")[2]
    described: dict[str, Any] = {f"{resource.type}  {resource.name}": shown(dict(resource.inputs))}
    if "Stack" not in resource.parent:
        described["in"] = parent
    if resource.protect:
        described["protect"] = True
    return {**described, **resource.options}


class Dumper(yaml.SafeDumper):
    """Writes a text of several lines as one, line by line."""


def lines(dumper: Dumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


Dumper.add_representer(str, lines)


def document(value: str) -> Any:
    """What is inside a string that is a JSON document, such as a policy or the VM's user-data; else the string."""
    text = value.removeprefix("#cloud-config\n")
    return shown(json.loads(text)) if text.startswith(("{", "[{")) and "\t" not in text else value


def shown(value: Any) -> Any:
    """Sorted, whole numbers as such, secrets as the word, documents opened."""
    if is_secret(value):
        return {"secret": shown(value["value"])} if isinstance(value["value"], dict | list) else "secret"
    if isinstance(value, dict):
        return {key: shown(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, str):
        return document(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("name", SHOWN)
def test_the_plan_is_what_it_was(name: str, request: pytest.FixtureRequest):
    file, now = FOLDER / f"{name}.yaml", readable(plan(name))
    if request.config.getoption("--update-plans", default=False):
        file.write_text(now)
    assert file.read_text() == now, "The plan changed. If that is meant: pytest tests/infra --update-plans"


def test_no_file_is_left_over():
    assert {file.stem for file in FOLDER.glob("*.yaml")} == set(SHOWN)
