"""Who is answered while sign-in is off: the peer must be this machine, whatever it sends."""

from pathlib import Path

import pytest

from app.errors import CannotStart
from app.operations.sign_in_finding import sign_in_finding
from app.settings import load
from app.web import this_machine
from app.web.client_address import ClientAddress
from app.web.context import WebApp
from app.web.this_machine import ThisMachine

GATEWAY = "172.18.0.1"
ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""
"""/proc/net/route of a container, as Docker 29 makes it."""


@pytest.fixture(autouse=True)
def routes(monkeypatch, tmp_path: Path) -> Path:
    file = tmp_path / "route"
    file.write_text(ROUTES)
    monkeypatch.setattr(this_machine, "ROUTES", file)
    monkeypatch.setattr(this_machine, "IN_DOCKER", tmp_path / "no")
    return file


@pytest.mark.parametrize(
    ("peer", "published", "here"),
    [
        ("127.0.0.1", None, True),
        ("127.8.9.10", None, True),
        ("::1", None, True),
        ("::ffff:127.0.0.1", None, True),
        ("172.18.0.3", "127.0.0.1:8001", False),  # another container
        ("192.168.1.5", None, False),
        ("", None, False),
        (GATEWAY, None, False),
        (GATEWAY, "0.0.0.0:8000", False),
        (GATEWAY, "192.168.1.5:8000", False),
        (GATEWAY, "127.0.0.1:8001", True),
        (GATEWAY, "[::1]:8001", True),
    ],
)
def test_this_machine_is_loopback_and_the_gateway_of_a_port_published_there(peer: str, published, here: bool):
    settings = load({"PUBLISHED_AT": published} if published else {})
    assert this_machine.this_machine(settings).made(peer) is here


def test_in_a_docker_container_the_gateway_is_this_machine_unless_the_port_is_published_for_others(routes: Path):
    this_machine.IN_DOCKER.touch()
    assert this_machine.this_machine(load({})).made(GATEWAY)
    assert not this_machine.this_machine(load({"PUBLISHED_AT": "0.0.0.0:8000"})).made(GATEWAY)
    assert not this_machine.this_machine(load({})).made("172.18.0.3")


def test_only_this_machine_is_answered_though_all_ask_for_localhost(app: WebApp, client):
    def asked(peer: str, **environ: str):
        return client.get("/", headers={"Host": "localhost"}, environ_base={"REMOTE_ADDR": peer, **environ})

    assert asked("172.18.0.3").status_code == 403
    assert "172.18.0.3" in asked("172.18.0.3").text
    assert "PUBLISHED_AT" not in asked("172.18.0.3").text
    refused = asked(GATEWAY)
    assert refused.status_code == 403
    assert "--publish 127.0.0.1:80:80 --env PUBLISHED_AT=127.0.0.1:80 " in refused.text
    app.this_machine = ThisMachine(GATEWAY, port=8001)
    assert asked(GATEWAY).status_code == 200
    assert asked("127.0.0.1").status_code == 200
    assert "http://localhost:8001 " in asked("172.18.0.3").text, "the port that is published"
    # What a proxy, or who plays one, says of the client makes it nobody else.
    app.wsgi_app = ClientAddress(app.wsgi_app, 1, "clientaddress")
    assert asked("172.18.0.3", HTTP_CLIENTADDRESS="127.0.0.1").status_code == 403


@pytest.mark.parametrize("wrong", ["8000", "localhost:8000", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:x"])
def test_where_it_is_published_is_an_address_and_a_port(wrong: str):
    with pytest.raises(CannotStart, match="PUBLISHED_AT"):
        load({"PUBLISHED_AT": wrong})


@pytest.mark.parametrize("left", ["", "Iface\n", ROUTES.replace("\t0003\t", "\t0001\t")])
def test_without_a_default_gateway_loopback_is_all_there_is(routes: Path, left: str):
    routes.write_text(left)
    assert this_machine.this_machine(load({"PUBLISHED_AT": "127.0.0.1:8000"})) == ThisMachine(port=8000)
    routes.unlink()
    assert this_machine.this_machine(load({"PUBLISHED_AT": "127.0.0.1:8000"})) == ThisMachine(port=8000)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"AUTH_DISABLED": "false"}, "on"),
        ({"AUTH_DISABLED": "true"}, "PUBLISHED_AT=127.0.0.1:8000 adds 172.18.0.1"),
        ({"AUTH_DISABLED": "true", "PUBLISHED_AT": "127.0.0.1:8000"}, "::1, and 172.18.0.1 (Docker's gateway"),
    ],
)
def test_the_doctor_says_who_is_answered(settings: dict[str, str], says: str):
    finding = sign_in_finding(load(settings))
    assert says in f"{finding.text} {finding.fix}"
    assert finding.level != "fault"
