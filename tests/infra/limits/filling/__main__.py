"""Fills the tables: `python -m tests.infra.limits.filling FOLDER`; FOLDER has the packages of requirements.txt."""

import csv
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from tests.infra.limits.filling import amazon, discovery, microsoft, quotes
from tests.infra.limits.filling.tree import limit_in
from tests.infra.limits.tables import CLOUDS, COLUMNS, FOLDER, Limit, read
from tests.infra.plans import CONFIGS
from tests.infra.test_limits import planned

# The table of a provider's types.
CLOUD_OF = {
    "azure-native": "azure",
    "aws": "aws",
    "gcp": "gcp",
    "docker": "docker",
    "docker-build": "docker",
    "random": "docker",
}


def machine_readable(packages: Path, type_: str, property_: str) -> Iterator[Limit]:
    """What the sources for machines say of a property."""
    cloud = CLOUD_OF[type_.partition(":")[0]]
    found: list[Limit | None] = []
    if cloud == "aws":
        roots = amazon.roots(packages, type_)
        found = [limit_in(root, name) for root in roots for name in amazon.renamed(type_, property_)]
        if property_.startswith("tags.") and not any(found):
            found = [limit_in(root, property_) for root in [amazon.tags(packages)] if root]
    elif cloud == "gcp":
        root = discovery.root(packages, type_)
        found = [limit_in(root, discovery.renamed(type_, property_))] if root else []
    elif cloud == "azure":
        known = None if (type_, property_) in microsoft.MIXED_UP else limit_in(microsoft.values(type_), property_)
        found = [known, microsoft.limit(packages, type_, property_)]
    told: set[Limit] = set()
    for limit in found:
        if limit and same(limit) not in told:
            told.add(same(limit))
            yield replace(limit, type=type_, property=property_)


def same(limit: Limit) -> Limit:
    """What two sources say alike, however they write it."""
    pattern = limit.pattern.removeprefix("^(?:").removesuffix(")$")
    return replace(limit, source="", values="|".join(sorted(limit.values.split("|"))), pattern=pattern.strip("^$"))


def write(cloud: str, limits: list[Limit]) -> None:
    with (FOLDER / f"{cloud}.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(limit) for limit in sorted(limits, key=lambda one: (one.type, one.property, one.source)))


def main(packages: Path) -> int:
    used = sorted({(value.type, value.property) for name in CONFIGS for value in planned(name)})
    every: list[Limit] = []
    for cloud in CLOUDS:
        of_cloud = [one for one in used if CLOUD_OF[one[0].partition(":")[0]] == cloud]
        by_hand = [limit for limit in read(cloud) if limit.quote and any(limit.fits(*one) for one in used)]
        filled = [limit for one in of_cloud for limit in machine_readable(packages, *one)]
        write(cloud, by_hand + filled)
        every += by_hand + filled
    unknown = [one for one in used if not any(limit.fits(*one) for limit in every)]
    (FOLDER / "unknown.txt").write_text("".join(f"{type_} {property_}\n" for type_, property_ in unknown))
    faults, unread = quotes.check(packages, [limit for limit in every if limit.quote])
    print(f"{len(every)} limits, {len(unknown)} of {len(used)} properties without one; {len(unread)} pages not read:")
    print("\n".join(unread + faults))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
