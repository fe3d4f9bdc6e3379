"""HTTPS without a load balancer: API Gateway, a link into the VPC, and Cloud Map to find the task."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import TAGS, stem
from kit.aws.vpc import Subnet

# HTTP APIs write no X-Forwarded-For, and let nobody write it (*Transforming API requests*, reserved headers). A header
# of our own they do write, over whatever the client sent. No hyphen: WSGI takes a_b for a-b, and the last one wins.
CLIENT_HEADER = "clientaddress"
CLIENT_ADDRESS = {f"overwrite:header.{CLIENT_HEADER}": "$context.identity.sourceIp"}
# *Logging variables for HTTP APIs*.
LOGGED: Mapping[str, str] = {
    "time": "$context.requestTime",
    "request": "$context.requestId",
    "from": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "ms": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}


@dataclass(frozen=True)
class GatewayArgs:
    """Where the link goes, what has to be there before, and how many days the access log stays."""

    vpc_id: pulumi.Input[str]
    subnets: list[Subnet]
    link_group: pulumi.Input[str]
    ready: list[pulumi.Resource]
    log_days: int


class Gateway(pulumi.ComponentResource):
    """The public address, and the registry in which ECS lists the task's address and port."""

    url: pulumi.Output[str]
    api_id: pulumi.Output[str]
    stage_id: pulumi.Output[str]
    registry_arn: pulumi.Output[str]

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Gateway", name, opts=opts)
        self.name = name
        self.registry_arn = self.registry(args.vpc_id)
        api = aws.apigatewayv2.Api(f"{name}-api", name=stem(), protocol_type="HTTP", tags=TAGS, opts=self.was("api"))
        self.url, self.api_id = api.api_endpoint, api.id
        route = self.route_all(self.integration(self.link(args)))
        self.stage_id = self.stage(route, args.log_days)
        self.register_outputs({"url": self.url, "registry_arn": self.registry_arn})

    def was(self, name: str) -> pulumi.ResourceOptions:
        """The address of version 0.1 goes on, and nothing of it is made a second time under a name that is taken."""
        return pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name=name)])

    def registry(self, vpc_id: pulumi.Input[str]) -> pulumi.Output[str]:
        """A private Cloud Map service. SRV records, because the gateway takes the port from there.

        ECS reports the container's health to it, so that nobody is sent to a task that does not listen yet. An empty
        `health_check_custom_config` would be made anew at each `up` (terraform-provider-aws#44285). The SDK warns of
        the one argument that it has; as a dictionary it is the same without the warning.
        """
        namespace = aws.servicediscovery.PrivateDnsNamespace(
            f"{self.name}-names", name=f"{stem()}.internal", vpc=vpc_id, tags=TAGS, opts=self.was("names")
        )
        return aws.servicediscovery.Service(
            f"{self.name}-tasks",
            # Version 0.1 had "app", without health, and the two are there at once for a moment.
            name="web",
            dns_config=aws.servicediscovery.ServiceDnsConfigArgs(
                namespace_id=namespace.id,
                dns_records=[aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type="SRV", ttl=10)],
                routing_policy="MULTIVALUE",
            ),
            health_check_custom_config={"failure_threshold": 1},
            # A task that was killed leaves its entry behind, and that would stop `destroy`.
            force_destroy=True,
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        ).arn

    def link(self, args: GatewayArgs) -> pulumi.Output[str]:
        """Network interfaces of the gateway's in the VPC. A link can't be changed, so a change makes a new one."""
        return aws.apigatewayv2.VpcLink(
            f"{self.name}-link",
            subnet_ids=[subnet.id for subnet in args.subnets],
            security_group_ids=[args.link_group],
            tags=TAGS,
            opts=pulumi.ResourceOptions.merge(self.was("link"), pulumi.ResourceOptions(depends_on=args.ready)),
        ).id

    def integration(self, link_id: pulumi.Output[str]) -> pulumi.Output[str]:
        """What is done with a request: on to the task, with the client's address in a header of its own."""
        return aws.apigatewayv2.Integration(
            f"{self.name}-task",
            api_id=self.api_id,
            integration_type="HTTP_PROXY",
            integration_method="ANY",
            integration_uri=self.registry_arn,
            connection_type="VPC_LINK",
            connection_id=link_id,
            payload_format_version="1.0",
            request_parameters=CLIENT_ADDRESS,
            opts=self.was("task"),
        ).id

    def route_all(self, integration_id: pulumi.Output[str]) -> pulumi.Resource:
        return aws.apigatewayv2.Route(
            f"{self.name}-all",
            api_id=self.api_id,
            route_key="$default",
            target=pulumi.Output.concat("integrations/", integration_id),
            opts=self.was("all"),
        )

    def stage(self, route: pulumi.Resource, log_days: int) -> pulumi.Output[str]:
        """Serves the routes, and writes a line for each request. The log's prefix is the one that AWS may write to."""
        log = aws.cloudwatch.LogGroup(
            f"{self.name}-access",
            name=f"/aws/vendedlogs/{stem()}-access",
            retention_in_days=log_days,
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.apigatewayv2.Stage(
            f"{self.name}-stage",
            api_id=self.api_id,
            name="$default",
            auto_deploy=True,
            access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=log.arn, format=json.dumps(LOGGED)
            ),
            tags=TAGS,
            opts=pulumi.ResourceOptions.merge(self.was("stage"), pulumi.ResourceOptions(depends_on=[route])),
        ).id
