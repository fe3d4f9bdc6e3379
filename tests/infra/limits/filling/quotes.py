"""Whether the words that a row quotes still stand where it says.

A source begins with where it is from, and goes on with the place there. `discovery` and `botocore` name a document or
service and an object's property, or nothing for the whole; `azure-mgmt-…` names a file: these are in the packages that
`fill` unpacks. `pulumi-…` names a file of an SDK in .venv. `https://…` is a page.
"""

import html
import importlib.util
import re
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

from tests.infra.limits.filling import amazon, discovery
from tests.infra.limits.tables import Limit


def check(packages: Path, limits: list[Limit]) -> tuple[list[str], list[str]]:
    """What no longer stands in its source, and the pages that could not be read."""
    faults: list[str] = []
    unread: set[str] = set()
    for limit in limits:
        text = source_text(packages, limit.source)
        if text is None:
            unread.add(limit.source)
        elif not all(squeezed(part) in squeezed(text) for part in limit.quote.split(" … ")):
            faults.append(f"{limit.type} {limit.property}: {limit.source} no longer says: {limit.quote}")
    return faults, sorted(unread)


def source_text(packages: Path, source: str) -> str | None:
    """What the source says; None for a page that can't be read."""
    kind, _, place = source.partition(" ")
    if kind == "discovery":
        return discovery.description(packages, place)
    if kind == "botocore":
        return amazon.description(packages, place)
    if kind.startswith("https://"):
        return page(kind)
    if kind.startswith("azure-mgmt-"):
        return (packages / "azure/mgmt" / kind.removeprefix("azure-mgmt-") / place).read_text()
    spec = importlib.util.find_spec(kind.replace("-", "_"))
    assert spec and spec.origin, f"{kind} is not installed: scripts/install dev infra"
    return (Path(spec.origin).parent / place).read_text()


@cache
def page(address: str) -> str | None:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, TimeoutError):
        return None


def squeezed(text: str) -> str:
    """The words alone: sources break their lines and mark up their words as they like."""
    return re.sub(r"[\s`*\\]+", " ", html.unescape(re.sub(r"</?[a-zA-Z][^>]*>", " ", text))).strip()
