"""A domain comes, goes and comes again, though Azure refuses to delete a certificate that is bound."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.infra import standins
from tests.infra.engine import Engine
from tests.infra.plans import CONFIGS, plan
from tests.infra.standins import StandIns
from tests.infra.test_states import STATES

DOMAIN = "tasks.example.org"
CERTIFICATE = f"{DOMAIN}-task-assist-x7k2p9"


def template(name: str = "azure-smb-domain") -> Any:
    return plan(name).one("resources:Deployment").plain["properties"]["template"]


def test_the_certificate_is_no_resource_of_ours():
    """Deleting a deployment deletes nothing, so nothing ever asks Azure to delete a certificate that is bound."""
    assert not plan("azure-smb-domain").of("web:Certificate")
    assert [one["type"] for one in template()["resources"]] == [
        "Microsoft.Web/certificates",
        "Microsoft.Web/sites/hostNameBindings",
    ]


def test_the_certificates_name_is_the_domains_and_the_sites_so_that_it_is_found_again():
    certificate, binding = template()["resources"]
    assert certificate["name"] == CERTIFICATE
    assert certificate["properties"] == {"canonicalName": DOMAIN, "serverFarmId": "hosting-plan-id"}
    assert binding["name"] == f"task-assist-x7k2p9/{DOMAIN}"
    assert binding["dependsOn"] == [f"[resourceId('Microsoft.Web/certificates', '{CERTIFICATE}')]"]
    assert f"'{CERTIFICATE}'" in binding["properties"]["thumbprint"]


def test_what_stays_of_it_is_said():
    kept = plan("azure-smb-domain").outputs["kept_on_destroy"]
    assert f"certificate {CERTIFICATE}: bound to nothing any more, free" in kept


def test_the_certificate_is_asked_for_after_the_host_name():
    found = plan("azure-smb-domain")
    assert found.one("WebAppHostNameBinding").urn in found.one("resources:Deployment").depends_on


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIns]:
    """Azure as it is: a certificate is deleted only when its host name is gone or bound to another certificate."""
    bound: set[str] = set()

    def refusing(verb: str) -> Any:
        does = getattr(standins.StandIn, verb)

        def answer(self: Any, request: Any, context: Any) -> Any:
            asked = verb, request.urn.split("::")[2].rpartition(":")[2]
            if asked == ("Create", "Deployment") and not request.preview:
                bound.add(DOMAIN)
            if asked in (("Update", "Deployment"), ("Delete", "WebAppHostNameBinding")):
                bound.clear()
            if asked == ("Delete", "Certificate") and bound:
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"409: it is used for hostname {DOMAIN}")
            return does(self, request, context)

        return answer

    for verb in ("Create", "Update", "Delete"):
        monkeypatch.setattr(standins.StandIn, verb, refusing(verb))
    # A stack of version 0.1 comes with its certificate bound.
    bound.add(DOMAIN)
    running = StandIns()
    yield running
    running.stop()


needs_pulumi = pytest.mark.skipif(shutil.which("pulumi") is None, reason="no `pulumi` on the PATH")


@needs_pulumi
def test_a_domain_comes_goes_comes_again_and_is_destroyed(strict: StandIns, tmp_path: Path):
    engine = Engine(tmp_path, strict.environment, CONFIGS["azure-smb-ready"], stack="azure")
    for _ in range(2):
        engine.set("domain", DOMAIN)
        engine.up()
        engine.run("config", "rm", "domain")
        engine.up()
    engine.set("domain", DOMAIN)
    engine.up()
    engine.run("destroy", "--yes", "--skip-preview", "--exclude-protected")


@needs_pulumi
def test_a_stack_that_still_has_a_certificate_binds_another_before_it_deletes_that_one(
    strict: StandIns, tmp_path: Path
):
    engine = Engine(tmp_path, strict.environment, CONFIGS["azure-smb-domain"], stack="azure")
    engine.run("stack", "import", "--file", str(STATES / "azure-smb-domain.json"))
    strict.log.taken()
    engine.up()
    events = [(event.verb, event.type.rpartition(":")[2]) for event in strict.log.taken()]
    assert events.index(("update", "Deployment")) < events.index(("delete", "Certificate"))
