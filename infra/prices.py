"""What the clouds ask for the things the stacks rent: the table in prices.toml, by cloud, region and item."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from costs import Cost

TABLE = Path(__file__).with_name("prices.toml")
EVERYWHERE = "everywhere"
HOURS = 730
"""Of a month, as the clouds count it."""

HEARTBEATS = HOURS * 3600 / 2
"""A month's renewals of the lease by the app that writes, one every 2 s (app/writer/lease.py: RENEW_EVERY)."""

# A renewal is 9 requests on SMB (docs/decisions.md): a write and a listing, and 7 taken for `other`, whose kinds
# nobody has looked up in a bill. In tens of thousands, as Azure Files bills them.
SMB_HEARTBEATS: Mapping[str, float] = {
    "file write 10000": HEARTBEATS / 10_000,
    "file list 10000": HEARTBEATS / 10_000,
    "file other 10000": 7 * HEARTBEATS / 10_000,
}


@dataclass(frozen=True)
class Price:
    """US dollars for one item, the day of the number, and whether a source stands behind it."""

    usd: float
    date: date
    verified: bool


@dataclass(frozen=True)
class Prices:
    """One cloud's prices for a stack in the region `asked`; `region` is the one they are of."""

    asked: str
    region: str
    by_item: Mapping[str, Price]

    @property
    def where(self) -> str:
        """Whose list prices these are, and from when."""
        days = sorted(price.date for price in self.by_item.values() if price.verified)
        first, last = f"{days[0]:%Y-%m}", f"{days[-1]:%Y-%m}"
        whose = f"{self.region}, {first}" + (f" to {last}" if last != first else "")
        return whose if self.region == self.asked else f"{whose}: those of {self.asked} are not known here"

    def month(self, what: str, uses: Mapping[str, float]) -> Cost:
        """A line of the bill: how much of each item a month takes. No sum where the price of one is not known."""
        found = [self.by_item.get(item) for item in uses]
        known = [price for price in found if price]
        if len(known) < len(found):
            return Cost(f"{what} (price in {self.region} not known)", None)
        usd = sum(price.usd * much for price, much in zip(known, uses.values(), strict=True))
        return Cost(what, usd, verified=all(price.verified for price in known))

    def hourly(self, what: str, item: str, count: float = 1) -> Cost:
        """A line for what is rented all the time and billed by the hour."""
        return self.month(what, {item: count * HOURS})

    def by_use(self, what: str, item: str, unit: str) -> Cost:
        """A line with the price of one, where nobody knows how many: `EFS $0.30 a GB`."""
        price = self.by_item.get(item)
        return Cost(f"{what} ${price.usd:.2f} {unit}", None, verified=price.verified) if price else Cost(what, None)


def prices_of(cloud: str, region: str) -> Prices:
    """The prices of `region`, or of the cloud's reference region where the table has not all of them.

    Azure also takes a region by its display name: `West Europe` is westeurope.
    """
    region = region.lower().replace(" ", "")
    reference = str(table()["reference"][cloud])
    needed, found = listed(cloud, reference), listed(cloud, region)
    return Prices(region, region, found) if needed.keys() <= found.keys() else Prices(region, reference, needed)


def listed(cloud: str, region: str) -> dict[str, Price]:
    """Item → price, as far as the table has them: the region's own before everybody's, with a source before without."""
    found: dict[str, Price] = {}
    for line in (region, EVERYWHERE):
        for verified in (True, False):
            for source in table()["source"]:
                if source["cloud"] == cloud and source.get("verified", True) is verified:
                    for item, usd in zip(source["items"], source["usd"].get(line, ()), strict=False):
                        found.setdefault(item, Price(usd, source["date"], verified))
    return found


@cache
def table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
