"""Two stacks in one subscription."""

from collections.abc import Iterator

import pytest

from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import Plan, record

# What Azure knows by one name in the whole world, or in the subscription.
ALONE = {
    "azure-native:resources:ResourceGroup": "resourceGroupName",
    "azure-native:storage:StorageAccount": "accountName",
    "azure-native:containerregistry:Registry": "registryName",
    "azure-native:keyvault:Vault": "vaultName",
    "azure-native:web:WebApp": "name",
    "azure-native:recoveryservices:Vault": "vaultName",
}


def names(found: Plan) -> Iterator[tuple[str, str]]:
    for resource in found.resources:
        if resource.type in ALONE:
            yield resource.type, resource.plain[ALONE[resource.type]]


def test_two_stacks_share_no_name():
    config = CONFIGS["azure-smb"]
    first, second = set(names(record(config))), set(names(record(config, stack="blue")))
    assert {type_ for type_, _ in first} == {type_ for type_, _ in second} == set(ALONE)
    assert first.isdisjoint(second)


@pytest.mark.parametrize("stack", ["azure", "blue", "a", "12345678", "a-b-c-de"])
def test_a_name_fits_whatever_the_stack_is_called(stack: str):
    found = dict(names(record(CONFIGS["azure-smb"], stack=stack)))
    for type_ in ("storage:StorageAccount", "containerregistry:Registry", "keyvault:Vault"):
        name = found[f"azure-native:{type_}"]
        assert 3 <= len(name) <= 24
        assert name.isalnum() and name.islower() and name[0].isalpha()
    assert len(found["azure-native:web:WebApp"]) <= 60


def test_a_vault_that_is_made_again_gets_another_name():
    """Azure keeps the old name for 7 days, and `destroy --exclude-protected` keeps what the account's is made of."""
    found = plan("azure-smb")
    kept = found.one("storage:StorageAccount", "storage-account").depends["accountName"]
    of_vault = found.one("keyvault:Vault").depends["vaultName"]
    assert kept and of_vault
    assert not set(kept) & set(of_vault)
