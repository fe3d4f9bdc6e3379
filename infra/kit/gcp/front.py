"""HTTPS without a domain: a small reverse proxy on Cloud Run, which reaches the VM through the private network."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import NAME, TAGS
from kit import caddy
from kit.gcp.network import Network
from kit.gcp.region import region

PROXY_PORT = 8080


@dataclass(frozen=True)
class FrontArgs:
    """`address` is the VM's, inside the network."""

    project: pulumi.Output[str]
    network: Network
    docker_hub: pulumi.Output[str]
    address: pulumi.Output[str]


def run_url(project: pulumi.Output[str]) -> pulumi.Output[str]:
    """The address that Cloud Run gives a service of this name, known before there is one.

    https://SERVICE-PROJECT_NUMBER.REGION.run.app: cloud.google.com/run/docs/triggering/https-request
    """
    number = gcp.organizations.get_project_output(project_id=project).number
    return pulumi.Output.concat(f"https://{NAME}-", number, f".{region()}.run.app")


class Front(pulumi.ComponentResource):
    """Caddy on Cloud Run. It waits while the VM is made anew."""

    def __init__(self, name: str, args: FrontArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Front", name, opts=opts)
        run = gcp.cloudrunv2
        child = pulumi.ResourceOptions(parent=self)
        # An account without any role: the proxy reads nothing.
        account = gcp.serviceaccount.Account("front", project=args.project, account_id=f"{NAME}-front", opts=child)
        caddyfile = args.address.apply(lambda address: caddy.behind_front_end(PROXY_PORT, address))
        run.Service(
            "front",
            name=NAME,
            project=args.project,
            location=region(),
            ingress="INGRESS_TRAFFIC_ALL",
            # The app has its own sign-in.
            invoker_iam_disabled=True,
            deletion_protection=False,
            template=run.ServiceTemplateArgs(
                service_account=account.email,
                timeout="120s",
                max_instance_request_concurrency=200,
                scaling=run.ServiceTemplateScalingArgs(min_instance_count=0, max_instance_count=2),
                containers=[
                    run.ServiceTemplateContainerArgs(
                        image=pulumi.Output.concat(args.docker_hub, caddy.IMAGE),
                        commands=["sh", "-c", 'printf "%s" "$CADDYFILE" | caddy run --config - --adapter caddyfile'],
                        envs=[run.ServiceTemplateContainerEnvArgs(name="CADDYFILE", value=caddyfile)],
                        ports=run.ServiceTemplateContainerPortsArgs(container_port=PROXY_PORT),
                        resources=run.ServiceTemplateContainerResourcesArgs(
                            limits={"cpu": "1", "memory": "256Mi"}, cpu_idle=True, startup_cpu_boost=True
                        ),
                    )
                ],
                vpc_access=run.ServiceTemplateVpcAccessArgs(
                    egress="PRIVATE_RANGES_ONLY",
                    network_interfaces=[
                        run.ServiceTemplateVpcAccessNetworkInterfaceArgs(
                            network=args.network.network_id, subnetwork=args.network.subnet_id
                        )
                    ],
                ),
            ),
            labels=TAGS,
            opts=child,
        )
        self.register_outputs({})
