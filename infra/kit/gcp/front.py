"""HTTPS without a domain: a small reverse proxy on Cloud Run, which reaches the VM through the private network."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import TAGS, stem
from kit import caddy
from kit.gcp.region import region

PROXY_PORT = 8080


@dataclass(frozen=True)
class FrontArgs:
    """`address` is the VM's, inside the network. `account` may do nothing: the proxy reads nothing."""

    project: pulumi.Output[str]
    network_id: pulumi.Output[str]
    subnet_id: pulumi.Output[str]
    docker_hub: pulumi.Output[str]
    account: pulumi.Output[str]
    address: pulumi.Output[str]


def run_host(project: pulumi.Output[str]) -> pulumi.Output[str]:
    """The host name that Cloud Run gives the stack's service, known before there is one.

    SERVICE-PROJECT_NUMBER.REGION.run.app: cloud.google.com/run/docs/triggering/https-request
    """
    number = gcp.organizations.get_project_output(project_id=project).number
    return pulumi.Output.concat(f"{stem()}-", number, f".{region()}.run.app")


class Front(pulumi.ComponentResource):
    """Caddy on Cloud Run. It waits while the VM is made anew."""

    def __init__(self, name: str, args: FrontArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Front", name, opts=opts)
        gcp.cloudrunv2.Service(
            f"{name}-service",
            name=stem(),
            project=args.project,
            location=region(),
            ingress="INGRESS_TRAFFIC_ALL",
            # The app has its own sign-in.
            invoker_iam_disabled=True,
            deletion_protection=False,
            template=template(args),
            labels=TAGS,
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name="front")]),
        )
        self.register_outputs({})


def template(args: FrontArgs) -> gcp.cloudrunv2.ServiceTemplateArgs:
    """Caddy with its whole configuration in one setting."""
    run = gcp.cloudrunv2
    caddyfile = args.address.apply(lambda address: caddy.behind_front_end(PROXY_PORT, address))
    return run.ServiceTemplateArgs(
        service_account=args.account,
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
                run.ServiceTemplateVpcAccessNetworkInterfaceArgs(network=args.network_id, subnetwork=args.subnet_id)
            ],
        ),
    )
