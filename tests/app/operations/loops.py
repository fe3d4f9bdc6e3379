"""An event loop of one's own for a test."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tests.app.processes import WITHIN

T = TypeVar("T")


def run_in_a_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, in a thread of its own: in this one the browser of other tests may keep a loop running.

    A test whose code never answers fails after WITHIN, instead of holding all others up.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, asyncio.wait_for(coroutine, WITHIN)).result()
