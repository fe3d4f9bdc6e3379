"""The client's address behind proxies: whose word counts, and what of it."""

import pytest

from app import create_app
from app.settings import load
from app.web.client_address import ClientAddress, address_in
from tests.app.conftest import EMAIL, PASSWORD

PEER = "10.0.0.9"


def address(hops: int, header: str | None = None, **headers: str) -> str:
    """What the app sees of a request with these headers that came from PEER."""
    environ = {"REMOTE_ADDR": PEER, **headers}
    seen = ClientAddress(lambda environ, _start: [environ["REMOTE_ADDR"].encode()], hops, header)
    return b"".join(seen(environ, lambda *_: None)).decode()  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:50124", "203.0.113.7"),  # App Service
        (" 203.0.113.7 ", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
    ],
)
def test_an_address_loses_port_and_brackets(written: str, meant: str):
    assert address_in(written) == meant


@pytest.mark.parametrize(
    "junk",
    ["", "unknown", "_hidden", "203.0.113", "203.0.113.7:", "203.0.113.7:x", "203.0.113.7:1:2",
     "[2001:db8::1", "2001:db8::1]:443", "fe80::1%eth0", "for=203.0.113.7", "203.0.113.7, 192.0.2.1",
     "١.1.1.1", "0x7f.1"],
)  # fmt: skip
def test_junk_is_no_address_and_the_proxys_own_stays(junk: str):
    assert address_in(junk) is None
    assert address(1, HTTP_X_FORWARDED_FOR=junk if "," not in junk else "junk") == PEER
    assert address(1, "clientaddress", HTTP_CLIENTADDRESS=junk) == PEER


@pytest.mark.parametrize(("hops", "seen"), [(1, "198.51.100.1"), (2, "203.0.113.7"), (3, "192.0.2.66"), (4, PEER)])
def test_so_many_proxies_are_believed_as_stand_in_front(hops: int, seen: str):
    assert address(hops, HTTP_X_FORWARDED_FOR="192.0.2.66, 203.0.113.7:4711, 198.51.100.1") == seen


@pytest.mark.parametrize("mark", ['"', '192.0.2.66, "', "192.0.2.66,,", 'a="\\', "[192.0.2.66"])
def test_no_mark_of_the_clients_hides_what_the_proxies_wrote_behind_it(mark: str):
    written = f"{mark}, 203.0.113.7, 198.51.100.1"
    assert address(1, HTTP_X_FORWARDED_FOR=written) == "198.51.100.1"
    assert address(2, HTTP_X_FORWARDED_FOR=written) == "203.0.113.7"


@pytest.mark.parametrize("name", ["clientaddress", "ClientAddress", "X-Client-Address"])
def test_a_header_of_the_gateways_own_replaces_x_forwarded_for(name: str):
    variable = f"HTTP_{name.upper().replace('-', '_')}"
    given = {variable: "203.0.113.7", "HTTP_X_FORWARDED_FOR": "192.0.2.66"}
    assert address(2, name, **given) == "203.0.113.7"
    assert address(1, name, HTTP_X_FORWARDED_FOR="192.0.2.66") == PEER, "not even where it is missing"


def test_guessing_passwords_is_counted_by_the_gateways_address_whatever_the_port(monkeypatch, tmp_path):
    monkeypatch.setattr("app.web.sign_in.password_fits", lambda kept, typed: False)
    for header, setting in (("X-Forwarded-For", {}), ("clientaddress", {"CLIENT_ADDRESS_HEADER": "clientaddress"})):
        made = create_app(load({"DATABASE_PATH": str(tmp_path / f"{header}.db"), "ADMIN_EMAIL": EMAIL,
                                "ADMIN_PASSWORD": PASSWORD, "TRUSTED_PROXIES": "1", **setting}))  # fmt: skip
        client = made.test_client()

        def guess(number: int, address: str) -> int:
            data = {"email": f"{number}@example.com", "password": "x"}
            return client.post("/sign-in", data=data, headers={header: address}).status_code  # noqa: B023

        assert [guess(n, f"203.0.113.7:{n}") for n in range(61)] == [422] * 60 + [429]
        assert guess(62, "198.51.100.1:443") == 422, "somebody else is let in"
        made.instance.stop()
