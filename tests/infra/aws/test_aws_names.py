"""Two stacks in one account share no name."""

from collections.abc import Iterator
from typing import Any

from tests.infra.plans import CONFIGS
from tests.infra.recording import Plan, record

# Inputs that name something in the account or the region, beside `name`.
NAMES = ("name", "family", "creationToken", "backupVaultName")
# A stage's name is its API's own, and the registry's that of its namespace. A rule of a plan is the plan's.
INSIDE = ("aws:apigatewayv2/stage:Stage", "aws:servicediscovery/service:Service")


def names(found: Plan) -> Iterator[tuple[str, str]]:
    for resource in found.resources:
        if resource.type.startswith("aws:") and resource.type not in INSIDE:
            yield from ((resource.type, value) for key in NAMES if (value := given(resource.plain, key)))


def given(inputs: dict[str, Any], key: str) -> str | None:
    value = inputs.get(key)
    return value if isinstance(value, str) else None


def test_two_stacks_side_by_side_share_no_name():
    config = CONFIGS["aws-efs-full"]
    shipped, blue = (set(names(record(config, stack))) for stack in ("aws", "blue"))
    assert len(shipped) >= 20
    assert shipped & blue == set()
    assert {value for _, value in blue if not value.startswith(("task-assist-blue", "/", "task"))} == set()


def test_the_shipped_stack_has_the_plain_name():
    found = record(CONFIGS["aws-efs"], "aws")
    assert (
        found.one("servicediscovery/privateDnsNamespace:PrivateDnsNamespace").inputs["name"] == "task-assist.internal"
    )
    assert found.one("TaskDefinition", "hosting-task").inputs["family"] == "task-assist"
    assert found.one("ecs/cluster:Cluster").inputs["name"] == "task-assist"
