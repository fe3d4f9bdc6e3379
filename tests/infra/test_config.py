"""A wrong value of each kind gives one clear line with the command that mends it; all faults come at once."""

from collections.abc import Mapping

import pulumi
import pytest
import yaml

from reader import DEFAULTS
from tests.infra.plans import DIGEST, REGIONS
from tests.infra.recording import ROOT, record

GCP = {"cloud": "gcp", **REGIONS["gcp"]}
AWS = {"cloud": "aws", **REGIONS["aws"]}


def faults(config: Mapping[str, str]) -> str:
    with pytest.raises(pulumi.RunError) as refused:
        record(config)
    return str(refused.value)


@pytest.mark.parametrize(
    ("config", "said", "command"),
    [
        ({}, "cloud is not set", "pulumi config set cloud azure"),
        ({"cloud": "dockr"}, "cloud is 'dockr'", "pulumi config set cloud azure"),
        ({"cloud": "docker", "storage": "nfs"}, "storage is 'nfs'", "pulumi config set storage volume"),
        ({"cloud": "docker", "storage": "/"}, "directory of its own", "pulumi config set storage /srv/task-assist"),
        ({"cloud": "docker", "storage": "/srv/../etc"}, "directory of its own", "pulumi config set storage /srv"),
        ({"cloud": "docker", "database": "postgres"}, "server yet", "pulumi config set database sqlite"),
        ({"cloud": "docker", "database": "mysql"}, "server yet", "pulumi config set database sqlite"),
        ({"cloud": "docker", "database": "oracle"}, "'oracle'", "pulumi config set database sqlite"),
        ({"cloud": "docker", "instances": "2"}, "one writer", "pulumi config set instances 1"),
        ({"cloud": "docker", "instances": "two"}, "whole number", "pulumi config set instances 1"),
        ({"cloud": "docker", "instances": "-1"}, "whole number", "pulumi config set instances 1"),
        ({"cloud": "docker", "rollout": "handover"}, "one container's only", "pulumi config set rollout recreate"),
        ({**GCP, "rollout": "handover"}, "one VM at a time", "pulumi config set rollout recreate"),
        (
            {"cloud": "aws", "aws:region": "x", "image": "task-assist" + DIGEST, "rollout": "handover"},
            "may lack the lease",
            "pulumi config set rollout recreate",
        ),
        ({"cloud": "docker", "rollout": "blue"}, "'blue'", "pulumi config set rollout recreate"),
        ({"cloud": "docker", "backupSchedule": "daily"}, "cron", 'pulumi config set backupSchedule "15 3 * * *"'),
        ({"cloud": "docker", "backupSchedule": "99 3 * * *"}, "cron", "pulumi config set backupSchedule"),
        ({"cloud": "docker", "backupSchedule": "0 0 31 2 *"}, "never comes", "pulumi config set backupSchedule"),
        ({"cloud": "docker", "backupSchedule": "٣ 3 * * *"}, "cron", "pulumi config set backupSchedule"),
        ({"cloud": "docker", "backupKeep": "hourly=3"}, "last, daily", "pulumi config set backupKeep"),
        ({"cloud": "docker", "backupKeep": "daily=0"}, "not all zero", "pulumi config set backupKeep"),
        ({"cloud": "azure", "storageKeyIndex": "3"}, "from 1 to 2", "pulumi config set storageKeyIndex 1"),
        ({"cloud": "docker", "storageKeyIndex": "2"}, "means nothing on docker", "pulumi config rm storageKeyIndex"),
        ({"cloud": "docker", "port": "0"}, "from 1 to 65535", "pulumi config set port 8000"),
        ({"cloud": "docker", "storage": "//"}, "directory of its own", "pulumi config set storage /srv/task-assist"),
        ({"cloud": "docker", "backupSchedule": "15 5-3 * * *"}, "cron", "pulumi config set backupSchedule"),
        ({"cloud": "docker", "image": "https://x/y"}, "image's name", "pulumi config set image task-assist"),
        ({**GCP, "domain": "t.example.org", "image": "https://x/y" + DIGEST}, "without https", "REGISTRY/task-assist@"),
        ({**GCP, "domain": "t.example.org", "image": "x/it's" + DIGEST}, "image's name", "REGISTRY/task-assist@"),
        ({**AWS, "logDays": "²"}, "from 1 to 3653", "pulumi config set logDays 30"),
        ({**AWS, "logDays": "31"}, "CloudWatch keeps", "pulumi config set logDays 60"),
        ({"cloud": "aws", "storageGb": "10"}, "has no size", "pulumi config rm storageGb"),
        ({**GCP, "storageGb": "5"}, "from 10 to", "pulumi config set storageGb 10"),
        ({"cloud": "docker", "alertEmail": "me"}, "e-mail", "pulumi config set alertEmail you@example.org"),
        ({"cloud": "docker", "monthlyBudget": "much"}, "whole number", "pulumi config set monthlyBudget 1"),
        ({"cloud": "aws", "aws:region": "x", "monthlyBudget": "9"}, "be told", "pulumi config set alertEmail you@"),
        (
            {"cloud": "docker", "domain": "https://x.org"},
            "without https://",
            "pulumi config set domain tasks.example.org",
        ),
        ({"cloud": "docker", "adminEmail": "me"}, "e-mail", "pulumi config set adminEmail"),
        ({"cloud": "docker", "image": "a b"}, "image's name", "pulumi config set image task-assist"),
        ({"cloud": "docker", "docker:host": "server"}, "ssh://", "pulumi config set docker:host ssh://"),
        ({"cloud": "azure"}, "region", "pulumi config set azure-native:location westeurope"),
        ({"cloud": "aws"}, "region", "pulumi config set aws:region eu-central-1"),
        (
            {"cloud": "aws", "aws:region": "x", "image": "task-assist:1"},
            "digest",
            "pulumi config set image task-assist:1@",
        ),
        ({"cloud": "gcp"}, "project to bill", "pulumi config set gcp:project my-project"),
        ({**GCP, "gcp:zone": "us-central1-a"}, "region europe-west1", "pulumi config set gcp:zone europe-west1-b"),
        ({**GCP, "image": "ghcr.example/x" + DIGEST}, "no public address", "pulumi config set image europe-west1-"),
        (
            {
                **GCP,
                "storage": "filestore",
                "domain": "t.example.org",
                "gcp:region": "me-west1",
                "gcp:zone": "me-west1-a",
            },
            "maps domains only in",
            "pulumi config set gcp:region europe-west1",
        ),
        ({"cloud": "docker", "databse": "sqlite"}, "databse is not a setting", "pulumi config rm databse"),
    ],
)
def test_a_wrong_value_is_named_with_the_command_that_mends_it(
    config: Mapping[str, str], said: str, command: str, monkeypatch: pytest.MonkeyPatch
):
    for variable in ("ARM_LOCATION", "AWS_REGION", "AWS_DEFAULT_REGION", "GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(variable, raising=False)
    message = faults(config)
    assert said in message
    assert command in message


@pytest.mark.parametrize("name", ["Prod", "production", "a_b", "-x"])
def test_a_stack_name_that_no_cloud_could_take_into_its_names_is_refused(name: str):
    with pytest.raises(pulumi.RunError) as refused:
        record({"cloud": "docker"}, stack=name)
    assert f"The stack's name is {name!r}" in str(refused.value)
    assert "at most 8" in str(refused.value)
    assert "pulumi stack rename prod" in str(refused.value)


@pytest.mark.parametrize("fault", [{"database": "oracle"}, {"logDays": "0"}, {"logDays": "3654"}, {"port": "0"}])
def test_one_wrong_value_is_one_fault(fault: Mapping[str, str]):
    message = faults({**({"cloud": "docker"} if "port" in fault else AWS), **fault})
    assert "has one fault" in message


@pytest.mark.parametrize(
    "image",
    ["task-assist", "localhost:5000/a/b_c:v1.2", "me/app" + DIGEST, DIGEST[1:], "ab" * 6, "registry.example.org/x--y"],
)
def test_a_docker_host_takes_every_way_to_name_an_image(image: str):
    record({"cloud": "docker", "image": image})


def test_all_faults_come_at_once():
    message = faults({"cloud": "docker", "instances": "x", "domain": "X", "backupKeep": "?"})
    assert "3 faults" in message
    assert message.count("pulumi config set") == 3


def test_nothing_is_planned_with_a_fault():
    with pytest.raises(pulumi.RunError, match="nothing was changed"):
        record({"cloud": "docker", "instances": "0"})


def test_backups_off_makes_none():
    found = record({"cloud": "aws", **REGIONS["aws"], "backupSchedule": "off"})
    assert not found.of("backup/plan:Plan")
    assert not found.of("backup/selection:Selection")


@pytest.mark.parametrize(("rollout", "most"), [("", 200), ("handover", 200), ("recreate", 100)])
def test_the_rollout_can_be_chosen_for_the_image_built_here(rollout: str, most: int):
    found = record({"cloud": "aws", **REGIONS["aws"], "rollout": rollout})
    assert found.one("ecs/service:Service").inputs["deploymentMaximumPercent"] == most


def test_the_schedule_and_the_counts_reach_the_provider():
    found = record({"cloud": "aws", **REGIONS["aws"], "backupSchedule": "45 5 * * *", "backupKeep": "daily=9 weekly=2"})
    rules = {rule["ruleName"]: rule for rule in found.one("backup/plan:Plan").inputs["rules"]}
    assert rules["daily"]["schedule"] == "cron(45 5 * * ? *)"
    assert rules["daily"]["lifecycle"]["deleteAfter"] == 9
    assert rules["weekly"]["lifecycle"]["deleteAfter"] == 14
    assert "monthly" not in rules


def test_the_second_key_mounts_after_a_rotation():
    found = record({"cloud": "azure", **REGIONS["azure"], "storageKeyIndex": "2"})
    assert found.one("keyvault:Secret", "vault-storage-key").plain["properties"]["value"] == "account-key-2"


def test_pulumi_yaml_declares_every_setting_with_the_same_default():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert {key: str(value["default"]) for key, value in declared.items()} == dict(DEFAULTS)
    assert all(set(value) == {"description", "default"} for value in declared.values())


@pytest.mark.parametrize("cloud", ["azure", "aws", "gcp", "docker"])
def test_the_stack_files_work_as_they_stand(cloud: str):
    stack = yaml.safe_load((ROOT / f"Pulumi.{cloud}.yaml").read_text())
    assert set(stack) == {"config"}
    config = {key.removeprefix("task-assist:"): str(value) for key, value in stack["config"].items()}
    needs = {"gcp": {"gcp:project": "my-project"}}.get(cloud, {})
    assert record({**config, **needs}, stack=cloud).outputs["url"]
    assert config["cloud"] == cloud
