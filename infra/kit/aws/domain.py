"""A host name of your own for the gateway, with a certificate that AWS renews."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import TAGS
from kit import earlier

EARLIER = "task-assist:aws:Gateway"


@dataclass(frozen=True)
class DomainArgs:
    """The host name, and the API's stage that it leads to."""

    domain: str
    api_id: pulumi.Input[str]
    stage_id: pulumi.Input[str]


class Domain(pulumi.ComponentResource):
    """The same API under a domain, once its certificate is proved through DNS."""

    notes: list[pulumi.Input[str]]

    def __init__(self, name: str, args: DomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Domain", name, opts=opts)
        self.name = name
        certificate = aws.acm.Certificate(
            f"{name}-certificate",
            domain_name=args.domain,
            validation_method="DNS",
            tags=TAGS,
            opts=self.was("aws:acm/certificate:Certificate", "certificate"),
        )
        proved = aws.acm.CertificateValidation(
            f"{name}-proved",
            certificate_arn=certificate.arn,
            opts=self.was("aws:acm/certificateValidation:CertificateValidation", "certificate-proved"),
        )
        target = self.serve(args, proved.certificate_arn)
        option = certificate.domain_validation_options[0]
        self.notes = [
            pulumi.Output.concat("DNS, now: ", option.resource_record_name, " CNAME ", option.resource_record_value),
            pulumi.Output.concat(f"DNS, then: {args.domain} CNAME ", target),
        ]
        self.register_outputs({"target": target})

    def was(self, type_: str, name: str) -> pulumi.ResourceOptions:
        """A name can be given to one API only, so the one of version 0.1 goes on."""
        return pulumi.ResourceOptions(parent=self, aliases=[earlier.urn(f"{EARLIER}${type_}", name)])

    def serve(self, args: DomainArgs, certificate_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        """Where the domain's record has to point."""
        name = aws.apigatewayv2.DomainName(
            f"{self.name}-name",
            domain_name=args.domain,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=certificate_arn, endpoint_type="REGIONAL", security_policy="TLS_1_2"
            ),
            tags=TAGS,
            opts=self.was("aws:apigatewayv2/domainName:DomainName", "domain"),
        )
        aws.apigatewayv2.ApiMapping(
            f"{self.name}-mapping",
            api_id=args.api_id,
            domain_name=name.id,
            stage=args.stage_id,
            opts=self.was("aws:apigatewayv2/apiMapping:ApiMapping", "domain"),
        )
        target: pulumi.Output[str] = name.domain_name_configuration.target_domain_name
        return target
