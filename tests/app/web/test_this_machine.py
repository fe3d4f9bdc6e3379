"""Who is answered while sign-in is off: the peer must be this machine, whatever it sends."""

from pathlib import Path

import pytest

from app.operations.doctor.sign_in_finding import sign_in_finding
from app.settings import load
from app.web import this_machine as module
from app.web.client_address import ClientAddress
from app.web.context import WebApp
from app.web.this_machine import ThisMachine, this_machine

GATEWAY = "172.18.0.1"
ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""
"""/proc/net/route of a container, as Docker 29 makes it."""


@pytest.fixture
def container(monkeypatch, tmp_path: Path) -> Path:
    """What a container finds, in a folder."""
    eth0 = tmp_path / "net" / "eth0"
    eth0.mkdir(parents=True)
    for name, content in ((".dockerenv", ""), ("route", ROUTES), ("net/eth0/ifindex", "2"), ("net/eth0/iflink", "7")):
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(module, "CONTAINER_MARKS", (tmp_path / ".dockerenv",))
    monkeypatch.setattr(module, "ROUTES", tmp_path / "route")
    monkeypatch.setattr(module, "INTERFACES", tmp_path / "net")
    return tmp_path


@pytest.mark.parametrize(
    ("peer", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        (GATEWAY, True),
        ("172.18.0.3", False),  # another container
        ("192.168.1.5", False),
        ("", False),
    ],
)
def test_this_machine_is_loopback_and_the_gateway_of_a_container(container: Path, peer: str, here: bool):
    assert this_machine().made(peer) is here


def test_outside_of_a_container_the_gateway_is_the_networks_router(container: Path):
    (container / ".dockerenv").unlink()
    assert this_machine() == ThisMachine()


def test_so_it_is_in_a_container_in_the_network_of_its_host(container: Path):
    (container / "net/eth0/iflink").write_text("2")
    assert this_machine() == ThisMachine()


@pytest.mark.parametrize("left", ["", "Iface\n", ROUTES.replace("\t0003\t", "\t0001\t")])
def test_without_a_default_gateway_loopback_is_all_there_is(container: Path, left: str):
    (container / "route").write_text(left)
    assert this_machine() == ThisMachine()
    (container / "route").unlink()
    assert this_machine() == ThisMachine()


def test_only_this_machine_is_answered_though_all_ask_for_localhost(app: WebApp, client):
    def asked(peer: str, host: str = "localhost:8001", **environ: str):
        return client.get("/", headers={"Host": host}, environ_base={"REMOTE_ADDR": peer, **environ})

    app.this_machine = ThisMachine(GATEWAY)
    assert asked(GATEWAY).status_code == asked("127.0.0.1").status_code == 200
    refused = asked("172.18.0.3")
    assert refused.status_code == 403
    assert "from 172.18.0.3" in refused.text
    assert "http://localhost:8001 " in refused.text, "the port that was asked"
    assert "http://localhost " in asked("172.18.0.3", "localhost").text
    assert asked(GATEWAY, "tasks.example.com").status_code == 403
    # What a proxy, or who plays one, says of the client makes it nobody else.
    app.wsgi_app = ClientAddress(app.wsgi_app, 1, "clientaddress")
    assert asked("172.18.0.3", HTTP_CLIENTADDRESS="127.0.0.1").status_code == 403


def test_health_is_told_to_all(client):
    assert client.get("/healthz", environ_base={"REMOTE_ADDR": "172.18.0.3"}).status_code == 200


@pytest.mark.parametrize(
    ("settings", "says"),
    [({}, "on"), ({"AUTH_DISABLED": "true"}, f"::1, and {GATEWAY}, from where the engine passes on")],
)
def test_the_doctor_says_who_is_answered(container: Path, settings: dict[str, str], says: str):
    finding = sign_in_finding(load(settings))
    assert says in finding.text
    assert finding.level != "fault"
