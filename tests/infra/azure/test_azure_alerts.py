"""Who is told of what, and who is not."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.infra.plans import REGIONS, plan
from tests.infra.recording import Plan, record

EMAIL = "you@example.org"


def told(**config: str) -> Plan:
    return record({"cloud": "azure", **REGIONS["azure"], "alertEmail": EMAIL, **config})


def criterion(found: Plan, name: str) -> Mapping[str, Any]:
    [one] = found.one("MetricAlert", name).plain["criteria"]["allOf"]
    return one


def test_nobody_is_told_where_nobody_is_named():
    found = plan("azure-smb")
    for type_ in ("ActionGroup", "MetricAlert", "ScheduledQueryRule", "Budget", "WebTest"):
        assert not found.of(type_)


def test_every_rule_writes_to_the_address():
    found = told()
    [receiver] = found.one("ActionGroup").plain["emailReceivers"]
    assert receiver["emailAddress"] == EMAIL
    assert len(found.one("ActionGroup").plain["groupShortName"]) <= 12
    for rule in found.of("MetricAlert"):
        assert rule.plain["actions"] == [{"actionGroupId": "alerts-mail-id"}], rule.name
    assert found.one("ScheduledQueryRule").plain["actions"] == {"actionGroups": ["alerts-mail-id"]}
    [action] = found.one("AlertProcessingRuleByName").plain["properties"]["actions"]
    assert action["actionGroupIds"] == ["alerts-mail-id"]
    assert any(EMAIL in line and "nothing has to be confirmed" in line for line in found.log)


def test_an_app_that_is_not_healthy_or_fails_is_told():
    found = told()
    health, errors = criterion(found, "alerts-not-healthy"), criterion(found, "alerts-server-errors")
    assert (health["metricName"], health["operator"], health["threshold"]) == ("HealthCheckStatus", "LessThan", 50)
    assert (errors["metricName"], errors["operator"]) == ("Http5xx", "GreaterThan")


@pytest.mark.parametrize(("gb", "most"), [("10", 8 * 2**30), ("100", 80 * 2**30)])
def test_a_share_that_is_four_fifths_full_is_told(gb: str, most: int):
    found = told(storageGb=gb)
    capacity = criterion(found, "alerts-share-full")
    assert (capacity["metricName"], capacity["threshold"]) == ("FileCapacity", most)
    # Measured once an hour, so the rule looks back further than that.
    assert found.one("MetricAlert", "alerts-share-full").plain["windowSize"] == "PT6H"


def test_two_days_without_a_snapshot_are_told_and_none_are_missed_where_none_are_made():
    rule = told().one("ScheduledQueryRule")
    [condition] = rule.plain["criteria"]["allOf"]
    assert rule.plain["windowSize"] == "P2D"
    assert "JobStatus == 'Completed'" in condition["query"]
    assert (condition["operator"], condition["threshold"]) == ("LessThan", 1)
    found = told(backupSchedule="off")
    assert not found.of("ScheduledQueryRule")
    assert not found.of("AlertProcessingRuleByName")


def test_the_jobs_that_the_query_reads_are_written_where_it_reads():
    found = told()
    jobs = found.one("DiagnosticSetting", "alerts-backup-jobs").plain
    assert jobs["resourceUri"] == "snapshots-vault-id"
    assert [jobs["workspaceId"]] == found.one("ScheduledQueryRule").plain["scopes"]
    assert jobs["logAnalyticsDestinationType"] == "Dedicated"


def test_somebody_looks_from_outside():
    found = told(domain="tasks.example.org")
    test = found.one("WebTest").plain
    assert test["request"]["requestUrl"] == "https://tasks.example.org/healthz"
    assert test["validationRules"]["expectedHttpStatusCode"] == 200
    assert test["tags"]["hidden-link:alerts-uptime-insights-id"] == "Resource"
    alert = found.one("MetricAlert", "alerts-uptime-down").plain
    assert alert["criteria"]["webTestId"] == "alerts-uptime-test-id"
    assert alert["criteria"]["failedLocationCount"] < len(test["locations"])


def test_a_month_above_the_budget_is_told():
    budget = told(monthlyBudget="30").one("consumption:Budget")
    assert budget.plain["amount"] == 30
    assert budget.plain["scope"] == "task-assist-id"
    assert re.fullmatch(r"\d{4}-\d\d-01T00:00:00Z", budget.plain["timePeriod"]["startDate"])
    # Of the month in which it was made: the next month's `up` must not move it.
    assert budget.options["ignoreChanges"] == ["timePeriod"]
    assert {one["thresholdType"] for one in budget.plain["notifications"].values()} == {"Actual", "Forecasted"}
    assert not told().of("consumption:Budget")


def test_what_the_alerts_cost_is_in_the_estimate():
    assert "8640 looks from outside" in told().outputs["monthly_cost_estimate"]
