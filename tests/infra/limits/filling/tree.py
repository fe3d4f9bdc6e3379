"""Finds a property in a source's tree of objects, whose names differ from Pulumi's in case, underscores and plurals."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.infra.limits.tables import Limit

# A name that may be looked for anywhere in the tree must say by itself what it is.
VAGUE = {"name", "type", "value", "description", "policy", "status", "version", "path", "target", "resources", "mode"}
ANY = "*"


@dataclass(frozen=True)
class Node:
    """A place in a tree: what is written there, the nodes below by name, and how to say where it is."""

    facts: Limit
    below: Callable[[], Mapping[str, "Node"]]
    where: str


def leaf(facts: Limit, where: str) -> Node:
    return Node(facts, dict, where)


def limit_in(root: Node, property_: str) -> Limit | None:
    """The limit of a property below the root; None if nothing is written of it."""
    path = property_.split(".")
    found = walk(root, path) or anywhere(root, path)
    if found is None or not (found.facts.min or found.facts.max or found.facts.pattern or found.facts.values):
        return None
    return replace(found.facts, source=found.where)


def walk(node: Node | None, path: list[str]) -> Node | None:
    for part in path:
        if node is None:
            return None
        node = child(node, part)
    return node


def child(node: Node, part: str) -> Node | None:
    below = node.below()
    if part in below:
        return below[part]
    alike = [name for name in below if bare(name) == bare(part)]
    return below[alike[0]] if len(alike) == 1 else None


def bare(name: str) -> str:
    name = name.replace("_", "").lower()
    return name.removesuffix("s") if len(name) > 3 else name


def anywhere(root: Node, path: list[str]) -> Node | None:
    """The one place with the property's last names, where Pulumi leaves out a level in between."""
    names = [part for part in path if part != ANY]
    if names[-1].lower() in VAGUE or names[-1] == "<key>":
        return None
    found = [node for name, node in all_below(root, 6) if bare(name) == bare(names[-1])]
    if path[-1] == ANY:
        found = [node.below()[ANY] for node in found if ANY in node.below()]
    facts = {replace(node.facts, source="") for node in found}
    return found[0] if len(facts) == 1 else None


def all_below(node: Node, depth: int) -> Iterator[tuple[str, Node]]:
    for name, one in node.below().items():
        yield name, one
        if depth:
            yield from all_below(one, depth - 1)


def joined(values: list[Any] | None) -> str:
    return "|".join(str(value) for value in values or [])


def number(value: Any) -> str:
    """A bound as it stands in a table; far beyond what anybody plans is none."""
    return "" if value is None or abs(float(value)) >= 2**31 - 1 else str(value)
