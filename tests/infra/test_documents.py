"""What the programs write for others to read is read here by those others, or by their own schemas."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from kit import caddy
from tests.containers.running import docker
from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import Plan

AWS = [name for name in CONFIGS if name.startswith("aws")]
VM = [name for name in CONFIGS if name.startswith("gcp-disk")]


@cache
def service(name: str) -> Any:
    """AWS's own model of one of its services."""
    return botocore.session.get_session().get_service_model(name)


def report(model: Any, operation: str, parameters: dict[str, Any]) -> str:
    """What AWS's own validation says of the parameters of a call; "" if nothing."""
    return ParamValidator().validate(parameters, model.operation_model(operation).input_shape).generate_report()


@pytest.mark.parametrize("name", AWS)
def test_ecs_takes_the_container_definitions(name: str):
    definitions = json.loads(plan(name).one("TaskDefinition").inputs["containerDefinitions"])
    call = {"family": "task-assist", "containerDefinitions": definitions}
    assert report(service("ecs"), "RegisterTaskDefinition", call) == ""
    known = set(service("ecs").shape_for("ContainerDefinition").members)
    assert set(definitions[0]) <= known


def test_the_check_of_container_definitions_can_fail():
    call = {"family": "task-assist", "containerDefinitions": [{"name": "x", "portMappings": "8000"}]}
    assert "portMappings" in report(service("ecs"), "RegisterTaskDefinition", call)


def policies(found: Plan) -> dict[str, dict[str, Any]]:
    documents = {
        f"{one.type} {one.name}": one.inputs["policy"] for one in found.of("RolePolicy") + found.of("SystemPolicy")
    }
    trust = {f"{one.type} {one.name}": one.inputs["assumeRolePolicy"] for one in found.of("iam/role:Role")}
    return {name: json.loads(text) for name, text in (documents | trust).items()}


@pytest.mark.parametrize("name", AWS)
def test_every_policy_is_an_iam_policy(name: str):
    found = policies(plan(name))
    assert len(found) == 6
    for document in found.values():
        assert document["Version"] == "2012-10-17"
        for statement in document["Statement"]:
            assert set(statement) <= {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
            assert statement["Effect"] in ("Allow", "Deny")
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+\*?", action) for action in actions)
            assert re.fullmatch(r"[A-Za-z0-9]*", statement.get("Sid", ""))


@pytest.mark.parametrize("name", AWS)
def test_no_role_may_do_more_than_its_work(name: str):
    for document in policies(plan(name)).values():
        for statement in document["Statement"]:
            if statement["Effect"] == "Allow":
                assert "*" not in "".join(statement["Action"])
                # The one call that AWS gives no resource for.
                assert statement.get("Resource") != "*" or statement["Action"] == ["ecr:GetAuthorizationToken"]


@pytest.mark.parametrize("name", AWS)
def test_efs_takes_its_policy(name: str):
    policy = plan(name).one("FileSystemPolicy").inputs["policy"]
    assert report(service("efs"), "PutFileSystemPolicy", {"FileSystemId": "fs-12345678", "Policy": policy}) == ""
    allow, deny = json.loads(policy)["Statement"]
    assert allow["Condition"]["StringEquals"]["elasticfilesystem:AccessPointArn"].endswith(":app")
    assert allow["Principal"] == {"AWS": "arn:aws:test::123456789012:task"}
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("name", AWS)
def test_ecr_takes_its_life_cycle_policy(name: str):
    [rule] = json.loads(plan(name).one("LifecyclePolicy").inputs["policy"])["rules"]
    assert rule["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 20}


CADDYFILES = {
    "for a domain": caddy.for_domain("tasks.example.org", "task-assist"),
    "behind a front end": caddy.behind_front_end(8080, "10.30.0.2"),
}


def read_in(debian: str, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Lets a program of Debian's read the files of a folder, which it finds under /files."""
    there = f"type=bind,source={folder},target=/files,readonly"
    return docker("run", "--rm", "--network", "none", "--mount", there, debian, *command, check=False)


@pytest.mark.containers
@pytest.mark.parametrize("text", CADDYFILES.values(), ids=CADDYFILES)
def test_caddy_takes_the_caddyfile(text: str, debian: str, tmp_path: Path):
    (tmp_path / "Caddyfile").write_text(text)
    checked = read_in(debian, tmp_path, "caddy", "validate", "--config", "/files/Caddyfile", "--adapter", "caddyfile")
    assert checked.returncode == 0, checked.stderr
    assert "not formatted" not in checked.stderr


def files(name: str) -> dict[str, str]:
    """The files that the VM's first boot writes."""
    text = plan(name).one("compute/instance:Instance").inputs["metadata"]["user-data"]
    first, _, document = text.partition("\n")
    assert first == "#cloud-config"
    return {file["path"]: file["content"] for file in json.loads(document)["write_files"]}


@pytest.mark.containers
@pytest.mark.parametrize("name", VM)
def test_cloud_init_takes_the_user_data(name: str, debian: str, tmp_path: Path):
    user_data = plan(name).one("compute/instance:Instance").inputs["metadata"]["user-data"]
    (tmp_path / "user-data").write_text(user_data)
    checked = read_in(debian, tmp_path, "cloud-init", "schema", "--config-file", "/files/user-data")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.containers
@pytest.mark.parametrize("name", VM)
def test_systemd_takes_the_units(name: str, debian: str, tmp_path: Path):
    units = {Path(path).name: text for path, text in files(name).items() if path.startswith("/etc/systemd/system/")}
    assert set(units) >= {"task-assist.service", "mnt-disks-data.mount", "format-data.service"}
    for file, text in {**units, "docker.service": "[Service]\nExecStart=/bin/true\n"}.items():
        # The commands are the VM's own; what is checked here is all the rest.
        (tmp_path / file).write_text(re.sub(r"=(-?)/usr/bin/docker\S*", r"=\1/bin/true", text))
    there = [f"/files/{file.name}" for file in tmp_path.iterdir()]
    checked = read_in(debian, tmp_path, "systemd-analyze", "verify", "--man=no", *there)
    assert checked.returncode == 0, checked.stderr
    about_ours = [line for line in checked.stderr.splitlines() if "/files/" in line or "task-assist" in line]
    assert about_ours == []


SHELL = {path: text for name in VM for path, text in files(name).items() if path.startswith("/etc/task-assist/")}


@pytest.mark.parametrize("path", [path for path in SHELL if not path.endswith("Caddyfile")])
def test_bash_takes_the_scripts(path: str):
    checked = subprocess.run(["bash", "-n"], input=SHELL[path], capture_output=True, text=True, check=False)
    assert checked.stderr == ""
