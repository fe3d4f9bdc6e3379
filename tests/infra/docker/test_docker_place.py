"""What a Docker host can't do is said, with what to do instead."""

import pulumi
import pytest

from tests.infra.recording import record


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("alertEmail", "you@example.org", "let an uptime service outside ask health_url"),
        ("monthlyBudget", "20", "nothing is rented on a Docker host"),
        ("backupCopy", "anything", ""),
        ("machine", "large", ""),
    ],
)
def test_a_setting_that_needs_a_cloud_is_refused(key: str, value: str, why: str):
    with pytest.raises(pulumi.RunError) as refused:
        record({"cloud": "docker", key: value})
    assert f"{key} means nothing on docker" in str(refused.value)
    assert why in str(refused.value)
    assert f"pulumi config rm {key}" in str(refused.value)
