"""What a stack costs a month, said before anything is created. List prices in US dollars; no promise."""

from dataclasses import dataclass

WARN_ABOVE_USD = 50


@dataclass(frozen=True)
class Cost:
    """One line of the bill: what, and US dollars a month, or None where it depends on use alone.

    `verified` says whether a source stands behind its price (prices.toml).
    """

    what: str
    usd: float | None
    verified: bool = True


def estimate(costs: list[Cost], where: str) -> str:
    """One sentence: the sum, its parts, and whose list prices they are. An unverified price has a question mark."""
    if not costs:
        return f"$0 a month: nothing is rented ({where})"
    fixed = ", ".join(f"{cost.what} ${cost.usd:.2f}{mark(cost)}" for cost in costs if cost.usd is not None)
    by_use = ", ".join(f"{cost.what}{mark(cost)}" for cost in costs if cost.usd is None)
    total = sum(cost.usd or 0 for cost in costs)
    unsure = "; ? stands where nobody has verified it" if any(not cost.verified for cost in costs) else ""
    return f"about ${total:.0f} a month: {fixed}; by use: {by_use} (list prices of {where}{unsure}; no promise)"


def mark(cost: Cost) -> str:
    return "" if cost.verified else "?"


def dear(costs: list[Cost]) -> str | None:
    """A warning about the lines that cost more than WARN_ABOVE_USD a month, or None."""
    lines = [f"{cost.what} about ${cost.usd:.0f}" for cost in costs if cost.usd and cost.usd > WARN_ABOVE_USD]
    if not lines:
        return None
    return f"This stack rents, every month: {', '.join(lines)}. Stop here if that is not what you want."
