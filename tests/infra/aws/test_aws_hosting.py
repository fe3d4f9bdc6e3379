"""The task can change nothing but its data and /tmp, has the size that was asked for, and gets its secrets by name."""

import json
import re
from typing import Any

import botocore.session
import pytest

from kit.aws.sizes import LOG_DAYS, MEMORY, memory_of
from tests.infra.plans import CONFIGS, REGIONS, plan
from tests.infra.recording import Plan, record

AWS = [name for name in CONFIGS if name.startswith("aws")]
ECS = botocore.session.get_session().get_service_model("ecs")
LOGS = botocore.session.get_session().get_service_model("logs")


@pytest.fixture(params=AWS)
def found(request: pytest.FixtureRequest) -> Plan:
    return plan(request.param)


def containers(found: Plan) -> list[dict[str, Any]]:
    return [json.loads(task.inputs["containerDefinitions"])[0] for task in found.of("TaskDefinition")]


def test_the_root_file_system_is_read_only_and_tmp_is_in_memory(found: Plan):
    for container in containers(found):
        assert container["readonlyRootFilesystem"] is True
        assert [one["containerPath"] for one in container["linuxParameters"]["tmpfs"]] == ["/tmp"]


def test_ecs_knows_the_options_of_tmp(found: Plan):
    documented = ECS.shape_for("Tmpfs").members["mountOptions"].documentation
    for container in containers(found):
        for tmpfs in container["linuxParameters"]["tmpfs"]:
            assert all(f'"{option}"' in documented for option in tmpfs["mountOptions"])


def test_nobody_is_root(found: Plan):
    for container in containers(found):
        assert container["user"] == "1000:1000"
        assert container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}


def test_each_secret_is_handed_over_by_name_and_by_nothing_else(found: Plan):
    [app] = [one for one in containers(found) if one["environment"]]
    assert [one["name"] for one in app["secrets"]] == ["ADMIN_PASSWORD"]
    assert "the-admin-password" not in found.one("TaskDefinition", "hosting-task").inputs["containerDefinitions"]
    assert "secretString" in found.one("secretVersion:SecretVersion").secret_paths


def test_the_task_waits_for_its_grants_and_its_mount(found: Plan):
    service = found.one("ecs/service:Service")
    ready = [
        *found.of("efs/mountTarget:MountTarget"),
        found.one("FileSystemPolicy"),
        found.one("RolePolicy", "secrets-read"),
    ]
    ready += [found.one("RolePolicy", name) for name in ("storage-task", "hosting-logs")]
    assert {one.urn for one in ready} <= set(service.depends_on)


@pytest.mark.parametrize(("machine", "cpu", "memory"), [("", "256", "512"), ("1024/8192", "1024", "8192")])
def test_the_size_is_the_configs(machine: str, cpu: str, memory: str):
    task = record({"cloud": "aws", **REGIONS["aws"], "machine": machine}).one("TaskDefinition", "hosting-task").inputs
    assert (task["cpu"], task["memory"]) == (cpu, memory)


def test_the_sizes_are_those_of_the_reference():
    text = re.sub("<[^>]+>", "", ECS.shape_for("RegisterTaskDefinitionRequest").members["memory"].documentation)
    assert memory_of("256") == [512, 1024, 2048]
    assert "512 (0.5 GB), 1024 (1 GB), 2048 (2 GB) - Available cpu values: 256" in text
    for cpu in (512, 1024):
        listed = ", ".join(f"{mib} ({mib // 1024} GB)" for mib in memory_of(str(cpu)))
        assert f"{listed} - Available cpu values: {cpu}" in text
    for cpu, words in {
        2048: "Between 4096 (4 GB) and 16384 (16 GB) in increments of 1024 (1 GB)",
        4096: "Between 8192 (8 GB) and 30720 (30 GB) in increments of 1024 (1 GB)",
        8192: "Between 16 GB and 60 GB in 4 GB increments",
        16384: "Between 32GB and 120 GB in 8 GB increments",
    }.items():
        assert f"{words} - Available cpu values: {cpu}" in text
    assert (MEMORY[8192][0], MEMORY[8192][-1], MEMORY[8192].step) == (16 * 1024, 60 * 1024, 4 * 1024)
    assert (MEMORY[16384][0], MEMORY[16384][-1], MEMORY[16384].step) == (32 * 1024, 120 * 1024, 8 * 1024)


def test_the_days_are_those_of_the_reference():
    text = LOGS.shape_for("Days").documentation
    assert ", ".join(map(str, LOG_DAYS[:-1])) + f", and {LOG_DAYS[-1]}." in text
