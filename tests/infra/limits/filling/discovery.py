"""Google's discovery documents, as google-api-python-client brings them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.infra.limits.filling.tree import ANY, Node, joined, number
from tests.infra.limits.tables import Limit

# The API that a module of pulumi-gcp speaks.
DOCUMENTS = {
    "artifactregistry": "artifactregistry.v1",
    "billing": "billingbudgets.v1",
    "cloudrun": "run.v1",
    "cloudrunv2": "run.v2",
    "cloudscheduler": "cloudscheduler.v1",
    "compute": "compute.v1",
    "filestore": "file.v1",
    "logging": "logging.v2",
    "monitoring": "monitoring.v3",
    "projects": "cloudresourcemanager.v3",
    "secretmanager": "secretmanager.v1",
    "serviceaccount": "iam.v1",
    "storage": "storage.v1",
}
# The object of a resource where it is not called as Pulumi's.
OBJECTS = {
    "gcp:billing/budget:Budget": "GoogleCloudBillingBudgetsV1Budget",
    "gcp:cloudrunv2/job:Job": "GoogleCloudRunV2Job",
    "gcp:cloudrunv2/service:Service": "GoogleCloudRunV2Service",
    "gcp:logging/metric:Metric": "LogMetric",
    "gcp:serviceaccount/account:Account": "CreateServiceAccountRequest",
}
# Google's names where Pulumi's are others.
RENAMED = {
    "gcp:cloudrunv2/service:Service": {"template.timeout": "template.timeout"},
    "gcp:compute/firewall:Firewall": {
        "allows.*.protocol": "allowed.*.IPProtocol",
        "allows.*.ports.*": "allowed.*.ports.*",
    },
    "gcp:compute/disk:Disk": {"size": "sizeGb"},
    "gcp:compute/instance:Instance": {
        "attachedDisks.*.deviceName": "disks.*.deviceName",
        "bootDisk.initializeParams.size": "disks.*.initializeParams.diskSizeGb",
        "tags.*": "tags.items.*",
    },
}


def root(packages: Path, type_: str) -> Node | None:
    """The object that the type's API takes."""
    _, module, class_ = type_.split(":")
    name = DOCUMENTS.get(module.partition("/")[0])
    if name is None:
        return None
    document = read(packages / f"googleapiclient/discovery_cache/documents/{name}.json")
    schema = OBJECTS.get(type_, class_)
    return (
        node(document["schemas"], {"$ref": schema}, f"discovery {name} {schema}")
        if schema in document["schemas"]
        else None
    )


def renamed(type_: str, property_: str) -> str:
    return RENAMED.get(type_, {}).get(property_, property_)


@cache
def read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text())


def node(schemas: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> Node:
    while "$ref" in schema:
        schema = schemas[schema["$ref"]]

    def below() -> Mapping[str, Node]:
        found = {name: node(schemas, one, f"{where}.{name}") for name, one in schema.get("properties", {}).items()}
        if "items" in schema:
            found[ANY] = node(schemas, schema["items"], where)
        return found

    return Node(facts(schema), below, where)


def facts(schema: Mapping[str, Any]) -> Limit:
    pattern = schema.get("pattern", "")
    return Limit(
        type="",
        property="",
        min=number(schema.get("minimum")),
        max=number(schema.get("maximum")),
        # Compute's patterns are meant of the whole and written without their ends.
        pattern=pattern if pattern.startswith("^") or not pattern else f"^(?:{pattern})$",
        values=joined([value for value in schema.get("enum", []) if not value.endswith("_UNSPECIFIED")]),
    )


def description(packages: Path, place: str) -> str:
    """What a document says of a place, such as `file.v1 FileShareConfig.name`; all of it if there is no place."""
    document, _, path = place.partition(" ")
    file = packages / f"googleapiclient/discovery_cache/documents/{document}.json"
    if not path:
        return file.read_text().replace('\\"', '"')
    schema = read(file)["schemas"]
    for name in path.split("."):
        schema = schema["items"] if name == ANY else schema.get("properties", schema)[name]
    return schema["description"]
