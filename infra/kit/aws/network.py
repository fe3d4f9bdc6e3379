"""The network, and who may talk to whom in it."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import NAME, PORT, TAGS
from kit.aws.vpc import Subnet, Vpc, default_vpc, own_vpc

NFS_PORT = 2049


@dataclass(frozen=True)
class NetworkArgs:
    """`own`: a VPC of the stack's own; else the account's default VPC is used as it is."""

    own: bool
    region: str


class Network(pulumi.ComponentResource):
    """One subnet per zone, and a security group each for the gateway's link, the task and the file system."""

    vpc_id: pulumi.Input[str]
    subnets: list[Subnet]
    # What has to be there before anything in the network reaches AWS.
    ready: list[pulumi.Resource]
    link_group: pulumi.Output[str]
    task_group: pulumi.Output[str]
    storage_group: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Network", name, opts=opts)
        vpc: Vpc = own_vpc(name, args.region, self) if args.own else default_vpc(args.region)
        self.vpc_id, self.subnets, self.ready = vpc.id, vpc.subnets, vpc.ready
        self.name = name
        self.link_group = self.group("link", "the link of API Gateway")
        self.task_group = self.group("task", "the task")
        self.storage_group = self.group("storage", "the file system")
        self.allow("link-to-task", self.link_group, self.task_group, PORT)
        self.allow("task-to-storage", self.task_group, self.storage_group, NFS_PORT)
        # Images, secrets and logs come from AWS's own addresses, which change.
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-task-to-aws",
            security_group_id=self.task_group,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4="0.0.0.0/0",
            description="HTTPS to AWS",
            opts=self.was("task-to-aws"),
        )
        self.register_outputs({"vpc_id": self.vpc_id, "subnet_ids": [subnet.id for subnet in self.subnets]})

    def was(self, name: str) -> pulumi.ResourceOptions:
        """Groups and rules of version 0.1 go on under their new names: EC2 refuses the same rule a second time."""
        return pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name=name)])

    def group(self, name: str, whose: str) -> pulumi.Output[str]:
        """A security group that lets nothing through until a rule says so.

        Its description may have letters, digits, spaces and ._-:/()#,@[]+=&;{}!$* (EC2's CreateSecurityGroup).
        """
        return aws.ec2.SecurityGroup(
            f"{self.name}-{name}",
            vpc_id=self.vpc_id,
            description=f"{NAME}: {whose}",
            tags=TAGS,
            opts=self.was(name),
        ).id

    def allow(self, name: str, source: pulumi.Output[str], target: pulumi.Output[str], port: int) -> None:
        """Lets `source` open connections to `target` on one port: a rule on each side."""
        aws.vpc.SecurityGroupEgressRule(
            f"{self.name}-{name}-out",
            security_group_id=source,
            referenced_security_group_id=target,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=name,
            opts=self.was(f"{name}-out"),
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self.name}-{name}-in",
            security_group_id=target,
            referenced_security_group_id=source,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=name,
            opts=self.was(f"{name}-in"),
        )
