"""Every flag that a document or a script types is one of its command's, by the tool's own reference.

flags/ has the table, and flags/fill says how it is filled.
"""

import shlex
from itertools import chain

import pytest

from scripts.persistence.remote import up
from scripts.persistence.runs_as import anew_on_aws, anew_on_azure, anew_on_google
from tests.infra.flags.lines import Command, commands, in_documents, in_key_kit, in_plans
from tests.infra.flags.table import known_command, table, unknown_flags


def faults(command: Command) -> list[str]:
    line = f"{command.where}: {' '.join(command.words)}"
    if known_command(command) is None:
        return [f"{line}\n  is a command that the table lacks. Type: tests/infra/flags/fill"]
    return [f"{line}\n  has {flag}, which the command has not" for flag in unknown_flags(command)]


def test_documents_type_flags_that_there_are():
    found = [fault for command in in_documents() for fault in faults(command)]
    assert not found, "\n".join(found)


def test_the_page_for_the_drawer_types_flags_that_there_are():
    found = [fault for command in in_key_kit() for fault in faults(command)]
    assert not found, "\n".join(found)


def test_scripts_on_machines_and_in_jobs_type_flags_that_there_are():
    found = {fault for command in in_plans() for fault in faults(command)}
    assert not found, "\n".join(sorted(found))


@pytest.mark.parametrize(
    "line",
    [
        anew_on_aws("arn:aws:ecs:eu-central-1:1:cluster/task-assist", "task-assist"),
        anew_on_azure("/subscriptions/1/resourceGroups/mine/providers/Microsoft.Web/sites/tasks"),
        anew_on_google("task-assist", "europe-west1-b", "mine"),
        shlex.join([*up("dev"), "--replace", "urn"]),
    ],
)
def test_a_proof_types_flags_that_there_are(line: str):
    typed = list(commands(line, "scripts/persistence/runs_as.py"))
    assert typed and [fault for command in typed for fault in faults(command)] == []


def test_no_row_is_left_over():
    used = {known_command(command) for command in chain(in_documents(), in_key_kit(), in_plans())}
    assert set(table()) - used == set(), "Type: tests/infra/flags/fill"


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        ("gcloud filestore backups list --regions=europe-west1 --sort-by=x", ["--regions"]),
        ("old=$(az webapp stop -g GROUP --nane SITE) # not --this", ["--nane"]),
        ("docker run --rm --user 0 --vanish -v data:/data image chown -R 1000 /data", ["--vanish"]),
        ("curl -fsSQ! https://example.org || wget -qO- https://example.org", []),
        ("ExecStart=/usr/bin/docker stop --tine 60 task-assist", ["--tine"]),
        ("if ! aws ecs update-service --cluster c --desired-counts 0; then true; fi", ["--desired-counts"]),
    ],
)
def test_a_flag_that_there_is_not_is_found(line: str, flags: list[str]):
    assert [flag for command in commands(line, "here") for flag in unknown_flags(command)] == flags
