"""Where the database lives on a Docker host: a named volume, or a directory of the host."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from contract import MOUNT_PATH, NAME, TAGS, Kept, stem

# The volume's real name, the same as in docker-compose.yml: both find the same database.
COMPOSE_VOLUME = "task-manager-db"


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
            volume = self.volume(f"{name}-volume")
            self.mount = docker.ContainerMountArgs(type="volume", source=volume.name, target=MOUNT_PATH)
            self.description = pulumi.Output.concat("Docker volume ", volume.name)
            self.kept = [Kept(self.description, "protected, free")]
        else:
            self.mount = docker.ContainerMountArgs(type="bind", source=args.storage, target=MOUNT_PATH)
            self.description = f"host directory {args.storage}"
            self.kept = [Kept(self.description, "the stack never deletes it, free")]
        self.register_outputs({"description": self.description})

    def volume(self, name: str) -> docker.Volume:
        return docker.Volume(
            name,
            name=volume_name(),
            labels=[docker.VolumeLabelArgs(label=label, value=value) for label, value in TAGS.items()],
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=True,
                aliases=[pulumi.Alias(name="data")],
                # Docker gives the volume that Compose made, with Compose's labels, and no volume can be given others.
                # An earlier stack of another name has Compose's volume, and no volume can be renamed.
                ignore_changes=["labels", "name"],
            ),
        )


def volume_name() -> str:
    """Compose's for the stack that is shipped; another stack has another database."""
    return COMPOSE_VOLUME if stem() == NAME else f"{stem()}-db"
