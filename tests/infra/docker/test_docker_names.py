"""Two stacks on one Docker host."""

from collections.abc import Mapping

from tests.infra.recording import Plan, Resource, record

DOMAIN = {"cloud": "docker", "domain": "tasks.example.org"}
PORT = {"cloud": "docker", "port": "8001"}
NAMED = ("container:Container", "volume:Volume", "network:Network")


def names(found: Plan) -> set[tuple[str, str]]:
    """Everything that Docker knows by a name: containers, volumes, networks, and tags of images built here."""
    named = {(kind, one.plain["name"]) for kind in NAMED for one in found.of(kind)}
    return named | {("image", one.plain["imageName"]) for one in found.of("image:Image")}


def app(found: Plan) -> Resource:
    return found.one("Container", "hosting-container")


def test_two_stacks_on_one_host_share_no_name():
    first, second = names(record(DOMAIN)), names(record({**DOMAIN, "domain": "blue.example.org"}, stack="blue"))
    assert len(first) == len(second) == 9
    assert first.isdisjoint(second)


def test_two_domains_have_caddy_ask_their_own_app():
    for stack, name in (("docker", "task-assist"), ("blue", "task-assist-blue")):
        found = record(DOMAIN, stack=stack)
        proxy, running = found.one("Container", "proxy-container"), app(found)
        assert f"reverse_proxy {name}:8000" in proxy.plain["envs"][0]
        assert running.plain["name"] == name
        assert proxy.plain["networksAdvanced"] == running.plain["networksAdvanced"] == [{"name": name}]


def published(config: Mapping[str, str]) -> object:
    return app(record(config)).plain["ports"]


def test_the_port_is_the_one_of_the_config_on_this_machine_only():
    assert published(PORT) == [{"internal": 8000, "external": 8001, "ip": "127.0.0.1"}]
    assert published({"cloud": "docker"}) == [{"internal": 8000, "external": 8000, "ip": "127.0.0.1"}]


def test_the_address_the_app_and_the_note_know_the_port():
    found = record(PORT)
    assert found.outputs["url"] == "http://localhost:8001"
    assert "PUBLIC_URL=http://localhost:8001" in app(found).plain["envs"]
    assert "info: Open http://localhost:8001" in found.log
    tunnel = record({**PORT, "docker:host": "ssh://you@host.example.org"}).log
    assert "info: Reach it through a tunnel:  ssh -N -L 8001:127.0.0.1:8001 ssh://you@host.example.org" in tunnel


def test_a_host_without_ssh_is_named_where_the_address_is_not_this_machines():
    said = record({**PORT, "docker:host": "tcp://host.example.org:2376"}).log
    assert "info: Open http://localhost:8001 on host.example.org" in said
