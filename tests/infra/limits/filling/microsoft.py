"""Azure: the values of enumerations in pulumi-azure-native, and the limits in Azure's own SDKs of the older kind."""

import ast
import importlib
import inspect
import re
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.infra.limits.filling.tree import ANY, VAGUE, Node, joined, number
from tests.infra.limits.tables import Limit
from tests.infra.names import camel_case

# Azure's SDK for a module of pulumi-azure-native.
PACKAGES = {
    "applicationinsights": "applicationinsights",
    "containerregistry": "containerregistry",
    "keyvault": "keyvault",
    "managedidentity": "msi",
    "monitor": "monitor",
    "operationalinsights": "loganalytics",
    "resources": "resource",
    "storage": "storage",
}
# Where pulumi-azure-native gives another service's enumeration of the same name.
MIXED_UP = {("azure-native:monitor:ScheduledQueryRule", "criteria.allOf.*.operator")}
BOUNDS = {"min_length": "min", "minimum": "min", "max_length": "max", "maximum": "max", "pattern": "pattern"}


def values(type_: str) -> Node:
    """The tree of a resource's inputs in pulumi-azure-native, with the values of each enumeration."""
    _, module_name, class_ = type_.split(":")
    module = importlib.import_module(f"pulumi_azure_native.{module_name}")
    args = getattr(module, f"{class_}InitArgs", None) or getattr(module, f"{class_}Args")
    return in_class(module, args, f"pulumi-azure-native {module_name} {class_}")


def in_class(module: ModuleType, class_: type, where: str) -> Node:
    def below() -> Mapping[str, Node]:
        known = inspect.signature(class_.__init__).parameters
        return {
            camel_case(name): in_annotation(module, str(one.annotation), f"{where}.{camel_case(name)}")
            for name, one in known.items()
        }

    return Node(Limit("", ""), below, where)


def in_annotation(module: ModuleType, annotation: str, where: str) -> Node:
    """What an annotation names: a nested class, an enumeration, or a list or map of these."""
    if "Sequence[" in annotation or "Mapping[" in annotation:
        inner = in_annotation(module, annotation.replace("Sequence[", "").replace("Mapping[", ""), where)
        return Node(Limit("", ""), lambda: {ANY: inner}, where)
    names = re.findall(r"ForwardRef\('(\w+)'|'(\w+)'", annotation)
    classes = [getattr(module, first or second, None) for first, second in names]
    found = next((one for one in classes if isinstance(one, type) and not one.__name__.endswith("Dict")), None)
    if found is not None and issubclass(found, Enum):
        return Node(Limit("", "", values=joined([one.value for one in found])), dict, where)
    return in_class(module, found, where) if found is not None else Node(Limit("", ""), dict, where)


def limit(packages: Path, type_: str, property_: str) -> Limit | None:
    """The limit of a property in Azure's own SDK, by its last name: in the path, or in every class that has it."""
    module = type_.split(":")[1]
    folder = packages / "azure/mgmt" / PACKAGES.get(module, "")
    name = property_.rpartition(".")[2]
    if module not in PACKAGES:
        return None
    if property_ in parameters(folder):
        return replace(parameters(folder)[property_], source=f"azure-mgmt-{PACKAGES[module]} path {property_}")
    found = attributes(folder).get(name, {})
    if len(set(found.values())) != 1 or name.lower() in VAGUE:
        return None
    # Of the classes that say the same, the one that the property is called after.
    nearest = max(found, key=lambda one: one.lower() in property_.lower())
    return replace(found[nearest], source=f"azure-mgmt-{PACKAGES[module]} {nearest}.{name}")


@cache
def newest(folder: Path, pattern: str) -> tuple[ast.Module, ...]:
    """The syntax trees of the newest API version's files of that name."""
    files = [file for file in folder.rglob(pattern) if "aio" not in file.parts]
    newest_version = max((file.relative_to(folder).parts[:-2] for file in files), default=())
    return tuple(ast.parse(file.read_text()) for file in files if file.relative_to(folder).parts[:-2] == newest_version)


@cache
def attributes(folder: Path) -> dict[str, dict[str, Limit]]:
    """The bounds of every attribute in the SDK's classes: name → class → bounds."""
    found: dict[str, dict[str, Limit]] = {}
    for tree in newest(folder, "_models_py3.py"):
        for class_ in (one for one in tree.body if isinstance(one, ast.ClassDef)):
            rules, keys = table(class_, "_validation"), table(class_, "_attribute_map")
            for name, key in keys.items():
                if bounds(rules.get(name, {})) != Limit("", ""):
                    wire = key["key"].rpartition(".")[2]
                    found.setdefault(wire, {})[class_.name] = bounds(rules[name])
    return found


def table(class_: ast.ClassDef, name: str) -> dict[str, Any]:
    """A class's literal dictionary."""
    for statement in class_.body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == name:
            return ast.literal_eval(statement.value)
    return {}


def bounds(rules: Mapping[str, Any]) -> Limit:
    facts = {BOUNDS[key]: value for key, value in rules.items() if key in BOUNDS}
    return Limit("", "", number(facts.get("min")), number(facts.get("max")), facts.get("pattern", ""))


@cache
def parameters(folder: Path) -> dict[str, Limit]:
    """The bounds of the names in the paths of the SDK's operations."""
    found: dict[str, Limit] = {}
    for tree in newest(folder, "*_operations.py"):
        for call in (one for one in ast.walk(tree) if isinstance(one, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "url" and len(call.args) > 1:
                rules = {one.arg: one.value.value for one in call.keywords if isinstance(one.value, ast.Constant)}
                if bounds(rules) != Limit("", ""):
                    found[camel_case(getattr(call.args[0], "value", ""))] = bounds(rules)
    return found
