"""What the page of Azure types, tried with an `az` that prints as az prints; and what it counts, counted."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.flags.lines import FENCE, SHELLS
from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import ROOT

PAGE = (ROOT / "docs" / "deploy" / "azure.md").read_text()
BLOCKS = [block for language, block in FENCE.findall(PAGE) if language in SHELLS]
# knack, output.py, format_tsv and _TsvOutput: a list is a row an item; an item that is a list has tabs between values.
AZ = """#!{python}
import sys
import jmespath
ANSWERS = {{
    "group list": [{{"name": "the-group"}}],
    "storage account list": [
        {{"name": "the-share", "allowSharedKeyAccess": None}}, {{"name": "the-backups", "allowSharedKeyAccess": False}}
    ],
    "storage account keys list": [{{"value": "the-key"}}],
    "identity list": [{{"id": "/the/identity", "clientId": "the-client"}}],
    "webapp list": [{{"name": "the-site"}}],
    "backup vault list": [{{"name": "the-vault"}}],
    "backup item list": [{{"name": "the;item", "properties": {{"containerName": "the;container"}}}}],
    "backup recoverypoint list": [{{"name": "the-point"}}],
}}
words = sys.argv[1:]
command = " ".join(words[: next(n for n, word in enumerate(words) if word.startswith("-"))])
assert words[words.index("-o") + 1] == "tsv"
found = jmespath.search(words[words.index("--query") + 1], ANSWERS[command])
for row in found if isinstance(found, list) else [found]:
    print(*(row if isinstance(row, list) else [row]), sep="\\t")
"""


@pytest.fixture
def az(tmp_path: Path) -> dict[str, str]:
    """An environment in which `az` is the stand-in."""
    (tmp_path / "az").write_text(AZ.format(python=sys.executable))
    (tmp_path / "az").chmod(0o755)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


NAMES = {
    "GROUP ACCOUNT KEY BACKUPS IDENTITY CLIENT": "the-group the-share the-key the-backups /the/identity the-client",
    "GROUP SITE ACCOUNT KEY VAULT ITEM CONTAINER POINT": (
        "the-group the-site the-share the-key the-vault the;item the;container the-point"
    ),
}


@pytest.mark.parametrize("variables", NAMES)
def test_each_name_gets_its_value(variables: str, az: dict[str, str]):
    last = variables.rpartition(" ")[2]
    [block] = [one for one in BLOCKS if one.startswith("GROUP=") and f"{last}=" in one]
    told = "\n".join(f'printf "%s " "${name}"' for name in variables.split())
    done = subprocess.run(["bash", "-euc", block + told], env=az, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (NAMES[variables], "")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip()[:40])
def test_bash_takes_it(block: str):
    checked = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
    assert checked.stderr == ""


def test_a_deleted_backup_is_undeleted_and_then_promoted():
    """Undelete alone makes no version the present one (Undelete Blob on a versioned account)."""
    [block] = [one for one in BLOCKS if "az storage blob undelete" in one]
    verbs = re.findall(r"^az storage blob (undelete|list|copy start)", block, re.MULTILINE)
    assert verbs == ["undelete", "list", "copy start"]
    assert "backups/OBJECT?versionId=VERSION" in block


# The modules of azure-native whose provider in Azure has another name. Every subscription has the last two.
PROVIDERS = {"applicationinsights": "insights", "monitor": "insights", "portal": "portal"}
THERE = {"authorization", "resources"}


def test_the_page_registers_the_providers_of_all_that_it_makes():
    [listed] = re.findall(r"`for p in ([\w ]+); do az provider register", PAGE)
    registered = {name.lower() for name in listed.split()}
    planned = {
        resource.type.split(":")[1]
        for name in CONFIGS
        if name.startswith("azure")
        for resource in plan(name).resources
        if resource.type.startswith("azure-native:")
    }
    assert {PROVIDERS.get(module, module) for module in planned} - THERE <= registered
    # A restore makes a container, and whoever types it may have no right to register anything.
    assert "az container create" in PAGE and "containerinstance" in registered


def test_the_page_counts_the_roles_and_the_locks():
    found = plan("azure-smb")
    said = "the program gives the site's identity\n  three roles (pull images, read secrets, write backups)"
    assert said in PAGE and len(found.of("authorization:RoleAssignment")) == 3
    assert "a lock on each of the two storage accounts" in PAGE
    assert len(found.of("ManagementLockByScope")) == len(found.of("storage:StorageAccount")) == 2
