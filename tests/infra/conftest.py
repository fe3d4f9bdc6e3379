"""tests/infra needs the clouds' SDKs; where they are missing, every file here says so by name."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from tests.containers.running import docker

SDKS = ("pulumi", "pulumi_aws", "pulumi_azure_native", "pulumi_docker", "pulumi_gcp", "pulumi_policy", "botocore")
# What reads the documents that the programs write.
DEBIAN = """FROM python:3.13-slim-trixie
RUN apt-get update && apt-get install -y --no-install-recommends systemd util-linux e2fsprogs caddy cloud-init
CMD ["/lib/systemd/systemd"]
"""
MISSING = [name for name in SDKS if importlib.util.find_spec(name) is None]


class NotInstalled(pytest.Module):
    """A file whose imports would fail."""

    def collect(self) -> list[pytest.Item]:
        pytest.skip(f"{', '.join(MISSING)} not installed: scripts/install dev infra", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return NotInstalled.from_parent(parent, path=module_path) if MISSING else None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-plans", action="store_true", help="write tests/infra/planned/*.yaml anew")


@pytest.fixture(scope="module")
def stand_ins():
    """Providers that play the clouds for the real engine."""
    from tests.infra.standins import StandIns  # what it imports may be missing

    running = StandIns()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def debian() -> str:
    """The name of an image of Debian with systemd, Caddy and cloud-init."""
    if not shutil.which("docker") or docker("info", check=False).returncode:
        pytest.skip("no Docker engine")
    docker("build", "--tag", "task-assist-test-debian", "-", input=DEBIAN)
    return "task-assist-test-debian"
