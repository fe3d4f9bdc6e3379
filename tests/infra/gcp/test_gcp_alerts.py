"""Alarms: only where somebody is to be told, each about this stack, and none that rings by itself."""

import re
from typing import Any

import pytest

from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import Plan, record

EMAIL = {"alertEmail": "you@example.org"}
BUDGET = {**EMAIL, "monthlyBudget": "20", "billingAccount": "012345-6789AB-CDEF01"}


def told(name: str, **more: str) -> Plan:
    return record({**CONFIGS[name], **EMAIL, **more})


def condition(found: Plan, name: str) -> Any:
    policy = found.one("AlertPolicy", name)
    assert policy.inputs["notificationChannels"]
    [one] = policy.inputs["conditions"]
    return one.get("conditionThreshold") or one["conditionPrometheusQueryLanguage"]


@pytest.mark.parametrize("name", ["gcp-disk", "gcp-filestore"])
def test_without_an_address_nobody_is_told_and_no_api_is_switched_on_for_it(name: str):
    assert not [one for one in plan(name).resources if "monitoring" in one.type or "logging/" in one.type]
    services = {one.inputs["service"] for one in plan(name).of("projects/service:Service")}
    assert not services & {"monitoring.googleapis.com", "billingbudgets.googleapis.com"}


@pytest.mark.parametrize("name", ["gcp-disk", "gcp-disk-domain", "gcp-filestore"])
def test_each_thing_that_matters_has_an_alarm(name: str):
    found = told(name)
    assert {one.name for one in found.of("AlertPolicy")} == {
        "alerts-away",
        "alerts-full",
        "alerts-failed",
        "alerts-without-backup",
    }
    assert found.one("NotificationChannel").inputs["labels"] == {"email_address": "you@example.org"}
    assert any("you@example.org" in line for line in found.log)


def test_the_site_is_looked_at_from_outside_where_people_reach_it():
    for name in ("gcp-disk", "gcp-disk-domain"):
        found = told(name)
        check = found.one("UptimeCheckConfig").inputs
        assert f"https://{check['monitoredResource']['labels']['host']}" == found.outputs["url"]
        assert check["httpCheck"]["path"] == "/healthz"
        assert check["httpCheck"]["validateSsl"] is True
        # The weekly change of the VM's system and a redeploy take less.
        assert condition(found, "alerts-away")["duration"] == "900s"


@pytest.mark.parametrize(("name", "resource"), [("gcp-disk", "gce_disk"), ("gcp-filestore", "cloud_run_job")])
def test_a_missing_backup_rings_after_a_day_and_a_quarter_and_not_before(name: str, resource: str):
    found = told(name)
    metric = found.one("logging/metric:Metric").inputs
    query = condition(found, "alerts-without-backup")
    wanted = f"logging_googleapis_com:user_{metric['name']}{{monitored_resource='{resource}'}}"
    assert query["query"] == f"absent_over_time({wanted}[6h])"
    assert re.fullmatch(r"[a-z_]+", metric["name"])
    # Longer than the day between two, and a window no longer than the 25 hours that log-based metrics admit.
    assert 24 < int(query["duration"][:-1]) / 3600 + 6 < 48
    assert resource in metric["filter"]


def test_a_snapshot_of_another_stacks_disk_does_not_count():
    pattern = re.findall(r'targetLink=~"([^"]+)"', told("gcp-disk").one("logging/metric:Metric").inputs["filter"])[0]
    assert re.search(pattern, "https://x/zones/z/disks/task-assist-data")
    assert not re.search(pattern, "https://x/zones/z/disks/task-assist-data-2")
    assert not re.search(pattern, "https://x/zones/z/disks/task-assist-blue-data")


def test_what_the_job_says_is_what_the_alarm_waits_for():
    found = told("gcp-filestore")
    text = re.findall(r'textPayload:"([^"]+)"', found.one("logging/metric:Metric").inputs["filter"])[0]
    job = found.one("cloudrunv2/job:Job", "backups-job").inputs
    assert f'echo "{text} ' in job["template"]["template"]["containers"][0]["commands"][2]
    assert f'job_name="{job["name"]}"' in found.one("logging/metric:Metric").inputs["filter"]


def test_backups_off_rings_for_none():
    found = told("gcp-disk", backupSchedule="off")
    assert not found.of("logging/metric:Metric")
    assert "alerts-without-backup" not in {one.name for one in found.of("AlertPolicy")}


def test_a_full_disk_is_the_one_that_the_unit_mounts():
    found = told("gcp-disk")
    query = condition(found, "alerts-full")["query"]
    assert query.endswith(" > 80")
    assert "instance_id='" in query
    # By its mount options, since the device's name differs from machine to machine.
    assert "mount_option=~'.*noatime.*'" in query
    metadata = found.one("compute/instance:Instance").inputs["metadata"]
    assert "Options=noatime" in metadata["user-data"]
    assert metadata["google-monitoring-enabled"] == "true"


def test_a_failed_job_of_this_stack_rings():
    found = told("gcp-disk")
    pattern = re.findall(r'full_match\("([^"]+)"\)', condition(found, "alerts-failed")["filter"])[0]
    jobs = [one.inputs["name"] for name in ("gcp-disk", "gcp-filestore") for one in told(name).of("cloudrunv2/job:Job")]
    assert {one for one in jobs if re.fullmatch(pattern, one)} == {"task-assist-renewal", "task-assist-backups"}


def test_a_budget_is_asked_for_in_the_projects_name():
    found = record({**CONFIGS["gcp-disk"], **BUDGET})
    budget = found.one("billing/budget:Budget").inputs
    assert budget["amount"] == {"specifiedAmount": {"units": "20"}}
    assert budget["budgetFilter"]["projects"] == ["projects/123456789"]
    assert budget["allUpdatesRule"]["monitoringNotificationChannels"]
    provider = found.one("pulumi:providers:gcp", "alerts-billing").inputs
    assert provider["userProjectOverride"] in (True, "true")
    assert not told("gcp-disk").of("billing/budget:Budget")
