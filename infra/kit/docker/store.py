"""Where the app on a Docker host backs itself up to: a volume, a directory of the host, or a bucket anywhere."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from contract import NAME, TAGS, Kept, stem

VOLUME = "volume"
MOUNT_PATH = "/backups"
CREDENTIALS_PATH = "/run/backup-credentials"


@dataclass(frozen=True)
class StoreArgs:
    """`where`: "volume", the absolute path of a directory on the host, or the URL of a bucket.

    `credentials`: a directory of the host with a file for each key of that bucket, empty where none is needed.
    """

    where: str
    credentials: str


class Store(pulumi.ComponentResource):
    """The URL, and what the container needs for it. No key is ever in the program, its state or the settings."""

    url: str
    settings: dict[str, pulumi.Input[str]]
    mounts: list[docker.ContainerMountArgs]
    kept: list[Kept]

    def __init__(self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:docker:Store", name, opts=opts)
        self.settings, self.mounts, self.url = {}, [], f"file://{MOUNT_PATH}"
        # Made in any case: it keeps what is in it, whatever backupStore is set to later.
        volume = self.volume(f"{name}-volume")
        self.kept = [Kept(pulumi.Output.concat("Docker volume ", volume.name), "protected with the backups, free")]
        if args.where == VOLUME:
            self.mounts = [docker.ContainerMountArgs(type="volume", source=volume.name, target=MOUNT_PATH)]
        elif args.where.startswith("/"):
            self.mounts = [docker.ContainerMountArgs(type="bind", source=args.where, target=MOUNT_PATH)]
            self.kept += [Kept(f"host directory {args.where}", "the stack never deletes the backups in it, free")]
        else:
            self.url = args.where
            self.kept += [Kept(f"the backups in {args.where}", "not the stack's: it never touches the bucket")]
        if args.credentials:
            self.mounts += [read_only(args.credentials)]
            self.settings = {"BACKUP_CREDENTIALS": CREDENTIALS_PATH}
        self.register_outputs({"url": self.url})

    def volume(self, name: str) -> docker.Volume:
        return docker.Volume(
            name,
            name=volume_name(),
            labels=[docker.VolumeLabelArgs(label=label, value=value) for label, value in TAGS.items()],
            # No volume can be given another name or other labels.
            opts=pulumi.ResourceOptions(parent=self, protect=True, ignore_changes=["labels", "name"]),
        )


def read_only(directory: str) -> docker.ContainerMountArgs:
    return docker.ContainerMountArgs(type="bind", source=directory, target=CREDENTIALS_PATH, read_only=True)


def volume_name() -> str:
    return "task-manager-backups" if stem() == NAME else f"{stem()}-backups"
