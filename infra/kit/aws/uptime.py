"""The look from outside: Route 53 asks the app's public address from three continents."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import HEALTH_PATH, TAGS, stem
from kit.aws.alarm import Limit, Metric, alarm, mail

# Route 53's metrics are in this region alone, and an alarm's topic must be in the alarm's region
# (Route 53, *Monitoring health checks using CloudWatch*).
REGION = "us-east-1"
# Three is the least that Route 53 takes (CreateHealthCheck, `Regions`).
FROM = ("us-east-1", "eu-west-1", "ap-southeast-1")


@dataclass(frozen=True)
class UptimeArgs:
    """The site's address, and whom to tell."""

    url: pulumi.Output[str]
    email: str


class Uptime(pulumi.ComponentResource):
    """A health check over HTTPS, with its own mail."""

    def __init__(self, name: str, args: UptimeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Uptime", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        check = aws.route53.HealthCheck(
            f"{name}-check",
            type="HTTPS",
            fqdn=args.url.apply(lambda url: url.removeprefix("https://")),
            port=443,
            resource_path=HEALTH_PATH,
            request_interval=30,
            failure_threshold=3,
            regions=[*FROM],
            tags={**TAGS, "Name": stem()},
            opts=child,
        )
        physical_name = f"{stem()}-not-reachable"
        alarm(
            f"{name}-not-reachable",
            physical_name,
            f"{HEALTH_PATH} does not answer from outside.",
            Metric("AWS/Route53", "HealthCheckStatus", {"HealthCheckId": check.id}, "Minimum"),
            Limit("<", 1, seconds=60, periods=5, silence_is_bad=True),
            mail(f"{name}-mail", physical_name, args.email, REGION, child),
            child,
            region=REGION,
        )
        self.register_outputs({"check": check.id})
