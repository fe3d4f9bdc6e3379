"""The table of what a provider makes anew names what there is: a misspelt property would never be seen to change."""

import pytest

from tests.infra.names import parameters
from tests.infra.replacements import REPLACES, UNREAD


@pytest.mark.parametrize("type_", REPLACES)
def test_each_property_is_one_that_the_resource_takes(type_: str):
    rule = REPLACES[type_]
    taken = set().union(*parameters(type_))
    assert [path for path in rule.properties + rule.shrinks if path.partition(".")[0] not in taken] == []


def test_each_has_a_source_and_what_has_none_is_said():
    assert all(rule.source for rule in REPLACES.values())
    assert {f"{type_} {name}" for type_, rule in REPLACES.items() for name in rule.properties} >= UNREAD
