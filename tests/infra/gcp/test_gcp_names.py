"""Two stacks in one project share no name, and every image is named by its digest."""

import re

import pytest

from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import record

# Names inside something that is the stack's own.
OWN = ("gcp:monitoring/", "gcp:projects/service:Service", "gcp:cloudrun/domainMapping:DomainMapping", "docker-build:")
NAMED = ("name", "accountId", "secretId", "repositoryId")
# These name what they belong to.
BELONGING = ("IamMember", "IAMMember", "Attachment")


def names(config: dict[str, str], stack: str) -> set[str]:
    return {
        f"{resource.type} {resource.inputs[key]}"
        for resource in record(config, stack=stack).resources
        if not resource.type.startswith(OWN) and not any(word in resource.type for word in BELONGING)
        for key in NAMED
        if key in resource.inputs
    }


@pytest.mark.parametrize("name", ["gcp-disk", "gcp-disk-domain", "gcp-filestore"])
def test_two_stacks_in_one_project_share_no_name(name: str):
    config = {**CONFIGS[name], "alertEmail": "you@example.org"}
    first, second = names(config, "gcp"), names(config, "blue")
    assert len(first) == len(second) > 8
    assert not first & second
    assert all("task-assist" in one or "task_assist" in one for one in first if "network" not in one)


def test_the_machines_of_two_stacks_are_told_apart_by_the_firewall():
    blue = record(CONFIGS["gcp-disk"], stack="blue")
    assert {tuple(rule.inputs["targetTags"]) for rule in blue.of("Firewall")} == {("task-assist-blue",)}
    assert blue.one("compute/instance:Instance").inputs["tags"] == ["task-assist-blue"]


def test_the_longest_account_id_is_one_that_google_takes():
    found = record(CONFIGS["gcp-filestore"], stack="stack-01")
    ids = [account.inputs["accountId"] for account in found.of("serviceaccount/account:Account")]
    assert all(re.fullmatch(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])", one) for one in ids), ids


@pytest.mark.parametrize("name", [name for name in CONFIGS if name.startswith("gcp")])
def test_every_image_that_google_runs_is_named_by_its_digest(name: str):
    from rules.containers import images
    from tests.infra.plans import as_planned

    found = [image for resource in as_planned(plan(name)) for image in images(resource)]
    assert len(found) >= 2
    assert all("@sha256:" in image for image in found), found
