"""The app's container as each place describes it, in one shape for the rules."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.model import UNKNOWN, Planned, get, items

DOCKER = "docker:index/container:Container"
WEB_APP = "azure-native:web:WebApp"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
RUN = "gcp:cloudrunv2/service:Service"
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
    """Reads the VM's own units: the bind mount lies on the data disk if the mount unit mounts it above."""
    text = get(resource.props, "metadata.user-data", "")
    if text is UNKNOWN:
        return None
    files = {file["path"]: file["content"] for file in json.loads(text.partition("\n")[2])["write_files"]}
    everything = "\n".join(files.values())
    where = re.search(r"^Where=(\S+)$", everything, re.MULTILINE)
    disks = {get(disk, "deviceName"): get(disk, "source") for disk in items(resource.props, "attachedDisks")}
    device = re.search(r"^What=/dev/disk/by-id/google-(\S+)$", everything, re.MULTILINE)
    disk = disks.get(device.group(1), "") if device else ""
    binds = re.findall(r"type=bind,source=([^,\s]+),target=(\S+)", everything)
    image = re.search(r"^\s+(\S+@sha256:\S+)$", everything, re.MULTILINE)
    return Container(
        resource,
        image=image.group(1) if image else "",
        environment=dict(
            re.findall(r"^([A-Z][A-Z_]+)=(\S*)$", files.get("/etc/task-assist/prepare", ""), re.MULTILINE)
        ),
        mounts={
            target: disk if where and source.startswith(f"{where.group(1)}/") else source for source, target in binds
        },
        mounted_by="attachedDisks",
        image_from="metadata",
    )


def named(pairs: Any) -> dict[str, str]:
    """Settings written as a list of names and values. One that is read from a secret store has no value."""
    return {get(pair, "name"): get(pair, "value", "") for pair in pairs}
