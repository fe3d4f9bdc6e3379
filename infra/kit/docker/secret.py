"""The admin's password on a Docker host: a file in a small volume; `docker inspect` shows where, and not what."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from contract import NAME, TAGS

DIRECTORY = "/run/secrets"
FILE = f"{DIRECTORY}/admin_password"
READ_ONLY = "0444"


@dataclass(frozen=True)
class SecretArgs:
    """The value to keep, and any image that is on the host."""

    image: pulumi.Input[str]
    value: pulumi.Output[str]


class Secret(pulumi.ComponentResource):
    """A volume with one file. Who is root on the host can read it, and nobody else outside the containers."""

    volume: docker.ContainerVolumeArgs
    # What the app's container has to wait for.
    ready: pulumi.Resource

    def __init__(self, name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:docker:Secret", name, opts=opts)
        labels = [docker.ContainerLabelArgs(label=label, value=value) for label, value in TAGS.items()]
        volume = docker.Volume("secrets", name=f"{NAME}-secrets", opts=pulumi.ResourceOptions(parent=self))
        # Docker copies no file into a container whose root is read-only. This one is not, and it never runs.
        self.ready = docker.Container(
            "secrets",
            name=f"{NAME}-secrets",
            image=args.image,
            start=False,
            must_run=False,
            volumes=[docker.ContainerVolumeArgs(volume_name=volume.name, container_path=DIRECTORY)],
            uploads=[docker.ContainerUploadArgs(file=FILE, content=args.value, permissions=READ_ONLY)],
            labels=labels,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True, additional_secret_outputs=["uploads"]),
        )
        self.volume = docker.ContainerVolumeArgs(volume_name=volume.name, container_path=DIRECTORY, read_only=True)
        self.register_outputs({})
