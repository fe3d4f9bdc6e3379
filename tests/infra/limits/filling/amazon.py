"""AWS's own models: cfn-lint's resource schemas, and botocore's models of its services."""

import gzip
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.infra.limits.filling.tree import ANY, Node, joined, number
from tests.infra.limits.tables import Limit

# CloudFormation's types where they are not called as Pulumi's.
SCHEMAS = {
    "acm/certificate": "AWS::CertificateManager::Certificate",
    "backup/plan": "AWS::Backup::BackupPlan",
    "backup/selection": "AWS::Backup::BackupSelection",
    "backup/vault": "AWS::Backup::BackupVault",
    "backup/vaultLockConfiguration": "AWS::Backup::BackupVault",
    "cloudwatch/eventRule": "AWS::Events::Rule",
    "cloudwatch/eventTarget": "AWS::Events::Rule",
    "cloudwatch/logGroup": "AWS::Logs::LogGroup",
    "cloudwatch/logMetricFilter": "AWS::Logs::MetricFilter",
    "cloudwatch/metricAlarm": "AWS::CloudWatch::Alarm",
    "ecr/lifecyclePolicy": "AWS::ECR::Repository",
    "efs/fileSystemPolicy": "AWS::EFS::FileSystem",
    "sns/topicSubscription": "AWS::SNS::Subscription",
    "vpc/securityGroupEgressRule": "AWS::EC2::SecurityGroupEgress",
    "vpc/securityGroupIngressRule": "AWS::EC2::SecurityGroupIngress",
}
# The service and the call that makes a resource, where it is not "Create" and the resource's name.
CALLS = {
    "acm/certificate": ("acm", "RequestCertificate"),
    "backup/plan": ("backup", "CreateBackupPlan"),
    "backup/selection": ("backup", "CreateBackupSelection"),
    "backup/vault": ("backup", "CreateBackupVault"),
    "backup/vaultLockConfiguration": ("backup", "PutBackupVaultLockConfiguration"),
    "cloudwatch/eventRule": ("events", "PutRule"),
    "cloudwatch/eventTarget": ("events", "PutTargets"),
    "cloudwatch/logGroup": ("logs", "CreateLogGroup"),
    "cloudwatch/logMetricFilter": ("logs", "PutMetricFilter"),
    "cloudwatch/metricAlarm": ("cloudwatch", "PutMetricAlarm"),
    "ecr/lifecyclePolicy": ("ecr", "PutLifecyclePolicy"),
    "ecs/taskDefinition": ("ecs", "RegisterTaskDefinition"),
    "efs/fileSystemPolicy": ("efs", "PutFileSystemPolicy"),
    "iam/rolePolicy": ("iam", "PutRolePolicy"),
    "secretsmanager/secret": ("secretsmanager", "CreateSecret"),
    "sns/topicSubscription": ("sns", "Subscribe"),
    "vpc/securityGroupEgressRule": ("ec2", "AuthorizeSecurityGroupEgress"),
    "vpc/securityGroupIngressRule": ("ec2", "AuthorizeSecurityGroupIngress"),
}
# Patterns that say nothing.
ANYTHING = (".*", "[\\s\\S]*", "[\\s\\S]+")
# AWS's names where Pulumi's are others.
RENAMED = {
    "aws:ec2/securityGroup:SecurityGroup": {"description": "GroupDescription", "name": "GroupName"},
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": {"policy": "lifecyclePolicyText"},
    "aws:iam/role:Role": {"assumeRolePolicy": "AssumeRolePolicyDocument"},
    "aws:iam/rolePolicy:RolePolicy": {"name": "PolicyName", "policy": "PolicyDocument"},
    "aws:backup/plan:Plan": {
        "name": "BackupPlan.BackupPlanName",
        "rules.*.schedule": "BackupPlan.BackupPlanRule.*.ScheduleExpression",
        "rules.*.lifecycle.deleteAfter": "BackupPlan.BackupPlanRule.*.Lifecycle.DeleteAfterDays",
    },
    "aws:backup/selection:Selection": {"name": "BackupSelection.SelectionName"},
    "aws:backup/vault:Vault": {"name": "BackupVaultName"},
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {"cidrIpv4": "CidrIp"},
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {"cidrIpv4": "CidrIp"},
}


def roots(packages: Path, type_: str) -> list[Node]:
    """What CloudFormation and the service itself take for the type."""
    _, resource, class_ = type_.split(":")
    module = resource.partition("/")[0]
    schema = cloudformation(packages, SCHEMAS.get(resource, f"AWS::{module}::{class_}"))
    service, call = CALLS.get(resource, (module, f"Create{class_}"))
    return [node for node in (schema, botocore(packages, service, call)) if node]


def tags(packages: Path) -> Node | None:
    """What AWS takes as tags where a service says nothing of its own."""
    return botocore(packages, "resourcegroupstaggingapi", "TagResources")


def renamed(type_: str, property_: str) -> list[str]:
    """The names that AWS may have for a property: its own, or the usual ones."""
    if property_ in RENAMED.get(type_, {}):
        return [RENAMED[type_][property_]]
    class_ = type_.rpartition(":")[2]
    return {
        "name": ["Name", f"{class_}Name"],
        "tags.*": ["Tags.*.Value", "Tags.*"],
        "tags.<key>": ["Tags.*.Key", "Tags.<key>"],
    }.get(property_, [property_])


@cache
def types(packages: Path) -> dict[str, str]:
    """CloudFormation's types in small letters, each with the file of its schema."""
    known = json.loads((packages / "cfnlint/data/schemas/providers/us-east-1.json").read_text())
    return {name.lower(): file for name, file in known.items()}


def cloudformation(packages: Path, type_: str) -> Node | None:
    file = types(packages).get(type_.lower())
    if file is None:
        return None
    document = json.loads((packages / f"cfnlint/data/schemas/resources/{file}.json").read_text())
    return in_schema(document, document, f"cfn-lint {document['typeName']} ")


def in_schema(document: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> Node:
    while "$ref" in schema:
        schema = at(document, schema["$ref"])

    def below() -> Mapping[str, Node]:
        dotted = where if where.endswith(" ") else f"{where}."
        found = {name: in_schema(document, one, dotted + name) for name, one in schema.get("properties", {}).items()}
        for pattern, one in schema.get("patternProperties", {}).items():
            found[ANY] = in_schema(document, one, where)
            found["<key>"] = Node(Limit("", "", pattern=portable(pattern)), dict, where)
        if isinstance(schema.get("items"), dict):
            found[ANY] = in_schema(document, schema["items"], where)
        return found

    return Node(schema_facts(schema), below, where)


def at(document: Mapping[str, Any], pointer: str) -> Mapping[str, Any]:
    for part in pointer.removeprefix("#/").split("/"):
        document = document[part]
    return document


def schema_facts(schema: Mapping[str, Any]) -> Limit:
    least, most = schema.get("minLength", schema.get("minimum")), schema.get("maxLength", schema.get("maximum"))
    pattern = portable(schema.get("pattern", ""))
    return Limit("", "", number(least), number(most), pattern, joined(schema.get("enum")))


def portable(pattern: str) -> str:
    """The pattern in Python's own dialect; of letters, digits and spaces only the ASCII ones. "" if it has none."""
    for theirs, ours in {r"\p{L}": "A-Za-z", r"\p{N}": "0-9", r"\p{Z}": " ", r"\p{S}": "$+<=>^`|~"}.items():
        pattern = pattern.replace(theirs, ours)
    try:
        re.compile(pattern)
    except re.error:
        return ""
    return "" if pattern in ANYTHING else pattern


@cache
def model(packages: Path, service: str) -> dict[str, Any] | None:
    files = sorted((packages / "botocore/data" / service).glob("*/service-2.json.gz"))
    return json.loads(gzip.decompress(files[-1].read_bytes())) if files else None


def botocore(packages: Path, service: str, call: str) -> Node | None:
    found = model(packages, service)
    if found is None or call not in found["operations"]:
        return None
    shape = found["operations"][call]["input"]["shape"]
    return in_shape(found["shapes"], shape, f"botocore {service} {shape}")


def in_shape(shapes: Mapping[str, Any], name: str, where: str) -> Node:
    shape = shapes[name]

    def below() -> Mapping[str, Node]:
        found = {key: in_shape(shapes, one["shape"], f"{where}.{key}") for key, one in shape.get("members", {}).items()}
        if shape["type"] == "list":
            found[ANY] = in_shape(shapes, shape["member"]["shape"], where)
        if shape["type"] == "map":
            found[ANY] = in_shape(shapes, shape["value"]["shape"], where)
            found["<key>"] = in_shape(shapes, shape["key"]["shape"], where)
        return found

    return Node(shape_facts(shape), below, where)


def shape_facts(shape: Mapping[str, Any]) -> Limit:
    if shape["type"] in ("list", "map", "structure"):
        return Limit("", "")
    pattern = portable(shape.get("pattern", ""))
    # The services mean it of the whole text, also where the model has no ends.
    pattern = pattern if pattern.startswith("^") or not pattern else f"^(?:{pattern})$"
    return Limit("", "", number(shape.get("min")), number(shape.get("max")), pattern, joined(shape.get("enum")))


def description(packages: Path, place: str) -> str:
    """What botocore says of a place, such as `ecs ContainerDefinition.stopTimeout`."""
    service, _, path = place.partition(" ")
    found = model(packages, service)
    shape, _, member = path.partition(".")
    described = found["shapes"][shape] if found else {}
    described = described["members"][member] if member else described
    return re.sub(r"<[^>]+>", "", described.get("documentation", ""))
