"""Every command of AWS's tool on the page exists, with these flags, in AWS's own models."""

import re

import botocore.session
import pytest
from botocore import xform_name

from tests.infra.recording import ROOT

PAGE = (ROOT / "docs" / "deploy" / "aws.md").read_text()
# `aws SERVICE VERB` with all that follows on its line, joined where a line ends in a backslash; inside another one too.
COMMAND = re.compile(r"(?=\baws ([a-z0-9-]+) ([a-z-]+)([^`\n]*))")
# The tool's own: not an operation of a service (aws-cli, awscli/customizations).
OWN = {("logs", "tail"), ("configure", "sso")}
TOOLS_FLAGS = {"--query", "--output", "--region"}
PARTS = sorted({found.groups() for found in COMMAND.finditer(PAGE.replace("\\\n", " "))})


def flags(arguments: str) -> set[str]:
    """The flags of this command alone, without those of one inside it."""
    own = re.sub(r'"\$\(.*?\)"', "", arguments)
    own = own.split(")")[0]
    return set(re.findall(r"(?<![\w-])--[a-z-]+", own)) - TOOLS_FLAGS


def test_there_are_commands_on_the_page():
    assert len(PARTS) >= 10


@pytest.mark.parametrize(("service", "verb", "arguments"), PARTS, ids=lambda part: part.strip()[:40])
def test_the_command_exists_with_its_flags(service: str, verb: str, arguments: str):
    if (service, verb) in OWN or service == "configure":
        return
    model = botocore.session.get_session().get_service_model({"s3api": "s3"}.get(service, service))
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert verb in operations
    shape = model.operation_model(operations[verb]).input_shape
    known = {f"--{xform_name(member, '-')}" for member in (shape.members if shape else {})}
    assert flags(arguments) <= known


def test_a_backup_comes_back_in_at_most_five_commands():
    section = PAGE.partition("### A backup comes back")[2].partition("\n## ")[0]
    steps = re.findall(r"^(\d)\. ", section, re.MULTILINE)
    assert steps == ["1", "2", "3", "4", "5"]
    assert len(re.findall(r"^   ```\n   aws ", section, re.MULTILINE)) == 5
