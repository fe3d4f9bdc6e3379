"""What a client does not read of its answer stays where it is counted, and gives way to what others read."""

import asyncio
import json
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.operations.serving import answers
from app.operations.serving.answers import PIECE, SENT_AT_ONCE, Answers
from tests.app.operations.in_loop import Message
from tests.app.operations.loops import run_in_a_loop
from tests.app.operations.watching import memory
from tests.app.processes import Serving, ask, wait_until_ready
from tests.ports import free_port

LONG = SENT_AT_ONCE + 5 * PIECE + 1


class Client:
    """Takes as many messages as it is let."""

    def __init__(self, takes: int) -> None:
        self.got: list[Message] = []
        self._room = asyncio.Semaphore(takes)

    async def send(self, message: Message) -> None:
        await self._room.acquire()
        self.got.append(message)

    def takes_more(self, number: int = 1) -> None:
        for _ in range(number):
            self._room.release()

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.got[1:])

    @property
    def ended(self) -> bool:
        return not self.got[-1].get("more_body", False)


async def some_turns_of_the_loop() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("length", [0, 1, SENT_AT_ONCE, SENT_AT_ONCE + 1, LONG])
def test_an_answer_arrives_whole_and_a_long_one_in_pieces(length: int):
    body = bytes(range(256)) * (length // 256) + b"e" * (length % 256)

    async def main() -> None:
        sending, client = Answers(), Client(100)
        assert await sending.send(client.send, (200, [("A", "ä")], body))
        assert client.got[0] == {"type": "http.response.start", "status": 200, "headers": [(b"A", b"\xe4")]}
        assert client.body == body and client.ended and sending.bytes == 0
        assert len(client.got) == 2 if length <= SENT_AT_ONCE else max(len(m["body"]) for m in client.got[1:]) == PIECE

    run_in_a_loop(main())


def test_where_there_is_no_room_that_gives_way_of_which_nothing_was_taken_for_longest(monkeypatch):
    monkeypatch.setattr(answers, "BEING_SENT", 2 * LONG)

    async def main() -> None:
        sending, reads, reads_nothing, comes = Answers(), Client(2), Client(2), Client(100)
        asked = [
            asyncio.create_task(sending.send(client.send, (200, [], b"x" * LONG))) for client in (reads, reads_nothing)
        ]
        await some_turns_of_the_loop()
        reads.takes_more()
        await some_turns_of_the_loop()
        assert sending.bytes == 2 * LONG
        assert await sending.send(comes.send, (200, [], b"y" * LONG)), "it has room"
        assert comes.body == b"y" * LONG
        assert not await asyncio.wait_for(asked[1], 30)
        assert not reads_nothing.ended, "so that the connection is closed, and its client sees that it is not whole"
        reads.takes_more(100)
        assert await asyncio.wait_for(asked[0], 30) and reads.body == b"x" * LONG
        assert sending.bytes == 0

    run_in_a_loop(main())


def test_one_that_is_longer_than_all_the_room_is_sent_alone(monkeypatch):
    monkeypatch.setattr(answers, "BEING_SENT", LONG - 1)

    async def main() -> None:
        sending, client = Answers(), Client(100)
        assert await sending.send(client.send, (200, [], b"x" * LONG)) and client.body == b"x" * LONG

    run_in_a_loop(main())


# --- from the app itself ----------------------------------------------------------------------------------

LONG_ANSWERS = """
from app.operations.serving import bridge
served = bridge.call
def long(wsgi, environ):
    status, headers, body = served(wsgi, environ)
    if environ["QUERY_STRING"] != "long":
        return status, headers, body
    return status, [("Content-Length", "1000000")], b"x" * 1_000_000
bridge.call = long
"""


def test_hundreds_who_read_nothing_take_little_memory_and_keep_nobody_from_a_whole_answer(tmp_path: Path):
    """A megabyte for each."""
    port = free_port()
    process = Serving(tmp_path, port, before=LONG_ANSWERS)
    wait_until_ready(port, process)
    before = memory(process)
    with ExitStack() as opened:
        connections = [opened.enter_context(socket.socket()) for _ in range(400)]
        for each in connections:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            each.connect(("127.0.0.1", port))
            each.sendall(b"GET /static/app.js?long HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert each.recv(15, socket.MSG_PEEK) == b"HTTP/1.1 200 OK"
        assert memory(process) - before < 150
        answer = ask(port, "GET", "/static/app.js?long")
        assert (answer.status, answer.length) == (200, 0), "it came whole"
        with connections[0] as first:
            taken = 0
            while piece := first.recv(1 << 20):
                taken += len(piece)
        assert taken < 1_000_000, "it was cut off, and the connection was closed"
    (line, *_) = (json.loads(each) for each in process.said.splitlines() if "cut_off" in each)
    assert line["event"] == "GET /static/app.js" and line["address"] == "127.0.0.1"
    process.terminate()
    assert process.wait(20) == 0
