"""What the bridge itself does of a request, in the event loop: bodies, threads of each kind, /healthz, refusals."""

import asyncio
import gc
import json
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from app.database.deadline import seconds_left
from app.operations.serving import bodies
from app.operations.serving import bridge as module
from app.operations.serving.bridge import Bridge
from app.settings import READ_THREADS, SIGN_IN_THREADS, WRITE_THREADS
from app.web.context import WebApp
from app.writer.instance import Instance
from tests.app.operations.in_loop import GONE, Message, Told, ask, bridge_to, part
from tests.app.operations.loops import run_in_a_loop

WRITING = SimpleNamespace(gate=SimpleNamespace(expects_handover=False, settled=True))
"""An instance that has the database."""


def do_nothing(_environ: dict[str, Any]) -> None:
    pass


async def come_true(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not fact():
            await asyncio.sleep(0.001)


def asked(*coming: Message, length: int | None = None, chunked: bool = False, pause: float = 0) -> tuple[Told, list]:
    """What one who sends `coming` is told, and the bodies that the app got."""
    got: list[bytes] = []

    async def main() -> Told:
        bridge = bridge_to(lambda environ: got.append(environ["wsgi.input"].read()), WRITING)
        asking = ask(bridge, method="POST", coming=coming, length=length, chunked=chunked, pause=pause)
        return await asyncio.wait_for(asking, 30)

    return run_in_a_loop(main()), got


# --- bodies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_that_comes_in_parts_reaches_the_app_whole(chunked: bool):
    told, got = asked(part(b"ab", more=True), part(b"", more=True), part(b"c"), chunked=chunked)
    assert (told.status, got) == (200, [b"abc"])


CUT = {
    "it ends too early": ([part(b"ab")], {"length": 3}),
    "nothing of it came": ([GONE], {"length": 3}),
    "it breaks off": ([part(b"ab", more=True), GONE], {"length": 3}),
    "in chunks nothing came": ([GONE], {"chunked": True}),
    "it breaks off between chunks": ([part(b"ab", more=True), GONE], {"chunked": True}),
}


@pytest.mark.parametrize(("coming", "said"), CUT.values(), ids=CUT)
def test_what_is_cut_off_is_answered_400_and_never_reaches_the_app(coming: list[Message], said: dict[str, Any]):
    told, got = asked(*coming, **said)
    assert (told.status, got) == (400, [])
    assert b"The connection broke before all of it was here." in told.body
    assert told.headers[b"connection"] == b"close"


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_ten_seconds_are_for_the_whole_body_and_not_for_each_part_of_it(monkeypatch, chunked: bool):
    assert bodies.DEADLINE == 10
    monkeypatch.setattr(bodies, "DEADLINE", 0.1)
    told, got = asked(*[part(b"x", more=True)] * 1000, length=1000, chunked=chunked, pause=0.01)
    assert (told.status, got) == (408, [])
    assert told.headers[b"connection"] == b"close"


def test_a_body_counts_as_in_memory_until_its_request_is_answered():
    free, reached = threading.Event(), []

    async def main() -> None:
        bridge = bridge_to(lambda environ: (reached.append(environ), free.wait(30)), WRITING)
        accounts = bridge._bodies._small, bridge._bodies._large
        asking = asyncio.create_task(ask(bridge, method="POST", coming=[part(b"n" * 20_000)]))
        await come_true(lambda: bool(reached))
        assert [account.bytes for account in accounts] == [0, 20_000]
        free.set()
        assert (await asking).status == 200
        assert [account.bytes for account in accounts] == [0, 0]

    run_in_a_loop(main())


# --- threads ----------------------------------------------------------------------------------------------

KINDS = {
    "reads": ("GET", "/", READ_THREADS),
    "writes": ("POST", "/", WRITE_THREADS),
    "sign-ins": ("POST", "/sign-in", SIGN_IN_THREADS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_reads_writes_and_sign_ins_have_threads_of_their_own(kind: str):
    """Those of one kind are all taken, and one more waits for them: the other kinds are answered meanwhile."""
    free, held = threading.Event(), []
    method, path, number = KINDS[kind]

    def hold(environ: dict[str, Any]) -> None:
        if environ["QUERY_STRING"] == "hold":
            held.append(environ)
            free.wait(30)

    async def main() -> None:
        bridge = bridge_to(hold, WRITING)
        holding = [asyncio.create_task(ask(bridge, path, method, query=b"hold")) for _ in range(number)]
        await come_true(lambda: len(held) == number)
        one_more = asyncio.create_task(ask(bridge, path, method))
        for other in KINDS.keys() - {kind}:
            told = await asyncio.wait_for(ask(bridge, KINDS[other][1], KINDS[other][0]), 30)
            assert told.status == 200
        assert not one_more.done()
        free.set()
        assert {told.status for told in await asyncio.gather(*holding, one_more)} == {200}

    run_in_a_loop(main())


def test_what_has_waited_more_than_5_s_when_its_turn_comes_is_told_to_come_back_and_was_not_begun(monkeypatch):
    assert module.TURN_SECONDS == 5
    monkeypatch.setattr(module, "TURN_SECONDS", -1.0)  # so it has
    reached = []

    async def main() -> Told:
        return await ask(bridge_to(reached.append, WRITING), method="POST")

    told = run_in_a_loop(main())
    assert (told.status, told.headers[b"retry-after"], reached) == (503, b"2", [])
    assert b"Nothing was changed." in told.body


def test_what_it_waits_for_a_thread_is_gone_when_it_waits_for_the_database():
    free, left = threading.Event(), []

    def hold(environ: dict[str, Any]) -> None:
        left.append(seconds_left())
        if environ["QUERY_STRING"] == "hold":
            free.wait(30)

    async def main() -> None:
        bridge = bridge_to(hold, WRITING)
        holding = [asyncio.create_task(ask(bridge, method="POST", query=b"hold")) for _ in range(WRITE_THREADS)]
        await come_true(lambda: len(left) == WRITE_THREADS)
        behind = asyncio.create_task(ask(bridge, method="POST"))
        await asyncio.sleep(0.1)
        free.set()
        await asyncio.gather(*holding, behind)

    run_in_a_loop(main())
    assert 0 < left[-1] <= module.TURN_SECONDS - 0.1


def test_a_line_of_the_log_that_comes_too_late_is_left_out_without_a_traceback(monkeypatch):
    monkeypatch.setattr(module, "TURN_SECONDS", -1.0)
    complaints: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
        bridge = bridge_to(do_nothing, WRITING)
        await ask(bridge, method="POST")
        await bridge._log_writer.run(lambda: None)  # it is behind that line
        gc.collect()

    run_in_a_loop(main())
    assert complaints == []


# --- /healthz ---------------------------------------------------------------------------------------------


def test_healthz_takes_no_thread_no_lock_and_no_database(app: WebApp, monkeypatch):
    free, is_held, over = threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        with app.instance.gate.changed, app.instance.database._queue.turn(1):
            is_held.set()
            free.wait(10)
        over.set()

    async def main() -> list[Told]:
        bridge = Bridge(app, app.instance, asyncio.get_running_loop())
        taken = [threads.run(lambda: free.wait(10)) for threads in (bridge._reads, bridge._writes) for _ in range(9)]
        told = [await ask(bridge, "/healthz", method) for method in ("GET", "HEAD")]
        assert not over.is_set(), "it waited for a lock"
        assert not any(each.done() for each in taken), "it waited for a thread"
        free.set()
        return told

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait()
    with monkeypatch.context() as patched:
        patched.setattr(Instance, "enter", None)
        patched.setattr(Instance, "database", None)
        patched.setattr(app, "wsgi_app", None)
        told = run_in_a_loop(main())
    holder.join()
    assert [each.status for each in told] == [200, 200]
    assert app.instance.watch.probed.is_set(), "a standby asks for the database when it is asked for its health"
    assert json.loads(told[0].body) == app.test_client().get("/healthz").json
