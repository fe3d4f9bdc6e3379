"""A domain of your own on the Web App, with a certificate that Azure manages."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import resources, web

from contract import TAGS


@dataclass(frozen=True)
class DomainArgs:
    """The site and the host name. Its DNS records must be there first; Azure checks them."""

    group: pulumi.Input[str]
    site_name: pulumi.Output[str]
    plan_id: pulumi.Output[str]
    domain: str


class Domain(pulumi.ComponentResource):
    """Binding, certificate, and the binding once more with the certificate."""

    def __init__(self, name: str, args: DomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Domain", name, opts=opts)
        binding = web.WebAppHostNameBinding(
            "binding",
            resource_group_name=args.group,
            name=args.site_name,
            host_name=args.domain,
            host_name_type=web.HostNameType.VERIFIED,
            # The deployment below sets them.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["sslState", "thumbprint"]),
        )
        certificate = web.Certificate(
            "certificate",
            resource_group_name=args.group,
            canonical_name=args.domain,
            server_farm_id=args.plan_id,
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[binding]),
        )
        # The certificate needs the binding and the binding needs the certificate: a template writes the second half.
        resources.Deployment(
            "https",
            resource_group_name=args.group,
            properties=resources.DeploymentPropertiesArgs(
                mode=resources.DeploymentMode.INCREMENTAL,
                template=pulumi.Output.all(args.site_name, certificate.thumbprint).apply(
                    lambda values: https_template(args.domain, *values)
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def https_template(domain: str, site_name: str, thumbprint: str) -> dict[str, object]:
    """An Azure Resource Manager template that binds the certificate to the host name."""
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [
            {
                "type": "Microsoft.Web/sites/hostNameBindings",
                "apiVersion": "2023-12-01",
                "name": f"{site_name}/{domain}",
                "properties": {"sslState": "SniEnabled", "thumbprint": thumbprint},
            }
        ],
    }
