"""The lab of guests, once for all tests here. Where it can't run they are skipped."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mounts.guests import Lab


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.mounts)


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """True with --soak: as long and as often as the docs' figures, instead of just often enough to be a proof."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(scope="session")
def guests_run_here() -> None:
    """Skips where they can't."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("real mounts need Linux on x86-64: Debian's user-mode-linux")
    if os.geteuid() != 0:
        pytest.skip("real mounts need root: their guests' disk is made with debootstrap")
    if not shutil.which("debootstrap") and not shutil.which("apt-get"):
        pytest.skip("real mounts need debootstrap")


@pytest.fixture(scope="session")
def lab(guests_run_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server and two clients with every kind of mount."""
    made = Lab(tmp_path_factory.mktemp("mounts"))
    try:
        made.start()
        yield made
    finally:
        made.stop()
