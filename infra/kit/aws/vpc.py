"""The VPC: the account's default one as it is, or one that the stack makes."""

from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from contract import TAGS, stem
from kit.aws.zones import ZONES

# Two zones: a task that loses its zone finds another, and each mount target is one more thing to make.
OWN_ZONES = 2
OWN_RANGE = "10.20.0.0/16"


@dataclass(frozen=True)
class Subnet:
    """A subnet and its zone's ID. `number` counts the default VPC's zones, from 1, as version 0.1 named them."""

    zone: str
    id: pulumi.Input[str]
    number: int


@dataclass(frozen=True)
class Vpc:
    """A network whose tasks reach AWS through public addresses, without a NAT gateway."""

    id: pulumi.Input[str]
    subnets: list[Subnet]
    ready: list[pulumi.Resource] = field(default_factory=lambda: [])


def default_vpc(region: str) -> Vpc:
    """The account's own. Raises RunError where it was deleted, or has no subnet in a zone that we can use."""
    found = aws.ec2.get_vpcs(filters=[aws.ec2.GetVpcsFilterArgs(name="is-default", values=["true"])])
    if not found.ids:
        raise pulumi.RunError(
            f"{region} has no default VPC. Type: aws ec2 create-default-vpc --region {region}\n"
            "or let the stack make a network: pulumi config set network own"
        )
    subnets = [subnet for subnet in default_subnets(found.ids[0]) if subnet.zone in ZONES[region]]
    if not subnets:
        raise pulumi.RunError(
            f"The default VPC has no subnet in the zones that Fargate and API Gateway's links share in {region}"
            f" ({', '.join(ZONES[region])}). `aws ec2 describe-availability-zones --region {region}` has their names.\n"
            f"Type: aws ec2 create-default-subnet --region {region} --availability-zone NAME\n"
            "or let the stack make a network: pulumi config set network own"
        )
    return Vpc(found.ids[0], subnets)


def default_subnets(vpc_id: str) -> list[Subnet]:
    """The VPC's default subnets by zone ID; there is one in each zone."""
    filters = [
        aws.ec2.GetSubnetsFilterArgs(name="vpc-id", values=[vpc_id]),
        aws.ec2.GetSubnetsFilterArgs(name="default-for-az", values=["true"]),
    ]
    found = [aws.ec2.get_subnet(id=subnet) for subnet in aws.ec2.get_subnets(filters=filters).ids]
    by_zone = sorted(found, key=lambda subnet: subnet.availability_zone_id)
    return [Subnet(subnet.availability_zone_id, subnet.id, number) for number, subnet in enumerate(by_zone, start=1)]


def own_vpc(name: str, region: str, parent: pulumi.Resource) -> Vpc:
    """A VPC with a public subnet in each of two zones."""
    child, tags = pulumi.ResourceOptions(parent=parent), {**TAGS, "Name": stem()}
    vpc = aws.ec2.Vpc(
        f"{name}-vpc",
        cidr_block=OWN_RANGE,
        # EFS and Cloud Map are found by names that only the VPC's own DNS knows.
        enable_dns_support=True,
        enable_dns_hostnames=True,
        tags=tags,
        opts=child,
    )
    internet = aws.ec2.InternetGateway(f"{name}-internet", vpc_id=vpc.id, tags=tags, opts=child)
    table = aws.ec2.RouteTable(f"{name}-routes", vpc_id=vpc.id, tags=tags, opts=child)
    ready: list[pulumi.Resource] = [
        aws.ec2.Route(
            f"{name}-to-internet",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=internet.id,
            opts=child,
        )
    ]
    subnets: list[Subnet] = []
    for number, zone in enumerate(ZONES[region][:OWN_ZONES], start=1):
        subnet = aws.ec2.Subnet(
            f"{name}-{zone}",
            vpc_id=vpc.id,
            availability_zone_id=zone,
            cidr_block=f"10.20.{number}.0/24",
            tags=tags,
            opts=child,
        )
        ready.append(
            aws.ec2.RouteTableAssociation(f"{name}-{zone}", subnet_id=subnet.id, route_table_id=table.id, opts=child)
        )
        subnets.append(Subnet(zone, subnet.id, number))
    return Vpc(vpc.id, subnets, ready)
