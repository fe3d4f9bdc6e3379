"""The look from outside: Azure's availability test asks the app's address from three continents."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import applicationinsights, monitor

from contract import TAGS, stem

# Amsterdam, Virginia, Singapore: learn.microsoft.com/azure/azure-monitor/app/availability#location-population-tags
PLACES = ("emea-nl-ams-azr", "us-va-ash-azr", "apac-sg-sin-azr")
EVERY_SECONDS = 900
# One place alone may have a bad line.
FAILED_PLACES = 2
# What a month has of them, for the bill.
RUNS_A_MONTH = 30 * 24 * 3600 // EVERY_SECONDS * len(PLACES)


@dataclass(frozen=True)
class UptimeArgs:
    """The address to ask, the workspace that keeps the answers, and the action group to tell."""

    group: pulumi.Input[str]
    health_url: pulumi.Output[str]
    logs_id: pulumi.Output[str]
    action_id: pulumi.Output[str]


class Uptime(pulumi.ComponentResource):
    """A standard test of Application Insights, and the alert on it."""

    def __init__(self, name: str, args: UptimeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Uptime", name, opts=opts)
        self.child = pulumi.ResourceOptions(parent=self)
        insights = applicationinsights.Component(
            f"{name}-insights",
            resource_name_=stem(),
            resource_group_name=args.group,
            kind="web",
            application_type=applicationinsights.ApplicationType.WEB,
            workspace_resource_id=args.logs_id,
            tags=TAGS,
            opts=self.child,
        ).id
        # Without this tag the portal does not find the test.
        linked = insights.apply(lambda insights_id: {**TAGS, f"hidden-link:{insights_id}": "Resource"})
        test = self.test(f"{name}-test", args, linked)
        self.alert(f"{name}-down", args, test, insights, linked)
        self.register_outputs({"test_id": test})

    def test(self, name: str, args: UptimeArgs, tags: pulumi.Output[dict[str, str]]) -> pulumi.Output[str]:
        """The test itself; answers its ID."""
        return applicationinsights.WebTest(
            name,
            web_test_name=f"{stem()}-uptime",
            synthetic_monitor_id=f"{stem()}-uptime",
            resource_group_name=args.group,
            kind=applicationinsights.WebTestKind.STANDARD,
            web_test_kind=applicationinsights.WebTestKind.STANDARD,
            enabled=True,
            frequency=EVERY_SECONDS,
            retry_enabled=True,
            timeout=30,
            locations=[applicationinsights.WebTestGeolocationArgs(location=place) for place in PLACES],
            request=applicationinsights.WebTestPropertiesRequestArgs(
                request_url=args.health_url, http_verb="GET", follow_redirects=False, parse_dependent_requests=False
            ),
            validation_rules=applicationinsights.WebTestPropertiesValidationRulesArgs(
                expected_http_status_code=200, s_sl_check=True, s_sl_cert_remaining_lifetime_check=7
            ),
            tags=tags,
            opts=self.child,
        ).id

    def alert(
        self,
        name: str,
        args: UptimeArgs,
        test: pulumi.Output[str],
        insights: pulumi.Output[str],
        tags: pulumi.Output[dict[str, str]],
    ) -> None:
        monitor.MetricAlert(
            name,
            rule_name=f"{stem()}-down",
            resource_group_name=args.group,
            location="Global",
            description=f"The address does not answer, seen from {FAILED_PLACES} of {len(PLACES)} places.",
            enabled=True,
            severity=1,
            scopes=[test, insights],
            window_size="PT30M",
            evaluation_frequency="PT5M",
            criteria=monitor.WebtestLocationAvailabilityCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria",
                web_test_id=test,
                component_id=insights,
                failed_location_count=FAILED_PLACES,
            ),
            actions=[monitor.MetricAlertActionArgs(action_group_id=args.action_id)],
            tags=tags,
            opts=self.child,
        )
