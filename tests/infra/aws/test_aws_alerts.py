"""Whoever gave an address is told of what goes wrong, and of nothing else."""

import pytest

from kit.aws.alerts import FULL_GIB, alarms
from tests.infra.plans import REGIONS, plan
from tests.infra.recording import Plan, Resource, record

AWS = {"cloud": "aws", **REGIONS["aws"]}
TOLD = {**AWS, "alertEmail": "ops@example.org"}
FULL = "aws-efs-full"


def alarm(found: Plan, name: str) -> Resource:
    [one] = [one for one in found.of("metricAlarm:MetricAlarm") if one.inputs["name"] == f"task-assist-{name}"]
    return one


def test_without_an_address_nothing_watches():
    found = plan("aws-efs")
    for type_ in ("MetricAlarm", "Topic", "TopicSubscription", "HealthCheck", "Budget"):
        assert found.of(type_) == []


@pytest.mark.parametrize(
    ("name", "metric", "dimensions"),
    [
        ("no-task", "AWS/ECS CPUUtilization SampleCount", {"ClusterName", "ServiceName"}),
        ("server-errors", "AWS/ApiGateway 5xx Sum", {"ApiId"}),
        ("no-backup", "AWS/Backup NumberOfBackupJobsCompleted Sum", {"BackupVaultName"}),
        ("backup-failed", "AWS/Backup NumberOfBackupJobsFailed Sum", {"BackupVaultName"}),
        ("copy-failed", "AWS/Backup NumberOfCopyJobsFailed Sum", {"BackupVaultName"}),
        ("file-system-large", "AWS/EFS StorageBytes Maximum", {"FileSystemId", "StorageClass"}),
        ("not-reachable", "AWS/Route53 HealthCheckStatus Minimum", {"HealthCheckId"}),
    ],
)
def test_each_trouble_has_its_alarm(name: str, metric: str, dimensions: set[str]):
    inputs = alarm(plan(FULL), name).inputs
    assert f"{inputs['namespace']} {inputs['metricName']} {inputs['statistic']}" == metric
    assert set(inputs["dimensions"]) == dimensions
    assert inputs["alarmActions"] == inputs["okActions"] != []


@pytest.mark.parametrize("name", ["no-task", "no-backup", "not-reachable"])
def test_silence_counts_as_trouble_where_it_is_one(name: str):
    assert alarm(plan(FULL), name).inputs["treatMissingData"] == "breaching"


@pytest.mark.parametrize("name", ["server-errors", "backup-failed", "file-system-large"])
def test_silence_is_fine_elsewhere(name: str):
    assert alarm(plan(FULL), name).inputs["treatMissingData"] == "notBreaching"


def test_no_alarm_looks_back_further_than_cloudwatch_takes():
    for one in plan(FULL).of("MetricAlarm"):
        whole = one.inputs["period"] * one.inputs["evaluationPeriods"]
        assert whole <= (604_800 if one.inputs["period"] >= 3600 else 86_400)


def test_the_file_system_is_watched_by_bytes():
    inputs = alarm(plan(FULL), "file-system-large").inputs
    assert inputs["threshold"] == FULL_GIB * 1024**3


def test_the_look_from_outside_and_its_mail_are_in_the_one_region_that_has_the_metric():
    found = plan(FULL)
    check = found.one("route53/healthCheck:HealthCheck").inputs
    assert (check["type"], check["fqdn"], check["resourcePath"]) == (
        "HTTPS",
        "a1b2c3.execute-api.eu-central-1.amazonaws.com",
        "/healthz",
    )
    assert len(check["regions"]) == 3
    uptime = alarm(found, "not-reachable").inputs
    [topic] = [one for one in found.of("sns/topic:Topic") if one.inputs.get("region") == "us-east-1"]
    assert uptime["region"] == "us-east-1"
    assert uptime["alarmActions"] == [f"arn:aws:test::123456789012:{topic.name}"]


def test_the_site_is_asked_under_its_own_domain():
    found = record({**TOLD, "domain": "tasks.example.org"})
    assert found.one("route53/healthCheck:HealthCheck").inputs["fqdn"] == "tasks.example.org"


def test_every_mail_goes_to_the_address_and_a_note_says_to_confirm_it():
    found = plan(FULL)
    assert {one.inputs["endpoint"] for one in found.of("TopicSubscription")} == {"ops@example.org"}
    assert any("ops@example.org two mails" in line and "us-east-1" in line for line in found.log)


def test_the_budget_tells_when_it_is_passed_and_when_it_is_going_to_be():
    budget = plan(FULL).one("budgets/budget:Budget").inputs
    assert (budget["limitAmount"], budget["limitUnit"], budget["timeUnit"]) == ("40", "USD", "MONTHLY")
    assert [one["notificationType"] for one in budget["notifications"]] == ["ACTUAL", "FORECASTED"]
    assert record(TOLD).of("Budget") == []


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ({}, {"copy-failed"}),
        ({"backupKeep": "monthly=12"}, {"copy-failed", "no-backup"}),
        ({"backupSchedule": "off"}, {"copy-failed", "no-backup"}),
    ],
)
def test_nothing_is_expected_that_is_not_made(more: dict[str, str], missing: set[str]):
    names = {
        one.inputs["name"].removeprefix("task-assist-") for one in record({**TOLD, **more}, "aws").of("MetricAlarm")
    }
    assert names & {"copy-failed", "no-backup"} == {"copy-failed", "no-backup"} - missing


def test_the_bill_counts_the_alarms_that_there_are():
    found = plan(FULL)
    count = len(found.of("MetricAlarm"))
    assert count == alarms(daily=True, copied=True)
    assert f"{count} alarms $" in found.outputs["monthly_cost_estimate"]
    assert "look from outside $1.50" in found.outputs["monthly_cost_estimate"]
