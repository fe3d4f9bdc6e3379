"""Caddy in front, on a Docker host."""

import re

import pytest

from tests.infra.plans import plan
from tests.infra.recording import Resource, record


def caddy() -> Resource:
    return plan("docker-volume-domain").one("Container", "proxy-container")


def test_caddy_is_pulled_and_run_by_one_digest_before_the_old_one_goes():
    pulled = plan("docker-volume-domain").one("RemoteImage", "proxy-image")
    assert re.fullmatch(r"caddy@sha256:[0-9a-f]{64}", pulled.plain["name"])
    assert caddy().plain["image"] == pulled.plain["name"]
    assert pulled.urn in caddy().depends_on
    assert pulled.plain["keepLocally"] is True


def test_caddy_can_write_its_certificates_and_nothing_else():
    props = caddy().plain
    assert props["readOnly"] is True
    assert props["capabilities"] == {"drops": ["ALL"], "adds": ["CAP_NET_BIND_SERVICE"]}
    assert props["securityOpts"] == ["no-new-privileges:true"]
    assert [mount["target"] for mount in props["mounts"]] == ["/data"]
    assert set(props["tmpfs"]) == {"/config", "/tmp"}


def test_requests_wait_for_the_new_app_and_are_logged():
    caddyfile = caddy().plain["envs"][0]
    assert caddyfile.startswith("CADDYFILE=tasks.example.org {\n\tlog\n")
    assert "lb_try_duration 60s" in caddyfile


@pytest.mark.parametrize("domain", ["tasks.localhost", "tasks.home.arpa", "nas.local", "t.internal"])
def test_a_name_that_no_authority_signs_is_told_where_caddys_own_root_is(domain: str):
    [said] = [line for line in record({"cloud": "docker", "domain": domain}, stack="blue").log if "DNS" in line]
    assert f"{domain} must lead to this machine" in said
    assert "docker cp task-assist-blue-caddy:/data/caddy/pki/authorities/local/root.crt ." in said


def test_the_app_goes_on_as_it_is_where_caddys_ports_are_taken():
    app = plan("docker-volume-domain").one("Container", "hosting-container")
    assert caddy().urn in app.depends_on
