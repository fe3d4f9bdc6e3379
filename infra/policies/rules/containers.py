"""The app's container as each place describes it, in one shape for the rules."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.model import UNKNOWN, Planned, get, items

DOCKER = "docker:index/container:Container"
WEB_APP = "azure-native:web:WebApp"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
RUN = "gcp:cloudrunv2/service:Service"
JOB = "gcp:cloudrunv2/job:Job"
VM = "gcp:compute/instance:Instance"


@dataclass(frozen=True)
class Container:
    """`mounts` maps a path in the container to what is mounted there.

    `mounted_by` and `image_from` are the resource's properties that say what is mounted and which image runs.
    """

    resource: Planned
    image: str
    environment: Mapping[str, str]
    mounts: Mapping[str, str]
    mounted_by: str
    image_from: str


def containers(resources: Sequence[Planned]) -> Iterator[Container]:
    """Every container in the plan that sets DATABASE_PATH, or whose settings can't be known yet."""
    read = {DOCKER: docker, WEB_APP: web_app, TASK: task, RUN: run, VM: vm}
    for resource in resources:
        if resource.type in read:
            container = read[resource.type](resource)
            if container and "DATABASE_PATH" in container.environment:
                yield container


def docker(resource: Planned) -> Container | None:
    if get(resource.props, "mounts") is UNKNOWN:
        return None
    pairs = [line.partition("=") for line in items(resource.props, "envs") if line is not UNKNOWN]
    return Container(
        resource,
        image=get(resource.props, "image", ""),
        environment={key: value for key, _, value in pairs},
        mounts={get(mount, "target"): get(mount, "source", "") for mount in items(resource.props, "mounts")},
        mounted_by="mounts",
        image_from="image",
    )


def web_app(resource: Planned) -> Container | None:
    config = get(resource.props, "siteConfig", {})
    if config is UNKNOWN:
        return None
    mounts: Mapping[str, Any] | str = get(config, "azureStorageAccounts", {})
    if isinstance(mounts, str):
        return None
    return Container(
        resource,
        image=get(config, "linuxFxVersion", "").removeprefix("DOCKER|"),
        environment=named(items(config, "appSettings")),
        mounts={get(mount, "mountPath"): get(mount, "shareName") for mount in mounts.values()},
        mounted_by="siteConfig",
        image_from="siteConfig",
    )


def task(resource: Planned) -> Container | None:
    definitions = get(resource.props, "containerDefinitions", "[]")
    if definitions is UNKNOWN:
        return None
    definition: Mapping[str, Any] = json.loads(definitions)[0]
    systems = {
        get(volume, "name"): get(volume, "efsVolumeConfiguration.fileSystemId", "")
        for volume in items(resource.props, "volumes")
    }
    return Container(
        resource,
        image=definition["image"],
        environment=named(definition["environment"]),
        mounts={point["containerPath"]: systems.get(point["sourceVolume"], "") for point in definition["mountPoints"]},
        mounted_by="volumes",
        image_from="containerDefinitions",
    )


def run(resource: Planned) -> Container:
    first = get(resource.props, "template.containers.0", {})
    shares = {
        get(volume, "name"): get(volume, "nfs.server", "") for volume in items(resource.props, "template.volumes")
    }
    return Container(
        resource,
        image=get(first, "image", ""),
        environment=named(items(first, "envs")),
        mounts={get(mount, "mountPath"): shares.get(get(mount, "name"), "") for mount in items(first, "volumeMounts")},
        mounted_by="template",
        image_from="template",
    )


def vm(resource: Planned) -> Container | None:
    """The VM's containers as its metadata describes them; a mount of a disk of the VM is what is attached as that."""
    disks = {get(disk, "deviceName"): get(disk, "source") for disk in items(resource.props, "attachedDisks")}
    for one in described(resource):
        if "DATABASE_PATH" in one["environment"]:
            return Container(
                resource,
                image=one["image"],
                environment=one["environment"],
                mounts={mount["target"]: disks.get(mount["disk"]) or mount["source"] for mount in one["mounts"]},
                mounted_by="attachedDisks",
                image_from="metadata",
            )
    return None


def described(resource: Planned) -> list[Mapping[str, Any]]:
    """What kit/gcp/container.py says of the VM's containers; nothing where a preview can't see it."""
    text = get(resource.props, "metadata.containers", "[]")
    return [] if text is UNKNOWN else json.loads(text)


def images(resource: Planned) -> list[str]:
    """The images of all containers of one resource, proxies and jobs among them; UNKNOWN for what can't be seen."""
    if resource.type == DOCKER:
        return [get(resource.props, "image", "")]
    if resource.type == WEB_APP:
        container = web_app(resource)
        return [container.image] if container else []
    if resource.type == TASK:
        definitions = get(resource.props, "containerDefinitions", "[]")
        return [] if definitions is UNKNOWN else [one["image"] for one in json.loads(definitions)]
    if resource.type in (RUN, JOB):
        template = "template.template" if resource.type == JOB else "template"
        return [get(one, "image", "") for one in items(resource.props, f"{template}.containers")]
    return [one["image"] for one in described(resource)] if resource.type == VM else []


def named(pairs: Any) -> dict[str, str]:
    """Settings written as a list of names and values. One that is read from a secret store has no value."""
    return {get(pair, "name"): get(pair, "value", "") for pair in pairs}
