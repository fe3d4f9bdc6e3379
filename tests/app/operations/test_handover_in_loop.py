"""Requests that wait for a hand-over wait in the event loop: they take no thread that others need."""

import asyncio
import threading
import time

from app.operations.serving import bridge as module
from app.operations.serving.bridge import Bridge
from tests.app.operations.in_loop import ask, bridge_to, part
from tests.app.operations.loops import run_in_a_loop


class Handing:
    """An instance during a hand-over."""

    def __init__(self) -> None:
        self.gate, self.settled, self._over = self, False, threading.Event()
        self.waiting = 0

    @property
    def expects_handover(self) -> bool:
        return not self.settled

    def wait_for_handover(self) -> None:
        self.waiting += 1
        self._over.wait(module.MAX_HANDOVER_WAIT)

    def finish(self) -> None:
        self.settled = True
        self._over.set()


def served(handing: Handing) -> tuple[Bridge, list[str]]:
    reached: list[str] = []
    return bridge_to(lambda environ: reached.append(environ["PATH_INFO"]), handing), reached


def test_a_thousand_requests_wait_in_one_thread_and_all_are_answered():
    async def main() -> None:
        handing = Handing()
        bridge, reached = served(handing)
        before = threading.active_count()
        asked = [asyncio.create_task(ask(bridge, method=method)) for method in ("GET", "POST") for _ in range(500)]
        await asyncio.sleep(0.2)
        assert (len(reached), handing.waiting, threading.active_count()) == (0, 1, before)
        handing.finish()
        assert {told.status for told in await asyncio.gather(*asked)} == {200}
        assert (len(reached), handing.waiting) == (1000, 1)

    run_in_a_loop(main())


def test_heads_of_what_waits_are_counted_until_it_is_answered(monkeypatch):
    monkeypatch.setattr(module, "HEADS_IN_FLIGHT", 1000)

    async def main() -> None:
        handing = Handing()
        bridge, _ = served(handing)
        waiting = asyncio.create_task(ask(bridge))  # its head counts for some 600
        await asyncio.sleep(0.05)
        assert bridge.unanswered == 1
        status, headers, _ = await ask(bridge)
        assert (status, headers[b"retry-after"]) == (503, b"2")
        handing.finish()
        assert (await waiting).status == (await ask(bridge)).status == 200
        assert bridge.unanswered == 0

    run_in_a_loop(main())


def test_what_needs_no_database_is_answered_at_once_though_others_wait(monkeypatch):
    monkeypatch.setattr(module, "READ_THREADS", 1)

    async def main() -> None:
        handing = Handing()
        bridge, reached = served(handing)
        waits = asyncio.create_task(ask(bridge))
        while not handing.waiting:
            await asyncio.sleep(0.001)
        for path in ("/readyz", "/static/style.css"):
            await asyncio.wait_for(ask(bridge, path), timeout=module.MAX_HANDOVER_WAIT / 2)
        assert reached == ["/readyz", "/static/style.css"]
        handing.finish()
        assert (await waits).status == 200

    run_in_a_loop(main())


def test_one_that_has_waited_long_enough_hears_what_the_app_says(monkeypatch):
    monkeypatch.setattr(module, "MAX_HANDOVER_WAIT", 0.1)

    async def main() -> None:
        bridge, reached = served(Handing())
        began = time.monotonic()
        await ask(bridge)
        assert reached == ["/"] and 0.1 <= time.monotonic() - began < 5

    run_in_a_loop(main())


def test_one_whose_body_took_long_waits_as_long_as_any_other(monkeypatch):
    monkeypatch.setattr(module, "MAX_HANDOVER_WAIT", 1)

    async def main() -> None:
        handing = Handing()
        bridge, reached = served(handing)
        asked = asyncio.create_task(ask(bridge, method="POST", coming=[part(b"long")], pause=1.1))
        await asyncio.sleep(1.4)
        assert reached == []
        handing.finish()
        assert (await asked)[0] == 200

    run_in_a_loop(main())


def test_one_that_waits_at_the_end_of_the_process_is_told_to_come_back():
    async def main() -> None:
        bridge, reached = served(Handing())
        asked = asyncio.create_task(ask(bridge))
        await asyncio.sleep(0.05)
        bridge.end()
        told = await asked
        assert (told.status, told.headers[b"retry-after"], reached) == (503, b"2", [])

    run_in_a_loop(main())


def test_a_hand_over_that_begins_while_it_waits_for_a_thread_sends_it_back_to_the_loop():
    async def main() -> None:
        handing = Handing()
        handing.settled = True
        bridge, reached = served(handing)
        busy, free = threading.Event(), threading.Event()

        def hold() -> None:
            busy.set()
            free.wait(5)

        held = [bridge._writes.run(hold) for _ in range(module.WRITE_THREADS)]
        asked = asyncio.create_task(ask(bridge, method="POST"))
        await asyncio.sleep(0.05)
        handing.settled = False
        free.set()
        await asyncio.gather(*held)
        await asyncio.sleep(0.05)
        assert reached == [] and handing.waiting == 1
        handing.finish()
        assert (await asked)[0] == 200

    run_in_a_loop(main())
