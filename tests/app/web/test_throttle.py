"""Passwords and set-up codes can't be guessed, and guessing locks nobody out."""

import asyncio
import threading
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.operations.control.control_commands import new_password
from app.operations.serving import bridge as bridge_module
from app.operations.serving.bridge import Bridge
from app.settings import load
from app.web import throttle as module
from app.web.context import WebApp
from app.web.throttle import FORGET_SECONDS, GAP_SECONDS, MOST_COUNTS, Throttle, Try
from tests.app.conftest import EMAIL, PASSWORD
from tests.app.operations.loops import run_in_a_loop

ELSEWHERE = "203.0.113.9"
WRONG = "not the password"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wrong_passwords(monkeypatch) -> list[str]:
    """Every password is wrong, at no cost; the list has those that were looked at."""
    looked_at: list[str] = []
    monkeypatch.setattr("app.web.sign_in.password_fits", lambda kept, typed: looked_at.append(typed))
    return looked_at


def sign_in(client: FlaskClient, password: str = WRONG, email: str = EMAIL, address: str = "127.0.0.1") -> int:
    data = {"email": email, "password": password}
    return client.post("/sign-in", data=data, environ_base={"REMOTE_ADDR": address}).status_code


# --- the owner and the stranger ---------------------------------------------------------------------------


def test_a_stranger_who_guesses_elsewhere_does_not_slow_the_owner(stranger):
    for _ in range(10):
        sign_in(stranger, address=ELSEWHERE)
    assert sign_in(stranger, address=ELSEWHERE) == 429
    assert sign_in(stranger, PASSWORD) == 303


def test_a_device_that_has_signed_in_is_not_slowed_even_from_the_strangers_address(locked_app: WebApp, stranger):
    owner = locked_app.test_client()
    assert sign_in(owner, PASSWORD) == 303
    owner.post("/sign-out")
    for _ in range(12):
        sign_in(stranger)
    assert sign_in(stranger, PASSWORD) == 429
    assert sign_in(owner, WRONG) == 422
    assert sign_in(owner, PASSWORD) == 303


def test_a_device_is_known_for_its_own_account_only_and_until_the_password_changes(locked_app: WebApp, stranger):
    owner = locked_app.test_client()
    assert sign_in(owner, PASSWORD) == 303
    owner.post("/sign-out")
    for _ in range(10):
        sign_in(stranger)
        sign_in(stranger, email="bob@example.com")
    assert sign_in(owner, email="bob@example.com") == 429
    password = new_password(locked_app.instance.database, EMAIL)["password"]
    assert sign_in(owner, password) == 429
    assert sign_in(owner, password, address=ELSEWHERE) == 303


def test_who_changes_the_own_password_leaves_the_device_known_for_each_account(locked_app: WebApp):
    bob, new = "bob@example.com", "another long password"
    device = locked_app.test_client()
    assert sign_in(device, PASSWORD) == 303
    device.post("/accounts", data={"email": bob, "password": PASSWORD})
    device.post("/sign-out")
    assert sign_in(device, PASSWORD, bob) == 303
    assert device.post("/account/password", data={"current": PASSWORD, "password": new}).status_code == 303
    device.post("/sign-out")
    for email in (EMAIL, bob):
        for _ in range(12):
            locked_app.throttle.wrong(Try(f"email {email}", "127.0.0.1"))
    assert sign_in(device, new, bob) == 303
    device.post("/sign-out")
    assert sign_in(device, PASSWORD, EMAIL) == 303


def test_signing_in_to_ones_own_account_forgives_no_guess_at_anothers_on_the_same_device():
    throttle, bob, owner = Throttle(), Try("bob", "", "shared"), Try("owner", "", "shared")
    for _ in range(10):
        throttle.wrong(owner)
    throttle.right(bob)
    assert throttle.seconds_until_turn(owner) > 0


def test_who_has_stolen_a_device_is_slowed_and_slows_nobody_else(locked_app: WebApp, wrong_passwords, monkeypatch):
    with monkeypatch.context() as right:
        right.setattr("app.web.sign_in.password_fits", lambda kept, typed: True)
        devices = [locked_app.test_client() for _ in range(2)]
        assert [sign_in(device) for device in devices] == [303, 303]
    for device in devices:
        device.post("/sign-out")
    assert [sign_in(devices[0]) for _ in range(11)] == [422] * 10 + [429]
    assert sign_in(devices[1]) == 422


@pytest.mark.parametrize("cookie", ["", "x", "W10.x.y", "a" * 4000])
def test_a_made_up_device_is_none(locked_app: WebApp, wrong_passwords, cookie: str):
    client = locked_app.test_client()
    client.set_cookie(f"{locked_app.config['SESSION_COOKIE_NAME']}_device", cookie, path="/sign-in")
    assert [sign_in(client) for _ in range(11)] == [422] * 10 + [429]


def test_the_devices_cookie_is_no_session_and_the_session_no_device(locked_app: WebApp):
    client = locked_app.test_client()
    sign_in(client, PASSWORD)
    session_name = locked_app.config["SESSION_COOKIE_NAME"]
    session, device = client.get_cookie(session_name), client.get_cookie(f"{session_name}_device", path="/sign-in")
    assert session and device
    assert device.http_only and device.same_site == "Lax"
    swapped = locked_app.test_client()
    swapped.set_cookie(session_name, device.value)
    swapped.set_cookie(f"{session_name}_device", session.value, path="/sign-in")
    assert swapped.get("/").status_code == 303
    for _ in range(10):
        sign_in(swapped)
    assert sign_in(swapped, PASSWORD) == 429


def test_right_passwords_never_count(monkeypatch, stranger):
    monkeypatch.setattr("app.web.sign_in.password_fits", lambda kept, typed: typed == PASSWORD)
    for _ in range(30):
        assert sign_in(stranger, PASSWORD) == 303
        stranger.post("/sign-out")


def test_what_is_slowed_is_not_hashed_and_says_when_to_come_again(stranger, wrong_passwords, longest):
    answers = [sign_in(stranger, f"guess {n}") for n in range(15)]
    assert answers == [422] * 10 + [429] * 5
    assert len(wrong_passwords) == 10
    answer = stranger.post("/sign-in", data={"email": EMAIL, "password": WRONG})
    assert answer.headers["Retry-After"] == "4"
    assert "Try again in 4 seconds." in answer.text


def test_an_address_is_slowed_over_all_accounts(stranger, wrong_passwords):
    answers = [sign_in(stranger, email=f"{n}@example.com") for n in range(61)]
    assert answers == [422] * 60 + [429]


def test_a_forwarded_address_counts_only_behind_trusted_proxies(wrong_passwords, tmp_path):
    for hops, last in (("0", 429), ("1", 422)):
        made = create_app(load({"DATABASE_PATH": str(tmp_path / f"{hops}.db"), "ADMIN_EMAIL": EMAIL,
                                "ADMIN_PASSWORD": PASSWORD, "TRUSTED_PROXIES": hops}))  # fmt: skip
        client = made.test_client()
        answers = [
            client.post("/sign-in", data={"email": f"{n}@example.com", "password": "x"},
                        headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
            for n in range(61)
        ]  # fmt: skip
        assert answers[-1] == last
        made.instance.stop()


def test_guessing_the_set_up_code_elsewhere_does_not_slow_who_has_it(tmp_path):
    made = create_app(load({"DATABASE_PATH": str(tmp_path / "a.db")}))

    def set_up(code: str | None, address: str) -> int:
        data = {"code": code, "email": EMAIL, "password": PASSWORD}
        return made.test_client().post("/setup", data=data, environ_base={"REMOTE_ADDR": address}).status_code

    assert [set_up("AAAA-AAAA", ELSEWHERE) for _ in range(11)] == [422] * 10 + [429]
    assert set_up(made.setup_code, ELSEWHERE) == 429
    assert set_up(made.setup_code, "127.0.0.1") == 303
    made.instance.stop()


# --- how long it takes ------------------------------------------------------------------------------------


@pytest.fixture
def longest(monkeypatch) -> float:
    """Who draws lots, draws the last one."""
    monkeypatch.setattr(module.random, "uniform", lambda _least, most: most)
    return GAP_SECONDS


def test_what_is_free_waits_for_nothing_and_then_there_is_one_turn_in_each_gap(clock: Clock, longest: float):
    throttle, one = Throttle(clock), Try("ann", "192.0.2.1")
    for _ in range(10):
        assert throttle.seconds_until_turn(one) == 0
        throttle.wrong(one)
    for _ in range(3):
        assert throttle.seconds_until_turn(one) == GAP_SECONDS + longest
        clock.now += GAP_SECONDS + longest
        assert throttle.seconds_until_turn(one, drawn=True) == 0
        assert throttle.seconds_until_turn(one, drawn=True) == GAP_SECONDS + longest, "it is taken"


def test_who_asks_first_has_no_turn_before_those_that_wait(clock: Clock, longest: float):
    throttle, one = Throttle(clock), Try("ann", "192.0.2.1")
    for _ in range(10):
        throttle.wrong(one)
    clock.now += GAP_SECONDS
    assert throttle.seconds_until_turn(one) == longest
    assert throttle.seconds_until_turn(one, drawn=True) == 0


def test_three_who_ask_again_at_once_do_not_keep_the_owner_out(clock: Clock):
    """Each asks when it was told to, and once more as soon as it was looked at."""
    throttle, one = Throttle(clock), Try("ann", "192.0.2.1")
    for _ in range(10):
        throttle.wrong(one)
    asks_at = {who: clock.now + throttle.seconds_until_turn(one) for who in (1, 2, 3, "owner")}
    let_in = dict.fromkeys(asks_at, 0)
    for _ in range(4000):
        who = min(asks_at, key=lambda each: asks_at[each])
        clock.now = max(clock.now, asks_at[who])
        seconds = throttle.seconds_until_turn(one, drawn=True)
        if not seconds:
            let_in[who] += 1
            throttle.wrong(one)
            seconds = throttle.seconds_until_turn(one)
        asks_at[who] = clock.now + seconds
    assert let_in["owner"] > sum(let_in.values()) / 6


def test_it_is_forgotten(clock: Clock):
    throttle, one = Throttle(clock), Try("ann", "192.0.2.1")
    for _ in range(1000):
        throttle.wrong(one)
    clock.now += FORGET_SECONDS
    assert throttle.seconds_until_turn(one) == 0
    for _ in range(2):
        throttle.wrong(one)
        clock.now += FORGET_SECONDS / 10
    assert throttle.seconds_until_turn(one) == 0


def test_an_account_is_slowed_by_many_addresses_but_not_on_its_device(clock: Clock, longest: float):
    throttle = Throttle(clock)
    for n in range(100):
        throttle.wrong(Try("ann", f"192.0.2.{n}"))
    assert throttle.seconds_until_turn(Try("ann", ELSEWHERE)) == GAP_SECONDS + longest
    assert throttle.seconds_until_turn(Try("bob", ELSEWHERE)) == 0
    assert throttle.seconds_until_turn(Try("ann", ELSEWHERE, device="ann's")) == 0


def test_who_has_a_whole_ipv6_network_is_one_client(clock: Clock, longest: float):
    throttle = Throttle(clock)
    for n in range(10):
        throttle.wrong(Try("ann", f"2001:db8::{n}"))
    assert throttle.seconds_until_turn(Try("ann", "2001:db8::ffff:1")) == GAP_SECONDS + longest
    assert throttle.seconds_until_turn(Try("ann", "2001:db8:0:1::1")) == 0


def test_there_is_a_bound_to_what_is_remembered(clock: Clock):
    throttle = Throttle(clock)
    for n in range(MOST_COUNTS):
        throttle.wrong(Try(str(n), f"10.{n >> 8}.{n & 255}.1"))
    assert len(throttle._counts) == MOST_COUNTS


# --- while it waits ---------------------------------------------------------------------------------------


async def post(bridge: Bridge, password: str, email: str = EMAIL) -> int:
    body = f"email={email}&password={password}".encode()
    answers: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = {b"content-type": b"application/x-www-form-urlencoded", b"content-length": b"%d" % len(body)}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/sign-in",
        "raw_path": b"/sign-in",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers.items()],
        "server": ("127.0.0.1", "80"),
        "client": ("127.0.0.1", "1234"),
    }
    await bridge(scope, receive, send)
    return answers[0]["status"]


def test_the_owner_at_the_strangers_address_waits_and_is_let_in(monkeypatch, locked_app: WebApp):
    monkeypatch.setattr(module, "GAP_SECONDS", 0.05)
    locked_app.throttle = Throttle()
    one = Try(f"email {EMAIL}", "127.0.0.1")
    for _ in range(12):
        locked_app.throttle.wrong(one)

    async def main() -> int:
        return await post(Bridge(locked_app, locked_app.instance, asyncio.get_running_loop()), "a+long+enough+password")

    assert run_in_a_loop(main()) == 303


def test_those_that_wait_take_no_thread_from_others_and_end_with_the_server(
    locked_app: WebApp, wrong_passwords, monkeypatch
):
    monkeypatch.setattr(bridge_module, "MOST_WAITING", 20)
    for _ in range(20):
        locked_app.throttle.wrong(Try(f"email {EMAIL}", "127.0.0.1"))

    async def main() -> tuple[set[int], int, int]:
        bridge = Bridge(locked_app, locked_app.instance, asyncio.get_running_loop())
        threads = threading.active_count()
        waiting = [asyncio.create_task(post(bridge, WRONG)) for _ in range(30)]
        refused: set[asyncio.Task[int]] = set()
        while len(refused) < 10:
            refused, _ = await asyncio.wait(waiting, timeout=0.05)
        other = await asyncio.wait_for(post(bridge, WRONG, "bob@example.com"), 4)
        assert threading.active_count() <= threads
        bridge.end()
        ended = await asyncio.gather(*(task for task in waiting if task not in refused))
        return {task.result() for task in refused}, other, sum(status == 503 for status in ended)

    assert run_in_a_loop(main()) == ({429}, 422, 20)
    assert len(wrong_passwords) == 1, "nothing of those that wait was hashed"
