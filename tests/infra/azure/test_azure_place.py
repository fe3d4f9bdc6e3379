"""What Azure alone refuses in the config, with the command that mends it."""

from collections.abc import Mapping

import pulumi
import pytest

from tests.infra.plans import REGIONS
from tests.infra.recording import record


def faults(config: Mapping[str, str]) -> str:
    with pytest.raises(pulumi.RunError) as refused:
        record({"cloud": "azure", **REGIONS["azure"], **config})
    return str(refused.value)


@pytest.mark.parametrize(
    ("config", "said", "command"),
    [
        ({"machine": "F1"}, "it must be B1 or", "pulumi config set machine B1"),
        ({"machine": "b1"}, "it must be B1 or", "pulumi config set machine B1"),
        ({"storageGb": "5121"}, "from 1 to 5120", "pulumi config set storageGb 1"),
        ({"storageGb": "0"}, "from 1 to 5120", "pulumi config set storageGb 1"),
        ({"logDays": "7"}, "from 30 to 730", "pulumi config set logDays 30"),
        ({"backupCopy": "eastus"}, "its own vault", "pulumi config set backupCopy vault"),
        ({"backupKeep": "daily=201"}, "at most 200 of daily", "pulumi config set backupKeep daily=200"),
        ({"backupKeep": "daily=7 monthly=121"}, "at most 120 of monthly", "pulumi config set backupKeep monthly=120"),
    ],
)
def test_a_value_that_azure_refuses_is_named_with_the_command_that_mends_it(
    config: Mapping[str, str], said: str, command: str
):
    message = faults(config)
    assert said in message
    assert command in message


def test_a_stack_with_nfs_is_told_what_it_can_do_and_not_to_take_another_account():
    message = faults({"storage": "nfs"})
    assert "no NFS on Azure" in message
    assert "goes on with version 0.1" in message
    assert "docs/deploy/azure.md#moving-in-and-out" in message
    # That command would plan another account, without the data.
    assert "pulumi config set storage" not in message
