"""Every combination of place, storage, image and domain, planned once each."""

from collections.abc import Mapping
from functools import cache
from itertools import product

from rules.containers import Container, containers
from rules.model import Planned
from tests.infra.recording import Plan, Resource, record

DIGEST = "@sha256:" + "ab" * 32
REGIONS: Mapping[str, Mapping[str, str]] = {
    "azure": {"azure-native:location": "westeurope"},
    "aws": {"aws:region": "eu-central-1"},
    "gcp": {"gcp:project": "my-project", "gcp:region": "europe-west1", "gcp:zone": "europe-west1-b"},
    "docker": {},
}
STORAGES = {
    "azure": ("smb",),
    "aws": ("efs",),
    "gcp": ("disk", "filestore"),
    "docker": ("volume", "/srv/task-assist"),
}
# Everything that a person can add, on top of the first storage.
FULL: Mapping[str, Mapping[str, str]] = {
    "aws": {
        "network": "own",
        "machine": "512/1024",
        "logDays": "90",
        "backupCopy": "eu-west-1",
        "alertEmail": "ops@example.org",
        "monthlyBudget": "40",
    },
}
READY = {
    "azure": "registry.example.org/task-assist" + DIGEST,
    "aws": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/task-assist" + DIGEST,
    "gcp": "europe-west1-docker.pkg.dev/my-project/task-assist/task-assist" + DIGEST,
    "docker": "task-assist:1.2.3",
}


def configs() -> Mapping[str, Mapping[str, str]]:
    """Name → config, such as "gcp-filestore-ready-domain"."""
    found: dict[str, Mapping[str, str]] = {}
    for cloud, storages in STORAGES.items():
        for storage, ready, domain in product(storages, (False, True), (False, True)):
            kind = "bind" if storage.startswith("/") else storage
            name = "-".join([cloud, kind, *(["ready"] if ready else []), *(["domain"] if domain else [])])
            found[name] = {
                "cloud": cloud,
                "storage": storage,
                **REGIONS[cloud],
                **({"image": READY[cloud]} if ready else {}),
                **({"domain": "tasks.example.org"} if domain else {}),
            }
    for cloud, more in FULL.items():
        storage = STORAGES[cloud][0]
        found[f"{cloud}-{storage}-full"] = {"cloud": cloud, "storage": storage, **REGIONS[cloud], **more}
    return found


CONFIGS = configs()


@cache
def plan(name: str) -> Plan:
    return record(CONFIGS[name])


def planned(resource: Resource) -> Planned:
    """The resource as a rule sees it."""
    return Planned(
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        props=resource.plain,
        protect=resource.protect,
        delete_before_replace=bool(resource.options.get("deleteBeforeReplace")),
        depends=resource.depends,
    )


def as_planned(found: Plan) -> list[Planned]:
    return [planned(resource) for resource in found.resources]


def app_container(found: Plan) -> Container:
    """The one container with the database."""
    [container] = containers(as_planned(found))
    return container
