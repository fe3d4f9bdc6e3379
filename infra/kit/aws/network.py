"""The default VPC, and who may talk to whom in it."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import NAME, PORT, TAGS

NFS_PORT = 2049
# docs.aws.amazon.com/apigateway: zones where VPC links can't be, 2026-11.
NO_VPC_LINKS = frozenset({"use1-az3", "usw1-az2"})


@dataclass(frozen=True)
class NetworkArgs:
    """Nothing yet: the default VPC is used as it is."""


class Network(pulumi.ComponentResource):
    """One subnet per zone, and a security group each for the gateway's link, the task and the file system."""

    vpc_id: str
    subnet_ids: list[str]
    link_subnet_ids: list[str]
    link_group: pulumi.Output[str]
    task_group: pulumi.Output[str]
    storage_group: pulumi.Output[str]

    def __init__(self, name: str, _args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Network", name, opts=opts)
        self.vpc_id = default_vpc()
        zones = subnets_by_zone(self.vpc_id)
        self.subnet_ids = list(zones.values())
        self.link_subnet_ids = [subnet for zone, subnet in zones.items() if zone not in NO_VPC_LINKS]
        self.link_group = self.group("link", "the link of API Gateway")
        self.task_group = self.group("task", "the task")
        self.storage_group = self.group("storage", "the file system")
        self.allow("link-to-task", self.link_group, self.task_group, PORT)
        self.allow("task-to-storage", self.task_group, self.storage_group, NFS_PORT)
        # Images, secrets and logs come from AWS's own addresses, which change.
        aws.vpc.SecurityGroupEgressRule(
            "task-to-aws",
            security_group_id=self.task_group,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4="0.0.0.0/0",
            description="HTTPS to AWS",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})

    def group(self, name: str, whose: str) -> pulumi.Output[str]:
        """A security group that lets nothing through until a rule says so."""
        return aws.ec2.SecurityGroup(
            name,
            vpc_id=self.vpc_id,
            description=f"{NAME}: {whose}",
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        ).id

    def allow(self, name: str, source: pulumi.Output[str], target: pulumi.Output[str], port: int) -> None:
        """Lets `source` open connections to `target` on one port: a rule on each side."""
        child = pulumi.ResourceOptions(parent=self)
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-out",
            security_group_id=source,
            referenced_security_group_id=target,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=name,
            opts=child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-in",
            security_group_id=target,
            referenced_security_group_id=source,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=name,
            opts=child,
        )


def default_vpc() -> str:
    """The default VPC's ID. Some accounts have deleted theirs."""
    found = aws.ec2.get_vpcs(filters=[aws.ec2.GetVpcsFilterArgs(name="is-default", values=["true"])])
    if not found.ids:
        raise pulumi.RunError("This region has no default VPC. Type: aws ec2 create-default-vpc")
    return found.ids[0]


def subnets_by_zone(vpc_id: str) -> dict[str, str]:
    """The VPC's default subnets by zone ID; there is one in each zone."""
    filters = [
        aws.ec2.GetSubnetsFilterArgs(name="vpc-id", values=[vpc_id]),
        aws.ec2.GetSubnetsFilterArgs(name="default-for-az", values=["true"]),
    ]
    subnets = [aws.ec2.get_subnet(id=subnet) for subnet in aws.ec2.get_subnets(filters=filters).ids]
    if not subnets:
        raise pulumi.RunError(
            "The default VPC has no default subnets. Type: aws ec2 create-default-subnet --availability-zone …"
        )
    return {
        subnet.availability_zone_id: subnet.id
        for subnet in sorted(subnets, key=lambda subnet: subnet.availability_zone_id)
    }
