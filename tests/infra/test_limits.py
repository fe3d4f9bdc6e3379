"""What a cloud would refuse, a test refuses first: every planned value keeps the limits that the clouds publish.

limits/ has the tables, and limits/fill says how they are filled.
"""

from collections.abc import Iterator
from functools import cache

import pytest

from tests.infra.limits.tables import Limit, limits_of, tables, without_limit
from tests.infra.limits.values import Value, values
from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import record

# The longest name of a second stack that contract.stem() takes, and all that can be switched on there.
SECOND = "stagings"
SWITCHED_ON = {
    "azure": {"alertEmail": "you@example.org", "monthlyBudget": "50"},
    "aws": {"alertEmail": "you@example.org", "monthlyBudget": "50", "backupCopy": "eu-west-1", "network": "own"},
    "gcp": {
        "alertEmail": "you@example.org",
        "monthlyBudget": "50",
        "billingAccount": "012345-6789AB-CDEF01",
        "backupCopy": "us-east1",
    },
    "docker": {"port": "8001"},
}


@cache
def planned(name: str) -> tuple[Value, ...]:
    """What the stack would send, and a second one beside it with all switched on."""
    config = CONFIGS[name]
    first = tuple(values(plan(name), config["cloud"]))
    # A ready image changes no name.
    second = () if "image" in config else values(record(config | SWITCHED_ON[config["cloud"]], SECOND), SECOND)
    return (*first, *second)


def broken(value: Value, limits: tuple[Limit, ...]) -> Iterator[str]:
    for limit in limits:
        if what := limit.broken_by(value.value):
            yield f"{value.type} {value.name}: {value.property} is {value.value!r}, against {what} ({limit.source})"


@pytest.mark.parametrize("name", CONFIGS)
def test_every_value_keeps_its_limits(name: str):
    faults = {fault for value in planned(name) for fault in broken(value, limits_of(value.type, value.property))}
    assert not faults, "\n".join(sorted(faults))


def test_what_has_no_known_limit_is_on_the_list_and_nothing_else():
    used = {(value.type, value.property) for name in CONFIGS for value in planned(name)}
    unknown = {one for one in used if not limits_of(*one)}
    listed = set(without_limit())
    assert unknown - listed == set(), "No limit is known of these. Look one up, or type: tests/infra/limits/fill"
    assert listed - unknown == set(), "These have a limit or are gone. Type: tests/infra/limits/fill"


def test_every_row_is_of_something_planned():
    used = {(value.type, value.property) for name in CONFIGS for value in planned(name)}
    idle = [limit for limit in tables() if not any(limit.fits(*one) for one in used)]
    assert idle == [], "Type: tests/infra/limits/fill"


@pytest.mark.parametrize(
    ("limit", "value", "what"),
    [
        (Limit("t", "p", max="16"), "task_manager_data", "max 16"),
        (Limit("t", "p", min="3"), "ab", "min 3"),
        (Limit("t", "p", min="10"), 9.0, "min 10"),
        (Limit("t", "p", max="16"), 17.0, "max 16"),
        (Limit("t", "p", pattern="^[a-z ]*$"), "Gateway's", "pattern ^[a-z ]*$"),
        (Limit("t", "p", values="a|b"), "c", "values a|b"),
    ],
)
def test_a_value_that_breaks_a_limit_is_told(limit: Limit, value: str | float, what: str):
    assert limit.broken_by(value) == what
    assert "against " + what in next(broken(Value("t", "n", "p", value), (limit,)))


def test_a_value_at_its_limit_is_fine():
    assert Limit("t", "p", min="16", max="16", pattern="^[a-z_]*$").broken_by("task_manager_dat") is None
    assert Limit("t", "p", min="1", max="3", values="1|2|3").broken_by(3.0) is None
