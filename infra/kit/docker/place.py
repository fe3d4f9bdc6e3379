"""A Docker host, as the config sees it."""

import re

import pulumi

from kit.place import Place, Store
from reader import IMAGE, Reader

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
    for key, why in WITHOUT_A_CLOUD.items():
        if reader.text(key):
            reader.faults.append(f"{key} means nothing on docker: {why}.\n    pulumi config rm {key}")


DOCKER = Place(
    name="docker",
    storages={"volume": Store()},
    defaults={"port": "8000"},
    check=check,
    no_handover=lambda _reader: "on a Docker host the name and the port are one container's only",
)
