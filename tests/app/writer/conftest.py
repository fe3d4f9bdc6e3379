"""Instances on the `storage` of a test's own file."""

from collections.abc import Callable

import pytest

from app.database import migrations
from app.database.engine import Database
from app.storage.mounts import Storage
from app.writer.instance import Instance

Prepare = Callable[[Database], object]


@pytest.fixture
def prepare() -> Prepare:
    """What an instance does with a database that it has opened; a file may have its own."""
    return migrations.upgrade


@pytest.fixture
def start(storage: Storage, prepare: Prepare):
    """Starts an instance on the storage; all of them end with the test."""
    started: list[Instance] = []

    def start(prepare: Prepare = prepare, **options) -> Instance:
        made = Instance(storage, prepare, **options)
        started.append(made)
        made.start()
        return made

    yield start
    for each in started:
        each.stop()
