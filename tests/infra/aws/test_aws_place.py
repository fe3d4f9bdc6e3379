"""What AWS would refuse is a fault of the config, with the command that mends it."""

import pulumi
import pytest

from tests.infra.plans import REGIONS
from tests.infra.recording import record


@pytest.mark.parametrize(
    ("setting", "said", "typed"),
    [
        ({"machine": "256/1536"}, "with 256 CPU units Fargate has 512, 1024, 2048 MiB", "machine 256/512"),
        ({"machine": "300/512"}, "with 256, 512, 1024, 2048, 4096, 8192, 16384 CPU units", "machine 256/512"),
        ({"machine": "B1"}, "it must be CPU units/MiB", "machine 256/512"),
        ({"machine": "8192/17408"}, "with 8192 CPU units Fargate has 16384, 20480", "machine 8192/16384"),
        ({"logDays": "31"}, "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60,", "logDays 60"),
        ({"logDays": "3650"}, "CloudWatch keeps logs for", "logDays 3653"),
        ({"backupCopy": "eu-central-1"}, "another region than eu-central-1's", "backupCopy eu-west-1"),
        ({"backupCopy": "Ireland"}, "another region than eu-central-1's", "backupCopy eu-west-1"),
        ({"storageGb": "20"}, "this storage has no size", "rm storageGb"),
    ],
)
def test_a_fault_says_what_to_type(setting: dict[str, str], said: str, typed: str):
    with pytest.raises(pulumi.RunError) as refused:
        record({"cloud": "aws", **REGIONS["aws"], **setting})
    assert said in str(refused.value)
    assert typed in str(refused.value)
    assert "nothing was changed" in str(refused.value)
