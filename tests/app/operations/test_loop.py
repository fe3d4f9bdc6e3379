"""The server's event loop: threads wake it once, and it never sleeps over what they have for it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from granian import loops
from granian.constants import Loops

from app.operations.serving.loop import Loop, loop_of_server


class Counted(Loop):
    """Knows how many bytes were written to it."""

    def __init__(self) -> None:
        self.bytes = 0
        super().__init__()
        self._csock = Sent(self._csock, self._count)  # type: ignore[has-type]

    def _count(self) -> None:
        self.bytes += 1


class Sent:
    def __init__(self, socket: object, count: Callable[[], None]) -> None:
        self._socket, self._count = socket, count

    def __getattr__(self, name: str) -> object:
        return getattr(self._socket, name)

    def send(self, data: bytes) -> int:
        self._count()
        return self._socket.send(data)  # type: ignore[attr-defined]


@pytest.fixture
def loop() -> Iterator[Counted]:
    made = Counted()
    yield made
    made.close()


def run(loop: Counted, main: Coroutine[None, None, None]) -> None:
    """In a thread of its own: in this one the browser of other tests may keep a loop running."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(loop.run_until_complete, main).result()


def in_thread(do: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=do)
    thread.start()
    return thread


def test_it_is_woken_once_for_all_that_comes_until_it_goes_on(loop: Counted):
    called: list[int] = []

    async def main() -> None:
        before = loop.bytes
        for number in range(100):
            loop.call_soon_threadsafe(called.append, number)
        await asyncio.sleep(0.01)
        assert (called, loop.bytes - before) == (list(range(100)), 1)
        loop.call_soon_threadsafe(called.append, 100)
        await asyncio.sleep(0.01)
        assert (called[-1], loop.bytes - before) == (100, 2)

    run(loop, main())


def test_calls_of_many_threads_all_arrive_and_none_is_slept_over(loop: Counted):
    """Each waits for the answer to its last call before the next: one that is slept over would be the end of it."""
    rounds, threads = 2000, 4
    ended: list[int] = []

    def ask() -> None:
        answered = threading.Event()
        for _ in range(rounds):
            answered.clear()
            loop.call_soon_threadsafe(answered.set)
            if not answered.wait(10):
                break
        else:
            ended.append(rounds)

    async def main() -> None:
        async with asyncio.timeout(30):
            await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(threads)))

    run(loop, main())
    assert ended == [rounds] * threads


def test_a_call_that_comes_while_it_takes_the_bytes_away_does_not_silence_those_after_it(loop: Counted, monkeypatch):
    """The one moment at which a mark that goes too early would stay for ever."""
    process = loop._process_self_data  # pyright: ignore[reportAttributeAccessIssue]

    def meanwhile(data: bytes) -> None:
        monkeypatch.setattr(loop, "_process_self_data", process)
        in_thread(lambda: loop.call_soon_threadsafe(int)).join()

    monkeypatch.setattr(loop, "_process_self_data", meanwhile)

    async def main() -> None:
        loop.call_soon_threadsafe(int)
        await asyncio.sleep(0.01)
        before = loop.bytes
        in_thread(lambda: loop.call_soon_threadsafe(int)).join()
        assert loop.bytes == before + 1

    run(loop, main())


def test_the_server_makes_it():
    def make() -> object:
        made = loops.get(loop_of_server())
        made.close()
        return type(made)

    with ThreadPoolExecutor(max_workers=1) as thread:
        assert thread.submit(make).result() is Loop
    assert loop_of_server() == Loops.asyncio
