"""A domain of your own on the Web App, with a certificate that Azure manages."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import resources, web

from contract import Kept

API = "2023-12-01"


@dataclass(frozen=True)
class DomainArgs:
    """The site and the host name. Its DNS records must be there first; Azure checks them."""

    group: pulumi.Input[str]
    site_name: pulumi.Output[str]
    plan_id: pulumi.Output[str]
    location: pulumi.Output[str]
    domain: str


class Domain(pulumi.ComponentResource):
    """The host name, and a template that gets its certificate and binds the two.

    The certificate needs the host name, and can't be deleted while the host name uses it: Azure answers 409
    (pulumi-azure-native#578, terraform-provider-azurerm#15595), and no resource of azure-native unbinds. So the
    certificate is no resource of this stack. A template of Azure's makes it, under a name that the domain and the site
    give it: deleting a deployment deletes nothing, deleting the host name ends the binding with it, and the same
    domain later finds its certificate again. What stays is a certificate that nobody uses and that is free.
    """

    kept: list[Kept]

    def __init__(self, name: str, args: DomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Domain", name, opts=opts)
        binding = web.WebAppHostNameBinding(
            f"{name}-binding",
            resource_group_name=args.group,
            name=args.site_name,
            host_name=args.domain,
            host_name_type=web.HostNameType.VERIFIED,
            # The template below sets them.
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=["sslState", "thumbprint"], aliases=[pulumi.Alias(name="binding")]
            ),
        )
        template = pulumi.Output.all(args.site_name, args.plan_id, args.location).apply(
            lambda values: https_template(args.domain, *values)
        )
        resources.Deployment(
            f"{name}-https",
            resource_group_name=args.group,
            properties=resources.DeploymentPropertiesArgs(mode=resources.DeploymentMode.INCREMENTAL, template=template),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[binding], aliases=[pulumi.Alias(name="https")]),
        )
        certificate = args.site_name.apply(lambda site: certificate_name(args.domain, site))
        self.kept = [Kept(pulumi.Output.concat("certificate ", certificate), "bound to nothing any more, free")]
        self.register_outputs({"certificate": certificate})


def certificate_name(domain: str, site_name: str) -> str:
    return f"{domain}-{site_name}"


def https_template(domain: str, site_name: str, plan_id: str, location: str) -> dict[str, object]:
    """An Azure Resource Manager template: the certificate, then the host name once more with it."""
    certificate = certificate_name(domain, site_name)
    certificate_id = f"resourceId('Microsoft.Web/certificates', '{certificate}')"
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [
            {
                "type": "Microsoft.Web/certificates",
                "apiVersion": API,
                "name": certificate,
                "location": location,
                "properties": {"canonicalName": domain, "serverFarmId": plan_id},
            },
            {
                "type": "Microsoft.Web/sites/hostNameBindings",
                "apiVersion": API,
                "name": f"{site_name}/{domain}",
                "dependsOn": [f"[{certificate_id}]"],
                "properties": {"sslState": "SniEnabled", "thumbprint": f"[reference({certificate_id}).thumbprint]"},
            },
        ],
    }
