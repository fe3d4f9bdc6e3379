"""What a stack costs a month, said before anything is created. List prices in US dollars; no promise."""

from dataclasses import dataclass

WARN_ABOVE_USD = 50
PRICES_OF = "2026-11"


@dataclass(frozen=True)
class Cost:
    """One line of the bill: what, and US dollars a month."""

    what: str
    usd: float


def estimate(costs: list[Cost], place: str) -> str:
    """One sentence: the sum, its parts, and the region and month the prices are of."""
    if not costs:
        return f"$0 a month: nothing is rented ({place})"
    parts = ", ".join(f"{cost.what} ${cost.usd:.2f}" for cost in costs)
    return f"about ${sum(cost.usd for cost in costs):.0f} a month without traffic: {parts} (list prices {place}, {PRICES_OF})"


def dear(costs: list[Cost]) -> str | None:
    """A warning about the lines that cost more than WARN_ABOVE_USD a month, or None."""
    lines = [f"{cost.what} ${cost.usd:.0f}" for cost in costs if cost.usd > WARN_ABOVE_USD]
    return f"This stack rents, every month: {', '.join(lines)}. Stop here if that is not what you want." if lines else None
