"""create: an empty volume that Docker Compose takes for its own."""

from argparse import ArgumentParser, Namespace
from typing import Any

from .engine import LABEL, Place
from .helper import DATA
from .leftovers import at_work
from .speak import Speaker

HELP = "Makes the volume, empty; one that is there already stays as it is."
EXAMPLES = ("create", "create --volume task-manager-test")
COMPOSE = {"com.docker.compose.project": "task-assist", "com.docker.compose.volume": "task-manager-db"}
"""What docker-compose.yml would put on it: with these, Compose uses the volume without a warning."""


def arguments(parser: ArgumentParser) -> None:
    del parser


def run(place: Place, options: Namespace, speaker: Speaker) -> dict[str, Any]:
    del options
    import docker.errors

    with at_work(place, speaker):
        try:
            place.client.volumes.get(place.volume)
        except docker.errors.NotFound:
            of_compose = place.volume == COMPOSE["com.docker.compose.volume"]
            place.client.volumes.create(place.volume, labels={LABEL: "1"} | (COMPOSE if of_compose else {}))
            use = (
                "docker compose up --build" if of_compose else f"docker run ... -v {place.volume}:{DATA} {place.image}"
            )
            speaker.say(f"Created the volume {place.volume}. To use it:  {use}")
            return {"volume": place.volume, "created": True}
    speaker.say(f"The volume {place.volume} was there already; nothing was changed.")
    return {"volume": place.volume, "created": False}
