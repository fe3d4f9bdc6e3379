"""What a stack costs a month, said before anything is created. List prices in US dollars; no promise."""

from dataclasses import dataclass

WARN_ABOVE_USD = 50
PRICES_OF = "2026-11"


@dataclass(frozen=True)
class Cost:
    """One line of the bill: what, and US dollars a month, or None where it depends on use alone."""

    what: str
    usd: float | None


def estimate(costs: list[Cost], place: str) -> str:
    """One sentence: the sum, its parts, and the region and month the prices are of."""
    if not costs:
        return f"$0 a month: nothing is rented ({place})"
    fixed = [(cost.what, cost.usd) for cost in costs if cost.usd is not None]
    by_use = [cost.what for cost in costs if cost.usd is None]
    parts = ", ".join(f"{what} ${usd:.2f}" for what, usd in fixed)
    more = f"; by use: {', '.join(by_use)}" if by_use else ""
    total = sum(usd for _, usd in fixed)
    return f"about ${total:.0f} a month: {parts}{more} (list prices {place}, {PRICES_OF}, no promise)"


def dear(costs: list[Cost]) -> str | None:
    """A warning about the lines that cost more than WARN_ABOVE_USD a month, or None."""
    lines = [f"{cost.what} about ${cost.usd:.0f}" for cost in costs if cost.usd and cost.usd > WARN_ABOVE_USD]
    if not lines:
        return None
    return f"This stack rents, every month: {', '.join(lines)}. Stop here if that is not what you want."
