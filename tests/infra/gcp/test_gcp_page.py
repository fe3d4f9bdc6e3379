"""What the page of Google Cloud says of who may: whoever gets on the VM, or changes a service, acts as its account."""

import re

import pytest

from tests.infra.recording import ROOT

PAGE = (ROOT / "docs" / "deploy" / "gcp.md").read_text()
# By the words before the roles: (the command that takes it, where the roles are named).
SECTIONS = ("## The app's own backups", "## Snapshots and getting data back")
# `gcloud compute ssh` with OS Login to a VM that has an account, and a new revision of a service that runs as one.
ACTS_AS = re.compile(r"gcloud compute ssh|gcloud (beta )?run services update")


def blocks(section: str) -> list[tuple[str, str]]:
    """Each block of commands, and the text up to the next one."""
    text = re.split(r"\n## ", PAGE.partition(section)[2])[0]
    parts = text.split("```\n")
    return list(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("section", SECTIONS)
def test_a_restore_names_the_right_to_act_as_the_account(section: str):
    acting = [after for block, after in blocks(section) if ACTS_AS.search(block)]
    assert acting
    assert all("*Service Account User*" in after for after in acting)
