"""The secrets on a Docker host: files in a small volume; `docker inspect` shows where they are, and not what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from contract import TAGS, stem

DIRECTORY = "/run/secrets"
READ_ONLY = "0444"


@dataclass(frozen=True)
class SecretArgs:
    """The values by the names of their settings, and any image that is on the host."""

    values: Mapping[str, pulumi.Output[str]]
    image: pulumi.Input[str]


class Secret(pulumi.ComponentResource):
    """A volume with a file for each secret. Who may use Docker on the host can read them, and nobody else."""

    volume_name: pulumi.Output[str]
    # What the app's container has to wait for.
    ready: pulumi.Resource

    def __init__(self, name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:docker:Secret", name, opts=opts)
        volume = docker.Volume(
            f"{name}-volume",
            name=f"{stem()}-secrets",
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name="secrets")]),
        )
        # Docker copies no file into a container whose root is read-only. This one is not, and it never runs.
        self.ready = docker.Container(
            f"{name}-files",
            name=f"{stem()}-secrets",
            image=args.image,
            start=False,
            must_run=False,
            volumes=[docker.ContainerVolumeArgs(volume_name=volume.name, container_path=DIRECTORY)],
            uploads=[
                docker.ContainerUploadArgs(file=path(setting), content=value, permissions=READ_ONLY)
                for setting, value in args.values.items()
            ],
            labels=[docker.ContainerLabelArgs(label=label, value=value) for label, value in TAGS.items()],
            opts=pulumi.ResourceOptions(
                parent=self,
                aliases=[pulumi.Alias(name="secrets")],
                delete_before_replace=True,
                additional_secret_outputs=["uploads"],
                # Any image does, so an upgrade needs no other one.
                ignore_changes=["image"],
            ),
        )
        self.volume_name = volume.name
        self.register_outputs({"volume_name": self.volume_name})


def path(setting: str) -> str:
    """The file that a secret setting's value is in."""
    return f"{DIRECTORY}/{setting.lower()}"


def by_file(settings: Iterable[str]) -> dict[str, str]:
    """For each secret setting the one that names its file instead."""
    return {f"{setting}_FILE": path(setting) for setting in settings}
