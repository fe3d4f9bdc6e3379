"""A request is read whole before it costs anything: what is cut off, slow, large or many."""

import asyncio
import http.client
import io
import json
import socket
import threading
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from werkzeug.wrappers import Request

from app.errors import Busy, Ending, Problem, TooLarge
from app.operations.serving import bodies
from tests.app.operations.loops import run_in_a_loop
from tests.app.operations.watching import Health, memory
from tests.app.processes import Serving, ask, exchange, wait_until_ready
from tests.ports import free_port

NOTES = "n" * 300


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    port = free_port()
    process = Serving(tmp_path_factory.mktemp("served"), port)
    wait_until_ready(port, process)
    yield process, port
    process.kill()
    process.wait()


@pytest.fixture
def port(server) -> int:
    return server[1]


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]).encode()


def form(path: str, body: bytes, length: int | None = None) -> bytes:
    kind = "Content-Type: application/x-www-form-urlencoded"
    return head(path, kind, f"Content-Length: {len(body) if length is None else length}") + body


def chunked(body: bytes, *, ended: bool) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body) + (b"0\r\n\r\n" if ended else b"")


def item_of(port: int, number: int) -> dict:
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", f"/api/v1/work-items/{number}")
        return json.loads(connection.getresponse().read())


@pytest.fixture
def item(port: int) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        body = json.dumps({"title": "kept", "notes": NOTES})
        connection.request("POST", "/api/v1/work-items", body, {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())["id"]


# --- cut off ----------------------------------------------------------------------------------------------


def test_a_form_that_is_cut_off_anywhere_changes_nothing(port: int, item: int):
    whole = b"title=changed&status=open&priority=normal&due=&notes=" + b"m" * 300
    for length in range(0, len(whole), 10):
        answer = exchange(port, form(f"/work-items/{item}", whole[:length], len(whole)), hang_up=True)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400"), answer[:200]
    assert (item_of(port, item)["title"], item_of(port, item)["notes"]) == ("kept", NOTES)
    assert exchange(port, form(f"/work-items/{item}", whole)).startswith(b"HTTP/1.1 303"), "whole it is taken"
    assert item_of(port, item)["title"] == "changed"


def test_so_is_one_whose_length_nobody_has_said(port: int, item: int):
    whole = b"title=changed&status=open&priority=normal&due=&notes=" + b"m" * 300
    start = head(f"/work-items/{item}", "Content-Type: application/x-www-form-urlencoded", "Transfer-Encoding: chunked")
    for length in range(10, len(whole), 10):
        answer = exchange(port, start + chunked(whole[:length], ended=False), hang_up=True)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400"), answer[:200]
    assert item_of(port, item)["title"] == "kept"
    assert exchange(port, start + chunked(whole, ended=True)).startswith(b"HTTP/1.1 303")
    assert item_of(port, item)["notes"] == "m" * 300


# --- slow, and many ---------------------------------------------------------------------------------------


def test_a_byte_a_second_is_cut_after_ten(port: int):
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(form("/work-items", b"t", 100))
        connection.settimeout(1)
        answer = b""
        while not answer:
            assert time.monotonic() - began < 20
            try:
                answer = connection.recv(1 << 16)
            except TimeoutError:
                connection.sendall(b"x")
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began >= 10


def half_bodies(port: int, number: int, opened: ExitStack) -> list[socket.socket]:
    connections = [opened.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(number)]
    for each in connections:
        each.sendall(form("/work-items", b"t", 100))
    return connections


@pytest.mark.parametrize("number", [60, 1000])
def test_half_bodies_keep_nobody_waiting_and_are_cut_off(port: int, number: int):
    with ExitStack() as opened, Health(port) as health:
        connections = half_bodies(port, number, opened)
        began = time.monotonic()
        assert ask(port, "POST", "/api/v1/work-items", {"title": "meanwhile"}).status == 201
        assert ask(port, "GET", "/").status == 200
        assert time.monotonic() - began < bodies.DEADLINE
        for each in connections:
            each.settimeout(30)
            assert each.recv(1 << 16).startswith(b"HTTP/1.1 408")
    health.assert_quick()


@pytest.mark.parametrize("number", [1100, 5000])
def test_idle_connections_keep_nobody_waiting(port: int, number: int):
    with ExitStack() as opened, Health(port) as health:
        for _ in range(number):
            opened.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert ask(port, "POST", "/api/v1/work-items", {"title": "meanwhile"}).status == 201
        time.sleep(1)
    health.assert_quick()


def test_heads_that_do_not_end_take_little_memory(tmp_path: Path):
    port = free_port()
    process = Serving(tmp_path, port)
    wait_until_ready(port, process)
    half = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 60_000
    with ExitStack() as opened:
        for _ in range(4000):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.setblocking(False)
            with suppress(OSError):
                connection.send(half)
        assert ask(port, "GET", "/").status == 200
        assert memory(process) < 300
    assert exchange(port, half).startswith(b"HTTP/1.1 431")
    process.terminate()
    assert process.wait(20) == 0


def test_what_is_in_flight_is_counted_over_all_connections_and_gives_way_when_it_does_not_come_on(server):
    process, port = server
    large = b"notes=" + b"n" * 900_000
    with ExitStack() as opened:
        for _ in range(40):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(form("/work-items", large, len(large) + 1))
        assert exchange(port, form("/work-items", b"title=small")).startswith(b"HTTP/1.1 303")
        assert eventually_taken(port, large, within=bodies.DEADLINE / 2)
        assert memory(process) < 300


def eventually_taken(port: int, body: bytes, within: float) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if exchange(port, form("/work-items", body)).startswith(b"HTTP/1.1 422"):  # notes can't be that long
            return True
        time.sleep(0.1)
    return False


def test_what_is_small_has_room_though_larger_ones_fill_theirs_and_needs_no_length_for_it(monkeypatch):
    monkeypatch.setattr(bodies, "IN_FLIGHT", 2 * bodies.SMALL)
    all_of_them = bodies.Bodies()
    with all_of_them.share() as large, all_of_them.share() as small:
        large.add(2 * bodies.SMALL)
        small.add(bodies.SMALL)
        with pytest.raises(Busy):
            small.add(1)
    with all_of_them.share() as later, all_of_them.share() as another:
        later.add(2 * bodies.SMALL)
        another.add(bodies.SMALL)


@pytest.mark.parametrize("size", [10, bodies.SMALL + 10], ids=["small", "large"])
def test_what_has_been_coming_for_long_gives_way_where_there_is_no_room_and_what_is_here_or_new_does_not(
    monkeypatch, size: int
):
    monkeypatch.setattr(bodies, "IN_FLIGHT", 3 * size)

    async def main() -> None:
        reading = bodies.Bodies()

        async def read(body: bytes) -> bytes:
            """What is missing of it never comes."""
            left = [{"type": "http.request", "body": body, "more_body": len(body) < size}]

            async def receive() -> dict:
                return left.pop(0) if left else await asyncio.get_running_loop().create_future()

            with reading.share() as share:
                body = await reading.read(receive, size, bodies.MAX_DROPPED, share, expects_continue=False)
                await finished.wait()
                return body

        async def begun(body: bytes) -> asyncio.Task[bytes]:
            task = asyncio.create_task(read(body))
            await asyncio.sleep(0)
            return task

        finished = asyncio.Event()
        here = await begun(b"h" * size)
        slow = [await begun(b"s" * (size - 1)) for _ in range(2)]
        with pytest.raises(Busy):
            await (await begun(b"n" * size))
        assert not any(task.done() for task in slow), "they keep their room for a moment"
        monkeypatch.setattr(bodies, "KEEPS_ROOM", 0.0)
        new = await begun(b"n" * size)
        with pytest.raises(Busy):
            await asyncio.wait_for(slow[0], 30)
        finished.set()
        assert await asyncio.gather(here, new) == [b"h" * size, b"n" * size]
        assert not slow[1].done(), "one was enough"
        slow[1].cancel()

    run_in_a_loop(main())


@pytest.mark.parametrize(("length", "most", "refusal"), [(None, 2, TooLarge), (4, 9, Busy), (4, 2, TooLarge)])
def test_who_is_refused_while_still_sending_can_send_the_rest_and_so_sees_the_answer(
    monkeypatch, length: int | None, most: int, refusal: type[Problem]
):
    monkeypatch.setattr(bodies, "IN_FLIGHT", 2)

    async def main() -> None:
        pieces = [{"type": "http.request", "body": b"x", "more_body": left > 0} for left in (3, 2, 1, 0)]

        async def receive() -> dict:
            return pieces.pop(0)

        reading = bodies.Bodies()
        with pytest.raises(refusal), reading.share() as share:
            await reading.read(receive, length, most, share, expects_continue=False)
        assert not pieces

    run_in_a_loop(main())


def test_at_the_end_of_the_process_all_are_answered_though_one_was_just_too_slow_and_the_end_comes_twice(monkeypatch):
    monkeypatch.setattr(bodies, "DEADLINE", 3600.0)

    async def main() -> None:
        reading, never = bodies.Bodies(), asyncio.get_running_loop().create_future()

        async def read() -> None:
            with reading.share() as share:
                await reading.read(lambda: never, 9, 9, share, expects_continue=False)

        asked = [asyncio.create_task(read()) for _ in range(3)]
        await asyncio.sleep(0)
        reading.end()
        await asyncio.sleep(0)  # their time is up, and they have not heard of it yet
        reading.end()
        answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 30)
        assert [type(each) for each in answers] == [Ending] * 3

    run_in_a_loop(main())


# --- large ------------------------------------------------------------------------------------------------


def test_fat_forms_at_the_door_are_refused_before_they_are_taken_apart(server):
    process, port = server
    fat = b"&".join(b"%d=" % number for number in range(150_000))
    answers: list[bytes] = []
    with Health(port) as health:
        threads = [
            threading.Thread(target=lambda: answers.append(exchange(port, form("/sign-in", fat)))) for _ in range(20)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        time.sleep(1.5)
    health.assert_quick()
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 413"] * 20
    assert memory(process) < 300


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/sign-in", 16 << 10, b"303"),  # sign-in is off here, and the front page is where it leads
        ("/sign-in", (16 << 10) + 1, b"413"),
        ("/sign-in/typed", (16 << 10) + 1, b"303"),  # with the notes that were typed while nobody was signed in
        ("/sign-in/typed", (1 << 20) + 1, b"413"),
        ("/work-items", 1 << 20, b"422"),
        ("/work-items", (1 << 20) + 1, b"413"),
        ("/work-items", 3 << 20, b"413"),
    ],
)
def test_each_route_has_its_limit_and_the_sender_sees_the_answer(port: int, path: str, length: int, status: bytes):
    body = b"title=" + b"x" * (length - 6)
    assert exchange(port, form(path, body)).startswith(b"HTTP/1.1 " + status)
    kind = ("Content-Type: application/x-www-form-urlencoded", "Transfer-Encoding: chunked")
    assert exchange(port, head(path, *kind) + chunked(body, ended=True)).startswith(b"HTTP/1.1 " + status)


def test_who_asks_first_is_not_made_to_send_what_is_too_large(port: int):
    answer = exchange(port, head("/work-items", "Content-Length: 9999999", "Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "Application/X-WWW-Form-URLencoded; charset=utf-8"]
)
def test_a_form_has_a_hundred_fields_at_most(port: int, kind: str):
    def fields(number: int) -> bytes:
        body = b"&".join([b"title=many", *(b"a%d=" % each for each in range(1, number))])
        return head("/work-items", f"Content-Type: {kind}", f"Content-Length: {len(body)}") + body

    assert exchange(port, fields(101)).startswith(b"HTTP/1.1 413")
    assert not exchange(port, fields(100)).startswith(b"HTTP/1.1 413")


def test_so_has_one_in_parts(port: int):
    def parts(number: int) -> bytes:
        names = ["title", *(f"a{each}" for each in range(1, number))]
        part = '--end\r\nContent-Disposition: form-data; name="{}"\r\n\r\nmany\r\n'
        body = ("".join(map(part.format, names)) + "--end--\r\n").encode()
        return (
            head("/work-items", 'Content-Type: multipart/form-data; boundary="end"', f"Content-Length: {len(body)}")
            + body
        )

    answer = exchange(port, parts(101))
    assert answer.startswith(b"HTTP/1.1 413") and b"100 fields" in answer
    assert not exchange(port, parts(100)).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("end_of_line", [b"\r\n", b"\n", b"\r"])
def test_parts_are_counted_whatever_ends_their_lines(end_of_line: bytes):
    """The form of the web framework takes each of these."""

    def form_of(number: int) -> tuple[str, bytes]:
        part = b"--end\nContent-Disposition: form-data; name=a\n\nmany\n".replace(b"\n", end_of_line)
        return 'multipart/form-data; boundary="end"', part * number + b"--end--" + end_of_line

    bodies.refuse_many_fields(*form_of(100))
    with pytest.raises(TooLarge):
        bodies.refuse_many_fields(*form_of(101))
    kind, body = form_of(101)
    request = Request({"REQUEST_METHOD": "POST", "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)),
                       "wsgi.input": io.BytesIO(body)})  # fmt: skip
    assert request.form.getlist("a") == ["many"] * 101


@pytest.mark.parametrize(("path", "kind"), [("/work-items", b"text/html"), ("/api/v1/work-items", b"application/json")])
def test_a_refusal_says_what_to_do_and_carries_the_headers(port: int, path: str, kind: bytes):
    answer = exchange(port, form(path, b"", 9_999_999), hang_up=True)
    assert b"content-type: " + kind in answer
    assert b"larger than 1 MB" in answer and b"Shorten it" in answer
    assert b"default-src 'none'" in answer and b"cache-control: no-store" in answer
