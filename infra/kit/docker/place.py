"""A Docker host, as the config sees it."""

import re
from pathlib import PurePosixPath

import pulumi

from kit.place import Place, Store
from reader import IMAGE, Reader

# What the app takes, too (app/setting_values.py, store_url); a test holds it to that.
BUCKET = re.compile(r"(s3|az|gs)://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/(?!\.{1,2}(/|$))[A-Za-z0-9_.=+-]+)*/?")
# Nobody there sends mail, and nothing is rented. (docs/deploy/docker.md says how to be told all the same.)
WITHOUT_A_CLOUD = {
    "alertEmail": "a Docker host sends no mail; let an uptime service outside ask health_url",
    "monthlyBudget": "nothing is rented on a Docker host",
}


def check(reader: Reader) -> None:
    """The faults that only a Docker host has."""
    host = pulumi.Config("docker").get("host")
    if host and not re.match(r"(ssh|unix|tcp|npipe)://", host):
        reader.fault("docker:host", host, "it must start with ssh://, unix:// or tcp://.", "ssh://you@host.example.org")
    image = reader.text("image")
    if image and not IMAGE.fullmatch(image):
        reader.fault("image", image, "it must be an image's name, digest or ID.", "task-assist")
    reader.number("port", 1, 65_535)
    check_store(reader)
    for key, why in WITHOUT_A_CLOUD.items():
        if reader.text(key):
            reader.faults.append(f"{key} means nothing on docker: {why}.\n    pulumi config rm {key}")


def check_store(reader: Reader) -> None:
    """Backups go to a volume, a directory of the host, or a bucket, whose keys are files."""
    where, credentials = reader.text("backupStore"), reader.text("backupCredentials")
    if where.startswith("/"):
        if not is_directory(where) or is_nested(where, reader.text("storage")):
            why = "it must be a directory of its own on the Docker host, neither in the data's nor above it."
            reader.fault("backupStore", where, why, "/srv/task-assist-backups")
    elif where != "volume" and not BUCKET.fullmatch(where):
        why = (
            "it must be volume, an absolute path on the Docker host, or a bucket: s3://, az:// or gs://, without keys."
        )
        reader.fault("backupStore", "(hidden)" if set(where) & set("@?#;") else where, why, "volume")
    if credentials and (where == "volume" or where.startswith("/")):
        reader.faults.append(
            f"backupCredentials means nothing with backupStore {where}: no key is needed there.\n"
            "    pulumi config rm backupCredentials"
        )
    elif credentials and not is_directory(credentials):
        why = "it must be a directory on the Docker host with a file for each key."
        reader.fault("backupCredentials", credentials, why, "/etc/task-assist/backup")


def is_directory(path: str) -> bool:
    return path.startswith("/") and bool(path.strip("/.")) and ".." not in path.split("/") and ":" not in path


def is_nested(backups: str, data: str) -> bool:
    """True where one of the two holds the other: what takes the data's directory would take the backups."""
    one, other = (PurePosixPath(re.sub("^/+", "/", path)) for path in (backups, data))  # "//srv" is "/srv"
    return one.is_relative_to(other) or other.is_relative_to(one)


DOCKER = Place(
    name="docker",
    storages={"volume": Store()},
    defaults={"port": "8000", "backupStore": "volume", "backupCredentials": ""},
    check=check,
    no_handover=lambda _reader: "on a Docker host the name and the port are one container's only",
)
