"""The target `docker`: this folder's image, or a ready one, with the `docker run` of the README."""

from .compose import ROOT
from .engine import DATA, HARDENED, Container, docker, free_port, need_engine
from .own import LABEL, new_name
from .settings import STORE, of_the_proof, replaced
from .site import Site


class DockerRun:
    """`image`: a ready one, which is not built; None: this folder's Dockerfile."""

    def __init__(self, image: str | None = None) -> None:
        """Raises NotTried without an engine."""
        self.versions = need_engine()
        self.name, self._port = new_name(), free_port()
        self.site = Site(f"http://127.0.0.1:{self._port}")
        self._backups = f"{self.name}-backups"
        self._ready, self._deployments = image, 0
        self.builds, self.left_out = image is None, replaced({})

    def deploy(self) -> None:
        self._deployments += 1
        if not self._ready:
            labels = ["--label", f"{LABEL}={self.name}", "--label", f"{LABEL}.deployment={self._deployments}"]
            docker("build", "--quiet", *labels, "--tag", self.name, str(ROOT))
        docker("rm", "--force", "--volumes", self.name, check=False)
        settings = [f"--env={name}={value}" for name, value in of_the_proof({}).items()]
        docker(
            *("run", "--detach", "--name", self.name, "--publish", f"127.0.0.1:{self._port}:8000"),
            *("--volume", f"{self.name}-data:{DATA}", "--volume", f"{self._backups}:{STORE.removeprefix('file://')}"),
            *(*HARDENED, "--restart", "unless-stopped", *settings, self._ready or self.name),
        )

    @property
    def container(self) -> Container:
        return Container(self.name)

    def clear(self) -> None:
        docker("rm", "--force", "--volumes", self.name, check=False)
        docker("volume", "rm", "--force", f"{self.name}-data", self._backups, check=False)
