"""Machine, network, copy and budget: what Google would refuse is refused first, in words."""

import warnings
from collections.abc import Mapping

import pulumi
import pytest

from tests.infra import answers
from tests.infra.plans import CONFIGS
from tests.infra.recording import record

DISK, FILESTORE = CONFIGS["gcp-disk"], CONFIGS["gcp-filestore"]
FOUND = "gcp:compute/getSubnetwork:getSubnetwork"


@pytest.mark.parametrize(
    ("config", "said", "command"),
    [
        ({**DISK, "machine": "t2a-standard-1"}, "must be x86", "pulumi config set machine e2-micro"),
        ({**DISK, "machine": "n4-standard-2"}, "persistent disks", "pulumi config set machine e2-micro"),
        ({**FILESTORE, "machine": "e2-micro"}, "vCPU/MiB", "pulumi config set machine 1/512"),
        ({**FILESTORE, "machine": "3/1024"}, "1, 2, 4, 6, 8 vCPU", "pulumi config set machine 1/512"),
        ({**FILESTORE, "machine": "4/512"}, "4 vCPU take from 2048 to 16384", "pulumi config set machine 4/2048"),
        ({**DISK, "network": "mine"}, "own or default", "pulumi config set network own"),
        ({**DISK, "backupCopy": "europe-west1"}, "the stack itself", "pulumi config set backupCopy us-east1"),
        ({**DISK, "backupCopy": "moon"}, "asia, eu, us", "pulumi config set backupCopy us-east1"),
        ({**FILESTORE, "backupCopy": "eu"}, "a region of", "pulumi config set backupCopy us-east1"),
        (
            {**DISK, "alertEmail": "a@b.org", "monthlyBudget": "20"},
            "in a billing account",
            "pulumi config set billingAccount 012345-6789AB-CDEF01",
        ),
        ({**DISK, "billingAccount": "mine"}, "six signs", "pulumi config set billingAccount 012345-"),
        (
            {**FILESTORE, "alertEmail": "a@b.org", "backupSchedule": "0 3 * * 0"},
            "are daily",
            'pulumi config set backupSchedule "15 3 * * *"',
        ),
    ],
)
def test_what_google_would_refuse_is_named_with_the_command_that_mends_it(
    config: Mapping[str, str], said: str, command: str
):
    with pytest.raises(pulumi.RunError) as refused:
        record(config)
    assert said in str(refused.value)
    assert command in str(refused.value)


def test_the_machine_is_the_configs():
    found = record({**DISK, "machine": "e2-medium"})
    assert found.one("compute/instance:Instance").inputs["machineType"] == "e2-medium"
    [container] = (
        record({**FILESTORE, "machine": "2/1024"}).one("Service", "hosting-service").inputs["template"]["containers"]
    )
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "1024Mi"}


def subnet(private: bool) -> dict[str, object]:
    return {
        "id": "default-subnet",
        "network": "default-network",
        "ipCidrRange": "10.132.0.0/20",
        "privateIpGoogleAccess": private,
    }


def test_the_projects_own_network_is_used_and_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answers, "CALLS", {**answers.CALLS, FOUND: subnet(private=True)})
    found = record({**DISK, "network": "default"})
    assert not found.of("compute/network:Network") + found.of("Subnetwork")
    assert found.one("compute/instance:Instance").inputs["networkInterfaces"][0]["subnetwork"] == "default-subnet"
    assert found.one("Firewall", "hosting-proxy").inputs["sourceRanges"] == ["10.132.0.0/20"]
    assert not any("network" in kept for kept in found.outputs["kept_on_destroy"])


def test_a_vm_that_could_pull_nothing_is_refused_with_the_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answers, "CALLS", {**answers.CALLS, FOUND: subnet(private=False)})
    with pytest.raises(pulumi.RunError, match="--enable-private-ip-google-access"):
        record({**DISK, "network": "default"})
    # With a public address it can.
    assert record({**DISK, "network": "default", "domain": "tasks.example.org"}).outputs["url"]


def test_a_project_without_a_default_network_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import pulumi_gcp.compute

    def refused(**_: object) -> None:
        raise Exception("invoke of gcp:compute/getSubnetwork:getSubnetwork failed: not found")

    monkeypatch.setattr(pulumi_gcp.compute, "get_subnetwork", refused)
    with pytest.raises(pulumi.RunError, match="pulumi config set network own"):
        record({**DISK, "network": "default"})


HOOK = {"notifyUrl": "https://hooks.example.org/a"}


def test_a_vm_without_a_public_address_gets_a_way_out_for_the_webhook():
    found = record({**DISK, **HOOK})
    nat, router = found.one("RouterNat").plain, found.one("compute/router:Router")
    assert router.urn in found.one("RouterNat").depends["router"]
    subnet = found.one("compute/subnetwork:Subnetwork")
    assert nat["sourceSubnetworkIpRangesToNat"] == "LIST_OF_SUBNETWORKS"
    assert [one["name"] for one in nat["subnetworks"]] == [f"{subnet.name}-id"]
    assert "Cloud NAT and its address, for notifyUrl $4.67?" in found.outputs["monthly_cost_estimate"]


@pytest.mark.parametrize(
    "config",
    [DISK, {**DISK, **HOOK, "domain": "tasks.example.org"}, {**FILESTORE, **HOOK}],
    ids=["none", "domain", "run"],
)
def test_what_needs_no_way_out_gets_and_pays_none(config: Mapping[str, str]):
    found = record(config)
    assert not found.of("RouterNat")
    assert "Cloud NAT" not in found.outputs["monthly_cost_estimate"]


def test_in_the_projects_own_network_it_is_said_and_none_is_made(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answers, "CALLS", {**answers.CALLS, FOUND: subnet(private=True)})
    found = record({**DISK, **HOOK, "network": "default"})
    assert not found.of("RouterNat")
    assert [line for line in found.log if "needs Cloud NAT" in line]
