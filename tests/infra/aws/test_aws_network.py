"""The network has words that EC2 takes, zones that the services are in, and closed doors."""

import re
from collections.abc import Mapping

import pulumi
import pytest

from kit.aws.zones import ZONES
from tests.infra import answers
from tests.infra.plans import CONFIGS, REGIONS, plan
from tests.infra.recording import Plan, record

AWS = [name for name in CONFIGS if name.startswith("aws")]
# EC2's CreateSecurityGroup, Description: at most 255 of these.
DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}")
VIRGINIA = {"cloud": "aws", "aws:region": "us-east-1"}


@pytest.mark.parametrize("name", AWS)
def test_every_description_has_only_the_letters_that_ec2_takes(name: str):
    found = plan(name)
    rules = found.of("securityGroupIngressRule:SecurityGroupIngressRule") + found.of("EgressRule")
    described = [one.inputs["description"] for one in found.of("ec2/securityGroup:SecurityGroup") + rules]
    assert len(described) == 8
    assert [text for text in described if not DESCRIPTION.fullmatch(text)] == []


def subnets_in(monkeypatch: pytest.MonkeyPatch, zones: Mapping[str, str]) -> None:
    """The default VPC has these subnets, by ID, in these zones."""
    monkeypatch.setattr(
        answers, "CALLS", {**answers.CALLS, "aws:ec2/getSubnets:getSubnets": {"ids": list(zones)}}, raising=True
    )
    original = answers.answer_call

    def answer(token: str, args: Mapping[str, str]):
        if token == "aws:ec2/getSubnet:getSubnet":
            return {"id": args["id"], "availabilityZoneId": zones[args["id"]]}
        return original(token, args)

    monkeypatch.setattr("tests.infra.recording.answer_call", answer)


def places(found: Plan) -> tuple[list[str], list[str], list[str]]:
    """The subnets of the gateway's link, of the task and of the file system."""
    return (
        found.one("apigatewayv2/vpcLink:VpcLink").inputs["subnetIds"],
        found.one("ecs/service:Service").inputs["networkConfiguration"]["subnets"],
        [one.inputs["subnetId"] for one in found.of("efs/mountTarget:MountTarget")],
    )


def test_only_zones_that_have_the_links_and_fargate_are_used(monkeypatch: pytest.MonkeyPatch):
    subnets_in(monkeypatch, {"s1": "use1-az1", "s3": "use1-az3", "s6": "use1-az6", "s9": "use1-az9"})
    for used in places(record(VIRGINIA)):
        # Mount targets are asked for in no order.
        assert sorted(used) == ["s1", "s6"]


def test_a_default_vpc_without_a_usable_subnet_is_refused_with_what_to_type(monkeypatch: pytest.MonkeyPatch):
    subnets_in(monkeypatch, {"s3": "use1-az3"})
    with pytest.raises(pulumi.RunError, match="create-default-subnet --region us-east-1") as refused:
        record(VIRGINIA)
    assert "pulumi config set network own" in str(refused.value)


@pytest.mark.parametrize("region", ["eu-south-1", "ap-northeast-3", "il-central-1", "af-south-1", "moon-north-1"])
def test_a_region_without_the_links_is_a_fault_of_the_config(region: str):
    with pytest.raises(pulumi.RunError, match=f"aws:region is '{region}'") as refused:
        record({"cloud": "aws", "aws:region": region})
    assert "pulumi config set aws:region eu-central-1" in str(refused.value)
    assert "nothing was changed" in str(refused.value)


def test_zone_ids_are_of_their_region():
    assert len(ZONES) == 19
    for region, zones in ZONES.items():
        assert zones
        assert len({zone.partition("-")[0] for zone in zones}) == 1, region
        assert all(re.fullmatch(r"[a-z]+\d-az\d", zone) for zone in zones)


def test_a_network_of_its_own_is_public_in_two_zones_and_pays_for_no_nat():
    found = record({"cloud": "aws", **REGIONS["aws"], "network": "own"})
    assert [one.inputs["availabilityZoneId"] for one in found.of("ec2/subnet:Subnet")] == ["euc1-az1", "euc1-az2"]
    assert found.of("ec2/natGateway:NatGateway") == []
    vpc = found.one("ec2/vpc:Vpc").inputs
    # What EFS's and Cloud Map's names need.
    assert vpc["enableDnsSupport"] and vpc["enableDnsHostnames"]
    used = places(found)
    assert used[0] == used[1] == sorted(used[2])
    assert len(used[0]) == 2
    assert found.one("ec2/route:Route").inputs["destinationCidrBlock"] == "0.0.0.0/0"


def test_what_needs_the_way_out_waits_for_it():
    found = record({"cloud": "aws", **REGIONS["aws"], "network": "own"})
    way_out = found.one("ec2/route:Route").urn
    assert way_out in found.one("ecs/service:Service").depends_on
    assert way_out in found.one("apigatewayv2/vpcLink:VpcLink").depends_on


def test_the_network_is_default_or_own():
    with pytest.raises(pulumi.RunError, match="network is 'vpc-1': it must be default or own"):
        record({"cloud": "aws", **REGIONS["aws"], "network": "vpc-1"})
