"""Between granian and the Flask app: each request is read whole in the event loop, and only then takes a thread.

So what is half sent, or sent slowly, costs no thread, and /healthz is answered whatever else goes on.
"""

import asyncio
import io
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import structlog

from app.database.deadline import waits_until
from app.database.group_commit import group_commits
from app.errors import Busy, CutOff, Ending, Problem
from app.logs import visible
from app.operations.serving.answers import Answers, Send
from app.operations.serving.bodies import (
    HEADS_IN_FLIGHT,
    SMALL,
    Account,
    Bodies,
    Receive,
    is_refusal_of_body,
    refuse_many_fields,
)
from app.operations.serving.threads import Overdue, Threads
from app.operations.serving.wsgi import Answer, call, environ_of, head_size, length_of
from app.settings import READ_THREADS, SIGN_IN_THREADS, WRITE_THREADS
from app.web.auth import HASHING, PUBLIC
from app.web.context import WAIT_UNTIL, WebApp
from app.web.error_pages import answer_in_loop, unexpected
from app.web.health import ALIVE, READY, healthz_in_loop
from app.web.pages.unsaved_form import WITH_TYPED
from app.web.security import MAX_BODY, SAFE_METHODS
from app.web.throttled_request import HAS_WAITED, MAY_WAIT, TURN_AFTER
from app.writer.gate import MAX_HANDOVER_WAIT
from app.writer.instance import Instance

TURN_SECONDS = 5.0
"""How long a request may wait for a thread and then, if it writes, for its turn and the database's lock, together. What
has waited longer when its turn comes is refused."""
GUESS_SECONDS, MOST_WAITING = 20.0, 100
"""How long a try of a password may wait for its turn, and how many may at once: each keeps its connection, and a body
of SMALL at most. Gateways give up after 30 s
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html)."""

request_log = structlog.get_logger("request")


class Bridge:
    """The ASGI app that granian serves, made in the process that serves."""

    def __init__(self, app: WebApp, instance: Instance, loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._instance = app, instance
        self._bodies, self._answers = Bodies(), Answers()
        self._ending = loop.create_future()
        self._waiting = 0
        self.unanswered = 0
        """Requests that have come, those among them whose client has gone meanwhile. Read by any thread."""
        self._heads = Account(HEADS_IN_FLIGHT)
        self._handover: asyncio.Future | None = None
        self._look_again = asyncio.Event()
        """Set when the hand-over is over or the process ends. Of thousands that waited for one future, each would look
        through all the others when it is done: 1,000 held the loop up for 0.8 s."""
        self._handover_waiter = Threads("handover", 1)
        self._reads, self._writes = Threads("read", READ_THREADS), Threads("write", WRITE_THREADS, group_commits)
        self._sign_ins = Threads("sign-in", SIGN_IN_THREADS)
        self._log_writer = Threads("log", 1)
        self._public_forms = _public_forms(app)
        self._without_database = (READY, f"{app.static_url_path}/")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] == ALIVE and scope["method"] in ("GET", "HEAD"):
            answer = healthz_in_loop(self._instance)
        else:
            self.unanswered += 1
            try:
                answer = await self._counted(scope, receive)
            except Problem as problem:
                answer = self._refuse(scope, problem)
            except Exception as error:
                answer = self._refuse(scope, unexpected(error))
            finally:
                self.unanswered -= 1
        if not await self._answers.send(send, answer):
            self._log(request_log.info, scope, cut_off="Nothing was taken of the answer, and others needed its room.")

    def end(self) -> None:
        """The process is to end: what is still being read, or waits for a hand-over, is answered now. In the loop."""
        if not self._ending.done():
            self._ending.set_result(None)
        self._look_again.set()
        self._bodies.end()

    async def _counted(self, scope: dict[str, Any], receive: Receive) -> Answer:
        """Its head stays in memory until it is answered."""
        size = head_size(scope)
        self._heads.take(size)
        try:
            return await self._answer(scope, receive)
        finally:
            self._heads.give_back(size)

    async def _answer(self, scope: dict[str, Any], receive: Receive) -> Answer:
        environ = environ_of(scope)
        public = environ["PATH_INFO"] in self._public_forms
        length = length_of(environ)
        if length == 0:
            return await self._in_its_turn(environ, b"")
        small = public and environ["PATH_INFO"] != WITH_TYPED
        limit, expects_continue = SMALL if small else MAX_BODY, "HTTP_EXPECT" in environ
        with self._bodies.share() as share:
            body = await self._bodies.read(receive, length, limit, share, expects_continue=expects_continue)
            refuse_many_fields(environ.get("CONTENT_TYPE", ""), body)
            return await self._in_its_turn(environ, body)

    async def _in_its_turn(self, environ: dict[str, Any], body: bytes) -> Answer:
        """One that is throttled (web/throttled_request.py) waits here, where it takes no thread, and is asked again."""
        until = time.monotonic() + GUESS_SECONDS
        while True:
            may_wait = len(body) <= SMALL and self._waiting < MOST_WAITING
            environ[MAY_WAIT] = until - time.monotonic() if may_wait else 0.0
            answer = await self._in_thread(environ, body)
            seconds = environ.pop(TURN_AFTER, None)
            if seconds is None or self._waiting >= MOST_WAITING:  # many may have been asked at once
                return answer
            await self._waited(seconds)
            environ[HAS_WAITED] = True

    async def _waited(self, seconds: float) -> None:
        """Raises Ending."""
        self._waiting += 1
        try:
            await asyncio.wait([self._ending], timeout=seconds)
        finally:
            self._waiting -= 1
        if self._ending.done():
            raise Ending

    async def _in_thread(self, environ: dict[str, Any], body: bytes) -> Answer:
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        waits = not environ["PATH_INFO"].startswith(self._without_database)
        environ[WAIT_UNTIL] = time.monotonic() + (MAX_HANDOVER_WAIT if waits else 0)
        threads = self._threads_for(environ)
        while True:
            if self._instance.gate.expects_handover:
                await self._handed_over(environ)
            until = time.monotonic() + TURN_SECONDS
            try:
                return await threads.run(partial(self._call, environ, until), within=TURN_SECONDS)
            except HandoverBegan:
                continue
            except Overdue:
                raise Busy(
                    "Too many requests at once.", "Nothing was changed. Try again in a moment.", retry_after=2
                ) from None

    def _threads_for(self, environ: dict[str, Any]) -> Threads:
        if environ["REQUEST_METHOD"] in SAFE_METHODS:
            return self._reads
        return self._sign_ins if environ["PATH_INFO"].startswith(HASHING) else self._writes

    async def _handed_over(self, environ: dict[str, Any]) -> None:
        """Returns when the database is here, or is not going to be in time. One thread waits for all of them."""
        while (left := environ[WAIT_UNTIL] - time.monotonic()) > 0 and not self._instance.gate.settled:
            if self._ending.done():
                raise Ending
            if self._handover is None or self._handover.done():
                self._handover = self._handover_waiter.run(self._instance.gate.wait_for_handover)
                self._look_again = asyncio.Event()
                self._handover.add_done_callback(partial(_set, self._look_again))
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._look_again.wait()

    def _call(self, environ: dict[str, Any], until: float) -> Answer:
        if environ[WAIT_UNTIL] > time.monotonic() and self._instance.gate.expects_handover:
            raise HandoverBegan
        with waits_until(until):
            return call(self._app.wsgi_app, environ)

    def _refuse(self, scope: dict[str, Any], problem: Problem) -> Answer:
        write = request_log.debug if isinstance(problem, CutOff) else request_log.info
        self._log(write, scope, status=problem.status, code=problem.code)
        status, headers, body = answer_in_loop(self._app, scope["path"], problem)
        if is_refusal_of_body(problem):
            headers.append(("Connection", "close"))
        return status, headers, body

    def _log(self, write: Callable[..., None], scope: dict[str, Any], **said: object) -> None:
        """As web/request_log.py does. Who reads the log may be slow, or not read at all: the loop must not wait."""
        peer, behind_proxies = scope["client"][0], self._app.client_address
        said["address"] = behind_proxies.of(peer, scope["headers"]) if behind_proxies else peer
        line = partial(write, f"{scope['method']} {visible(scope['path'])}", **said)
        self._log_writer.run(line, within=TURN_SECONDS).add_done_callback(_left_out_in_silence)


def _set(event: asyncio.Event, _done: asyncio.Future) -> None:
    event.set()


class HandoverBegan(Exception):
    """While the request waited for a thread another instance asked for the database; it waits for that in the loop."""


def _left_out_in_silence(written: asyncio.Future) -> None:
    """asyncio writes a traceback, in the loop, of an error that nobody has asked for: of a line that came too late."""
    written.exception()


def _public_forms(app: WebApp) -> frozenset[str]:
    rules = app.url_map.iter_rules()
    return frozenset(rule.rule for rule in rules if rule.endpoint in PUBLIC and "POST" in (rule.methods or ()))
