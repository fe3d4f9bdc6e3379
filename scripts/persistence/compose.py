"""The target `compose`: a Compose file, by default this folder's, as a project of its own."""

import json
from pathlib import Path

from .compose_model import APP, Model, built_as, left_out, of_its_own
from .engine import Container, docker, free_port, need_engine
from .own import new_name
from .site import Site
from .stop import Misused

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"


class Compose:
    def __init__(self, file: Path = FILE) -> None:
        """Raises Misused for a file that can't be proven, NotTried without an engine."""
        self.versions = need_engine(compose=True)
        self.name, port = new_name(), free_port()
        self.site = Site(f"http://127.0.0.1:{port}")
        found = _resolved(file)
        self._model = of_its_own(found, self.name, port)
        self.builds, self.left_out = "build" in self._model["services"][APP], left_out(found)
        self._deployments = 0

    def deploy(self) -> None:
        if self._deployments:
            self._compose("rm", "--stop", "--force", "--volumes")
        self._deployments += 1
        self._compose("up", "--build", "--detach", "--remove-orphans")

    @property
    def container(self) -> Container:
        return Container(self._compose("ps", "--all", "--quiet", APP).split()[0])

    def clear(self) -> None:
        self._compose("down", "--volumes", "--remove-orphans", "--timeout", "1")

    def _compose(self, *words: str) -> str:
        model = json.dumps(built_as(self._model, self.name, self._deployments))
        return docker("compose", "--project-name", self.name, "--file", "-", *words, given=model)


def _resolved(file: Path) -> Model:
    if not file.is_file():
        raise Misused(
            "no_file",
            f"There is no Compose file {file}.",
            "Name one:  python scripts/verify_persistence.py compose FILE",
        )
    return json.loads(docker("compose", "--file", str(file), "config", "--format", "json"))
