"""HTTPS without a load balancer: API Gateway, a link into the VPC, and Cloud Map to find the task."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import NAME, TAGS
from kit.aws.network import Network


@dataclass(frozen=True)
class GatewayArgs:
    """`domain` is a host name of your own, or None for AWS's."""

    network: Network
    domain: str | None


class Gateway(pulumi.ComponentResource):
    """The public address, and the registry in which ECS lists the task's address and port."""

    url: pulumi.Output[str]
    service_registry_arn: pulumi.Output[str]
    notes: list[pulumi.Input[str]]

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Gateway", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        self.notes = []
        registry = task_registry(args.network.vpc_id, child)
        self.service_registry_arn = registry.arn
        api = aws.apigatewayv2.Api("api", protocol_type="HTTP", tags=TAGS, opts=child)
        link = aws.apigatewayv2.VpcLink(
            "link",
            subnet_ids=args.network.link_subnet_ids,
            security_group_ids=[args.network.link_group],
            tags=TAGS,
            opts=child,
        )
        integration = aws.apigatewayv2.Integration(
            "task",
            api_id=api.id,
            integration_type="HTTP_PROXY",
            integration_method="ANY",
            integration_uri=registry.arn,
            connection_type="VPC_LINK",
            connection_id=link.id,
            payload_format_version="1.0",
            opts=child,
        )
        route = aws.apigatewayv2.Route(
            "all",
            api_id=api.id,
            route_key="$default",
            target=pulumi.Output.concat("integrations/", integration.id),
            opts=child,
        )
        stage = aws.apigatewayv2.Stage(
            "stage",
            api_id=api.id,
            name="$default",
            auto_deploy=True,
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[route]),
        )
        self.url = pulumi.Output.from_input(f"https://{args.domain}") if args.domain else api.api_endpoint
        if args.domain:
            self.serve(args.domain, api, stage)
        self.register_outputs({})

    def serve(self, domain: str, api: aws.apigatewayv2.Api, stage: aws.apigatewayv2.Stage) -> None:
        """The same API under a domain, once its certificate is proved through DNS."""
        child = pulumi.ResourceOptions(parent=self)
        certificate = aws.acm.Certificate(
            "certificate", domain_name=domain, validation_method="DNS", tags=TAGS, opts=child
        )
        proved = aws.acm.CertificateValidation("certificate-proved", certificate_arn=certificate.arn, opts=child)
        name = aws.apigatewayv2.DomainName(
            "domain",
            domain_name=domain,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=proved.certificate_arn, endpoint_type="REGIONAL", security_policy="TLS_1_2"
            ),
            tags=TAGS,
            opts=child,
        )
        aws.apigatewayv2.ApiMapping("domain", api_id=api.id, domain_name=name.id, stage=stage.id, opts=child)
        option = certificate.domain_validation_options[0]
        self.notes = [
            pulumi.Output.concat("DNS, now: ", option.resource_record_name, " CNAME ", option.resource_record_value),
            pulumi.Output.concat(f"DNS, then: {domain} CNAME ", name.domain_name_configuration.target_domain_name),
        ]


def task_registry(vpc_id: str, opts: pulumi.ResourceOptions) -> aws.servicediscovery.Service:
    """A private Cloud Map service. SRV records, because the gateway takes the port from there."""
    namespace = aws.servicediscovery.PrivateDnsNamespace(
        "names", name=f"{NAME}.internal", vpc=vpc_id, tags=TAGS, opts=opts
    )
    return aws.servicediscovery.Service(
        "task",
        name="app",
        dns_config=aws.servicediscovery.ServiceDnsConfigArgs(
            namespace_id=namespace.id,
            dns_records=[aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type="SRV", ttl=10)],
            routing_policy="MULTIVALUE",
        ),
        # A task that was killed leaves its entry behind, and that would stop `destroy`.
        force_destroy=True,
        tags=TAGS,
        opts=opts,
    )
