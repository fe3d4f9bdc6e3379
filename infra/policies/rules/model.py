"""What a rule looks at and what it answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

# Stands for a value that a preview can't know. A rule says nothing about it; `up` runs the rules again.
UNKNOWN = "<known after up>"


@dataclass(frozen=True)
class Planned:
    """One resource. `depends` names, by property, the URNs of the resources that its value comes from."""

    urn: str
    type: str
    name: str
    props: Mapping[str, Any]
    protect: bool = False
    delete_before_replace: bool = False
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {})


@dataclass(frozen=True)
class Violation:
    """A resource that breaks a rule, and how."""

    resource: Planned
    text: str


Check = Callable[[Sequence[Planned]], Iterator[Violation]]


@dataclass(frozen=True)
class Rule:
    """A promise. `alone`: looks at one resource at a time, so the engine can stop before that one is made."""

    name: str
    text: str
    check: Check
    mandatory: bool = True
    alone: bool = False


def get(value: Any, path: str, default: Any = None) -> Any:
    """The value at a dotted path, `default` where there is none, UNKNOWN where a preview can't see it."""
    for key in path.split("."):
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, list) and key.isdigit() and int(key) < len(cast(list[Any], value)):
            value = cast(list[Any], value)[int(key)]
        elif isinstance(value, Mapping):
            value = cast(Mapping[str, Any], value).get(key)
        else:
            return default
    return default if value is None else value


def items(value: Any, path: str) -> list[Any]:
    """The list at a dotted path; empty where there is none, or where a preview can't see it."""
    found = get(value, path, [])
    return [] if found is UNKNOWN else list(found)


def of(resources: Sequence[Planned], *types: str) -> Iterator[Planned]:
    """The resources of these types, by their full tokens."""
    return (resource for resource in resources if resource.type in types)
