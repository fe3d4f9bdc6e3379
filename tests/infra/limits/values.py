"""The values of a plan that a cloud's limits are about.

A property counts unless all its values are true or false, IDs in a cloud's own form, or what another resource or a call
answered: an ID, a name, an address, which are checked where they are made. Names that a provider makes count too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.infra.answers import CALLS, answer_call, answer_resource
from tests.infra.names import made_name, name_property
from tests.infra.recording import Plan, Resource

# Maps whose keys the program chooses: each key is a value too, as `tags.<key>`.
MAPS = re.compile(r"(^|\.)([a-z]*[Tt]ags|[a-z]*[Ll]abels|azureStorageAccounts|tmpfs|driverOpts|dimensions)$")
METADATA = {"gcp:compute/instance:Instance": "metadata"}
ID = re.compile(r"^(arn:|/subscriptions/|projects/[^/]+/)")


@dataclass(frozen=True)
class Value:
    """One value at its property; `name` is the resource's."""

    type: str
    name: str
    property: str
    value: str | float


def values(plan: Plan, stack: str) -> Iterator[Value]:
    """All that counts in a plan."""
    answered = {resource.urn: set(answers(resource, stack)) for resource in plan.resources if resource.custom}
    called = {str(leaf) for answer in (*CALLS.values(), *subnets()) for _, leaf in leaves("", answer)}
    for resource in plan.resources:
        # A provider of its own is no resource of the cloud.
        if resource.custom and not resource.type.startswith("pulumi:"):
            yield from own_values(resource, stack, answered, called)


def own_values(resource: Resource, stack: str, answered: Mapping[str, set[str]], called: set[str]) -> Iterator[Value]:
    property_, made = name_property(resource.type), made_name(stack, resource.type, resource.name)
    if made and property_ and property_ not in resource.plain:
        yield Value(resource.type, resource.name, property_, made)
    for key, inputs in resource.plain.items():
        sources = resource.depends.get(key, ())
        known = called.union(*(answered.get(urn, set()) for urn in sources))
        for path, leaf in leaves(resource.type, inputs, key):
            if not isinstance(leaf, bool | None) and leaf not in known and not ID.match(str(leaf)):
                yield Value(resource.type, resource.name, path, leaf)


def answers(resource: Resource, stack: str) -> Iterator[str]:
    """What others may learn of a resource: its ID and its state."""
    yield f"{resource.name}-id"
    state = answer_resource(stack, resource.type, resource.name, resource.plain)
    if name_property(resource.type) is None:
        # The stand-ins call it something; no cloud does.
        state.pop("name", None)
    yield from (str(leaf) for _, leaf in leaves(resource.type, state))


def subnets() -> Iterator[dict[str, Any]]:
    """The answers that depend on what is asked."""
    for subnet in CALLS["aws:ec2/getSubnets:getSubnets"]["ids"]:
        yield answer_call("aws:ec2/getSubnet:getSubnet", {"id": subnet})


def leaves(type_: str, value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path. A list of objects that is written as JSON is opened."""
    if isinstance(value, str) and value.startswith("[{"):
        value = json.loads(value)
    if isinstance(value, Mapping):
        chosen = MAPS.search(path) or METADATA.get(type_) == path
        for key, item in value.items():
            if chosen:
                yield f"{path}.<key>", key
            yield from leaves(type_, item, f"{path}.{'*' if chosen else key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(type_, item, f"{path}.*")
    else:
        yield path, value
