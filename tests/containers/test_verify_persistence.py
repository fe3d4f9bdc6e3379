"""scripts/verify_persistence.py on a real engine: what keeps data is proven, and what doesn't fails as it should."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.persistence import prove_own
from scripts.persistence.docker_run import DockerRun
from scripts.persistence.own import LABEL, cleared
from scripts.persistence.record import Record
from scripts.persistence.stop import Failed
from tests.containers.conftest import IN_THE_IMAGE, Run
from tests.containers.running import ROOT, WITHOUT_SIGN_IN, docker

pytestmark = pytest.mark.long
SCRIPT = ROOT / "scripts/verify_persistence.py"
DATA = "data:/app/data"


@pytest.fixture(autouse=True)
def nothing_is_left(engine: None) -> Iterator[None]:
    before = made_for_proofs()
    yield
    assert made_for_proofs() == before


def made_for_proofs() -> set[str]:
    """The containers, volumes and images of proofs, those among them whose name a later one has taken."""
    mine = "name=task-assist-proof"
    found = docker("ps", "--all", "--filter", mine, "--format", "{{.Names}}").stdout
    found += docker("volume", "ls", "--filter", mine, "--format", "{{.Name}}").stdout
    found += docker("image", "ls", "--quiet", "--filter", f"label={LABEL}").stdout
    return {*found.split()}


def command(*words: str) -> list[str]:
    return [sys.executable, str(SCRIPT), *words, "--receipts", "receipts"]


def proof(folder: Path, *words: str, code: int) -> dict[str, Any]:
    """The receipt, which is also kept in the folder."""
    done = subprocess.run(command(*words, "--json"), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    receipt = json.loads(done.stdout)
    (kept,) = (folder / "receipts").glob("*.json")
    assert json.loads(kept.read_text()) == receipt and kept.with_suffix(".html").exists()
    return receipt


def compose_file(folder: Path, image: str, *services: dict[str, Any], named: tuple[str, ...] = ("data",)) -> str:
    """`services`: what each of them has beside the image; the first is the app."""
    parts = {name: {"image": image, **service} for name, service in zip(("app", "another"), services, strict=False)}
    # JSON is YAML.
    (folder / "compose.yml").write_text(json.dumps({"services": parts, "volumes": dict.fromkeys(named)}))
    return "compose.yml"


@pytest.mark.parametrize(
    ("services", "reason", "said"),
    [
        ([{}], "no_volume", "is inside the container, and gone with it: nothing is mounted there"),
        ([{"tmpfs": ["/app/data"]}], "in_memory", "is in memory (tmpfs at /app/data)"),
        ([{"volumes": ["data:/data"]}], "wrong_path", "-data at /data) lies elsewhere"),
        ([{"volumes": [DATA]}, {"volumes": [DATA]}], "two_writers", "run on the same volume"),
        (
            [{"volumes": [DATA], "environment": {"BACKUP_URL": "file:///backups"}}],
            "backups_nowhere",
            "The backups go to file:///backups, which is inside the container, and gone with it",
        ),
    ],
    ids=["no volume", "tmpfs", "wrong path", "two writers", "backups that go nowhere"],
)
def test_a_compose_file_that_keeps_nothing_is_refused(
    tmp_path: Path, image: str, services: list[dict[str, Any]], reason: str, said: str
):
    receipt = proof(tmp_path, "compose", compose_file(tmp_path, image, *services), code=1)
    assert (receipt["verdict"], receipt["reason"]["code"]) == ("failed", reason)
    assert said in receipt["reason"]["message"] and receipt["reason"]["hint"]


def failed_with(place: DockerRun) -> str:
    try:
        with pytest.raises(Failed) as stop:
            prove_own.prove(place, Record("docker"))
        return stop.value.code
    finally:
        assert cleared(place) == []


def test_a_volume_that_is_deleted_in_between_is_noticed(image: str):
    class DownWithVolumes(DockerRun):
        """As `docker compose down -v` does it."""

        def deploy(self) -> None:
            docker("rm", "--force", self.name)
            docker("volume", "rm", "--force", f"{self.name}-data")
            super().deploy()

    assert failed_with(DownWithVolumes(image)) == "volume_replaced"


def test_a_restore_of_the_wrong_file_is_noticed(image: str):
    class RestoredFromBefore(DockerRun):
        """Its database holds a row of before the canary; after the second start a copy of then is put back."""

        def deploy(self) -> None:
            again = self._deployments > 0
            super().deploy()
            self.site.wait_until_ready()
            if again:
                self.container.task_assist("restore", "/backups/before.db")
            else:
                self.site.post("/api/v1/work-items", {"title": "Of before"})
                self.container.task_assist("snapshot", "/backups/before.db")

    assert failed_with(RestoredFromBefore(image)) == "other_database"


def test_an_image_is_proven_with_docker_run(tmp_path: Path, image: str):
    receipt = proof(tmp_path, "docker", image, code=0)
    assert receipt["verdict"] == "proven" and receipt["reason"] is None
    assert [step["outcome"] for step in receipt["steps"]] == ["ok"] * 8
    assert receipt["storage"]["persistent"] is True
    assert receipt["canary"]["rows"] > 20
    assert receipt["steps"][-1]["facts"]["sha256"] == receipt["canary"]["sha256"]
    assert receipt["backup"]["restored_elsewhere"] is True


def test_an_app_with_peoples_data_is_proven_across_its_own_deployment(
    tmp_path: Path, run: Run, volume: str, another_volume: str
):
    """And the canary is deleted, and nothing else."""
    backups = ["--volume", f"{another_volume}:/backups", "--env", "BACKUP_URL=file:///backups"]
    app = run(*WITHOUT_SIGN_IN, "--volume", f"{volume}:/app/data", *backups)
    app.wait_until_ready()
    app.site.add_item("Move house", "Pack the books")
    receipt = proof(
        tmp_path,
        *(app.site.url, "--deploy", f"docker restart {app.name}", "--exec", f"docker exec {app.name} task-assist"),
        code=0,
    )
    assert receipt["verdict"] == "proven"
    assert app.site.items() == {"Move house": ["Pack the books"]}


def test_an_interrupted_proof_leaves_nothing(tmp_path: Path, image: str):
    # A shell that runs the tests in the background lets its children ignore Ctrl-C.
    began = subprocess.Popen(
        command("docker", image), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert began.stdout and began.stdout.readline().startswith("ok")
    began.send_signal(signal.SIGINT)
    _, errors = began.communicate(timeout=60)
    assert began.returncode == 130
    assert "Interrupted. What was made for the proof is gone." in errors


def test_a_fresh_clone_is_proven_with_compose(tmp_path: Path):
    """As its README starts it, with the image built twice."""
    for part in (*IN_THE_IMAGE, "scripts"):
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path)
    script = str(tmp_path / "scripts/verify_persistence.py")
    done = subprocess.run(
        [sys.executable, script, "compose", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    receipt = json.loads(done.stdout)
    assert receipt["verdict"] == "proven"
    assert receipt["steps"][4]["facts"] == {"new_container": True, "new_image": True, "lost": 0}
