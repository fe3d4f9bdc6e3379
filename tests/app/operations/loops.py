"""An event loop of one's own for a test."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_in_a_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, in a thread of its own: in this one the browser of other tests may keep a loop running."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
