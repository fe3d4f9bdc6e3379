"""Creates that come at once have one commit together, and each is answered after it."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text
from structlog.testing import capture_logs

from app.database.sqlite import sqlite_driver
from app.operations.serving.bridge import Bridge
from app.operations.serving.threads import HELD_UP, TOGETHER
from app.web.context import WebApp
from tests.app.operations.in_loop import Told, ask, part
from tests.app.operations.loops import run_in_a_loop

CREATES = TOGETHER
FORM = b"application/x-www-form-urlencoded"


class Commits:
    """The first waits until the test lets it go on, so that others come meanwhile. `refuse` those after it."""

    def __init__(self, refuse: Exception | None) -> None:
        self.begun, self.may_end, self.number, self._refuse = threading.Event(), threading.Event(), 0, refuse

    def __call__(self, _connection: object) -> None:
        self.number += 1
        if self.number == 1:
            self.begun.set()
            self.may_end.wait(30)
        elif self._refuse:
            raise self._refuse


@contextmanager
def commits(app: WebApp, refuse: Exception | None = None) -> Iterator[Commits]:
    engine, made = app.instance.gate.database._engine, Commits(refuse)
    event.listen(engine, "commit", made)
    try:
        yield made
    finally:
        event.remove(engine, "commit", made)


async def create(bridge: Bridge, title: str, *, by_form: bool) -> Told:
    if by_form:
        return await ask(bridge, "/work-items", "POST", coming=[part(f"title={title}".encode())], kind=FORM)
    body = json.dumps({"title": title}).encode()
    return await ask(bridge, "/api/v1/work-items", "POST", coming=[part(body)], kind=b"application/json")


def create_at_once(app: WebApp, held: Commits) -> list[Told]:
    """One, and while that is committed CREATES others, half of them by form."""

    async def main() -> list[Told]:
        bridge = Bridge(app, app.instance, asyncio.get_running_loop())
        first = asyncio.create_task(create(bridge, "first", by_form=False))
        await asyncio.to_thread(held.begun.wait, 30)
        assert app.instance.gate.inside == 1  # a hand-over waits for the commit
        others = [asyncio.create_task(create(bridge, f"item{n}", by_form=n % 2 == 1)) for n in range(CREATES)]
        await asyncio.sleep(5 * HELD_UP)
        assert not any(each.done() for each in (first, *others))
        held.may_end.set()
        return await asyncio.gather(first, *others)

    return run_in_a_loop(main())


def titles(app: WebApp) -> set[str]:
    with app.instance.gate.database.read_columns() as connection:
        return {title for (title,) in connection.execute(text("SELECT title FROM work_items"))}


def test_each_is_answered_and_there_and_few_commits_were_needed(app: WebApp):
    with commits(app) as made:
        told = create_at_once(app, made)
    assert {answer.status for answer in told} == {201, 303}
    assert titles(app) == {"first", *(f"item{number}" for number in range(CREATES))}
    assert made.number <= CREATES / 2
    assert app.instance.gate.inside == 0


def test_a_commit_that_fails_is_told_to_all_whom_it_was_for_and_to_nobody_else(app: WebApp):
    full = sqlite_driver().OperationalError("database or disk is full")
    with commits(app, refuse=full) as made, capture_logs() as log:
        told = create_at_once(app, made)
    assert [answer.status for answer in told] == [201, *([507] * CREATES)]
    assert b"room" in told[1].body
    assert titles(app) == {"first"}
    assert app.instance.gate.inside == 0
    assert sorted(line["status"] for line in log if "status" in line) == [201, *([507] * CREATES)]


@pytest.mark.parametrize("by_form", [True, False])
def test_one_that_is_not_valid_is_told_so_and_harms_none_beside_it(app: WebApp, by_form: bool):
    with commits(app) as made:

        async def main() -> list[Told]:
            bridge = Bridge(app, app.instance, asyncio.get_running_loop())
            asked = [create(bridge, title, by_form=by_form) for title in ("first", "good", "", "better")]
            tasks = [asyncio.create_task(each) for each in asked]
            await asyncio.to_thread(made.begun.wait, 30)
            made.may_end.set()
            return await asyncio.gather(*tasks)

        told = run_in_a_loop(main())
    done = 303 if by_form else 201
    assert [answer.status for answer in told] == [done, done, 422, done]
    assert titles(app) == {"first", "good", "better"}
