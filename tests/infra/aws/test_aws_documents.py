"""The documents that AWS's program writes are held to AWS's own models of its services."""

import json
import re
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import Plan

AWS = [name for name in CONFIGS if name.startswith("aws")]


@cache
def service(name: str) -> Any:
    """AWS's own model of one of its services."""
    return botocore.session.get_session().get_service_model(name)


def report(model: Any, operation: str, parameters: dict[str, Any]) -> str:
    """What AWS's own validation says of the parameters of a call; "" if nothing."""
    return ParamValidator().validate(parameters, model.operation_model(operation).input_shape).generate_report()


@pytest.mark.parametrize("name", AWS)
def test_ecs_takes_the_container_definitions(name: str):
    for task in plan(name).of("TaskDefinition"):
        definitions = json.loads(task.inputs["containerDefinitions"])
        call = {"family": task.inputs["family"], "containerDefinitions": definitions}
        assert report(service("ecs"), "RegisterTaskDefinition", call) == ""
        assert set(definitions[0]) <= set(service("ecs").shape_for("ContainerDefinition").members)


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
    assert len(found) >= 10
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


@pytest.mark.parametrize("name", AWS)
def test_ecr_takes_its_life_cycle_policy(name: str):
    [rule] = json.loads(plan(name).one("LifecyclePolicy").inputs["policy"])["rules"]
    assert rule["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 20}
