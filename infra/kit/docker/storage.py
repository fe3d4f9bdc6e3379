"""Where the database lives on a Docker host: a named volume, or a directory of the host."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from contract import MOUNT_PATH, TAGS, Kept

# The volume's real name, the same as in docker-compose.yml: both find the same database.
VOLUME = "task-manager-db"


@dataclass(frozen=True)
class StorageArgs:
    """`storage` is "volume" or the absolute path of a directory on the host."""

    storage: str


class Storage(pulumi.ComponentResource):
    """The mount for the container, and what stays of it."""

    mount: docker.ContainerMountArgs
    description: pulumi.Input[str]
    kept: list[Kept]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:docker:Storage", name, opts=opts)
        if args.storage == "volume":
            volume = docker.Volume(
                "data",
                name=VOLUME,
                labels=[docker.VolumeLabelArgs(label=label, value=value) for label, value in TAGS.items()],
                # Docker gives the volume that Compose made, with Compose's labels, and no volume can be given others.
                opts=pulumi.ResourceOptions(parent=self, protect=True, ignore_changes=["labels"]),
            )
            self.mount = docker.ContainerMountArgs(type="volume", source=volume.name, target=MOUNT_PATH)
            self.description = pulumi.Output.concat("Docker volume ", volume.name)
            self.kept = [Kept(self.description, "protected, free")]
        else:
            self.mount = docker.ContainerMountArgs(type="bind", source=args.storage, target=MOUNT_PATH)
            self.description = f"host directory {args.storage}"
            self.kept = [Kept(self.description, "the stack never deletes it, free")]
        self.register_outputs({})
