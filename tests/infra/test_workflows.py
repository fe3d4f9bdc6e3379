"""The workflows of .github: they name only what is there, run only where somebody set them up, and hold few rights."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract import STEM_LENGTH
from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import ROOT, Resource

FOLDER = ROOT / ".github" / "workflows"
NAMES = ("pulumi", "preview", "up", "drift")
CALLERS = NAMES[1:]
PAGE = (ROOT / "docs" / "deploy" / "ci.md").read_text()


def text(name: str) -> str:
    return (FOLDER / f"{name}.yml").read_text()


def workflow(name: str) -> dict[str, Any]:
    # YAML reads the key `on` as true.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(text(name)).items()}


def job(name: str) -> dict[str, Any]:
    (only,) = workflow(name)["jobs"].values()
    return only


def steps() -> list[dict[str, Any]]:
    return job("pulumi")["steps"]


def planned(cloud: str) -> list[Resource]:
    """Everything that any stack of the cloud makes."""
    return [resource for name in CONFIGS if name.startswith(f"{cloud}-") for resource in plan(name).resources]


def typed() -> list[str]:
    """What the workflow types, a command a line."""
    return [line.strip() for step in steps() if "run" in step for line in step["run"].splitlines()]


def test_there_is_no_other_workflow():
    assert sorted(file.name for file in FOLDER.iterdir()) == sorted(f"{name}.yml" for name in NAMES)


def test_actionlint_finds_nothing():
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("no `actionlint` on the PATH")
    # Without the linters of other languages, which some machines have and others don't.
    command = [actionlint, "-shellcheck=", "-pyflakes=", *(str(FOLDER / f"{name}.yml") for name in NAMES)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_action_of_somebody_else_is_pinned_to_a_commit_and_says_which_version_that_is():
    used = re.findall(r"uses: (?!\./)(.+)", text("pulumi"))
    assert len(used) == 6
    assert [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+(:.*)?", line)] == []
    assert not re.search(r"uses: (?!\./)", "".join(map(text, CALLERS)))


@pytest.mark.parametrize("name", NAMES)
def test_a_job_may_read_the_code_and_ask_for_a_token_and_no_more(name: str):
    assert workflow(name)["permissions"] == {}
    assert job(name)["permissions"] == {"contents": "read", "id-token": "write"}


@pytest.mark.parametrize("name", CALLERS)
def test_nothing_runs_where_nobody_set_it_up(name: str):
    assert job(name)["if"].startswith("vars.PULUMI_STACKS != '' && ")
    assert job(name)["strategy"]["matrix"] == {"stack": "${{ fromJSON(vars.PULUMI_STACKS || '[]') }}"}


def test_a_fork_is_never_signed_in():
    assert workflow("preview")["on"] == "pull_request"
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job("preview")["if"]
    assert not re.search(r"pull_request_target|workflow_run|issue_comment", "".join(map(text, NAMES)))


@pytest.mark.parametrize("name", ["up", "drift"])
def test_what_is_not_a_pull_request_runs_from_main_only(name: str):
    assert "github.ref == 'refs/heads/main'" in job(name)["if"]


def test_no_secret_is_stored_but_a_token_of_the_app_which_an_up_alone_gets():
    uses = re.findall(r".*secrets\..*", "".join(map(text, NAMES)))
    assert [use.strip() for use in uses] == [
        "TASK_ASSIST_TOKEN: ${{ inputs.command == 'up' && secrets.TASK_ASSIST_TOKEN || '' }}"
    ]
    assert {name: job(name).get("secrets") for name in CALLERS} == {"preview": None, "drift": None, "up": "inherit"}


def test_a_pull_request_and_the_drift_check_use_the_identity_that_only_reads():
    environments = {name: job(name)["with"]["environment"] for name in CALLERS}
    reading = "${{ matrix.stack }}-preview"
    assert environments == {"preview": reading, "drift": reading, "up": "${{ matrix.stack }}"}
    assert {name: job(name)["with"]["command"] for name in CALLERS} == {name: name for name in CALLERS}


def test_two_ups_of_a_stack_never_run_at_once_and_none_is_cut_off():
    assert job("up")["concurrency"] == {"group": "pulumi-${{ matrix.stack }}", "cancel-in-progress": False}
    assert job("up")["strategy"]["max-parallel"] == 1
    assert job("drift")["concurrency"] == job("up")["concurrency"]


def test_what_it_types_is_in_the_repository():
    (install,) = [line for line in typed() if line.startswith("scripts/")]
    script, extra = install.split()
    assert (ROOT / script).is_file()
    assert (ROOT / "requirements" / f"{extra}.txt").is_file()
    # The Python that scripts/install makes: the runner's own lacks what restores a backup.
    (proof,) = [line.split()[1] for line in typed() if line.startswith(".venv/bin/python ")]
    assert (ROOT / proof).is_file()
    assert not [line for line in typed() if line.startswith("python")]
    packs = [pack for line in typed() for pack in re.findall(r"--policy-pack ([\w/]+)", line)]
    assert len(packs) == 3
    assert all((ROOT / pack / "PulumiPolicy.yaml").is_file() for pack in packs)


@pytest.fixture
def proven(tmp_path: Path) -> Callable[[int], subprocess.CompletedProcess[str]]:
    """An `up` with a token whose proof ends so: the workflow's own lines, with stand-ins for what they type."""
    (script,) = [step["run"] for step in steps() if step.get("name") == "pulumi"]
    tools = {
        "pulumi": 'echo "pulumi $*"',
        ".venv/bin/python": 'mkdir receipts; echo "{}" >receipts/x.json; exit $PROOF',
    }
    for name, does in tools.items():
        tool = tmp_path / name
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text(f"#!/bin/sh\n{does}\n")
        tool.chmod(0o755)
    given = {"COMMAND": "up", "STACK": "dev", "TASK_ASSIST_TOKEN": "ta_x", "GITHUB_STEP_SUMMARY": f"{tmp_path}/summary"}

    def run(proof: int) -> subprocess.CompletedProcess[str]:
        environment = {**given, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "PROOF": str(proof)}
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return subprocess.run(bash, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(("proof", "green"), [(0, True), (3, True), (1, False), (2, False), (4, False), (130, False)])
def test_a_run_is_green_only_where_the_rows_came_through(
    proven: Callable[[int], subprocess.CompletedProcess[str]], tmp_path: Path, proof: int, green: bool
):
    done = proven(proof)
    assert (done.returncode == 0) == green, done.stderr
    assert ("::warning::" in done.stdout) == (proof == 3)
    assert "pulumi up" not in done.stdout, "nothing is deployed beside the proof"
    assert (tmp_path / "summary").read_text() == "~~~~~~json\n{}\n~~~~~~\n"


def test_an_up_keeps_its_receipt_and_the_page_of_it_whatever_it_says():
    (kept,) = [step for step in steps() if "upload-artifact" in step.get("uses", "")]
    assert kept["with"]["path"] == "receipts" and kept["if"].startswith("always() && ")


def test_the_rules_are_enforced_at_a_preview_and_at_an_up():
    changing = [line for line in typed() if re.search(r"pulumi (up|preview --non-interactive --diff)\b", line)]
    assert len(changing) == 3
    assert [line for line in changing if "--policy-pack infra/policies" not in line] == []


def test_the_command_line_is_of_the_version_of_its_sdk():
    pinned = re.findall(r"^pulumi==(\S+)", (ROOT / "requirements" / "infra.txt").read_text(), re.MULTILINE)
    assert [
        str(step["with"]["pulumi-version"]) for step in steps() if "pulumi-version" in step.get("with", {})
    ] == pinned


def test_pulumi_knows_every_flag():
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        pytest.skip("no `pulumi` on the PATH")
    commands = [found for line in typed() for found in re.findall(r"pulumi (stack select|preview|up)\b([^;]*)", line)]
    assert [verb for verb, _ in commands] == ["stack select", "preview", "up", "up", "preview"]
    for verb, arguments in commands:
        known = subprocess.run([pulumi, *verb.split(), "--help"], capture_output=True, text=True, check=True).stdout
        for flag in re.findall(r"--[a-z-]+", arguments):
            assert re.search(rf"{flag}\b", known), f"pulumi {verb} {flag}"


def test_the_page_explains_every_variable_and_names_no_other():
    used = set(re.findall(r"vars\.(\w+)", "".join(map(text, NAMES))))
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE))
    assert explained == used


def test_the_pages_stacks_have_names_that_the_program_takes():
    names = set(re.findall(r"pulumi stack init (\S+)", PAGE))
    assert names == {"dev", "prod"}
    assert all(len(f"task-assist-{name}") <= STEM_LENGTH for name in names)
    assert f"PULUMI_STACKS --body '{json.dumps(sorted(names))}'" in PAGE


def documents(page: str) -> list[dict[str, Any]]:
    """The JSON documents that the page types, with something for each variable."""
    found = re.findall(r"<<'?JSON'?\n(.*?)\nJSON\n", page, re.DOTALL)
    return [json.loads(re.sub(r"\$\([^)]*\)", "1", document)) for document in found]


def allowed(action: str) -> list[Any]:
    """What the page's AWS policies say beside `action`: the statements that allow it."""
    statements = [one for document in documents(PAGE) for one in document.get("Statement", [])]
    return [one for one in statements if action in one["Action"]]


@pytest.mark.parametrize("page", ["ci.md", "state.md"])
def test_bash_takes_what_the_pages_type(page: str):
    blocks = re.findall(r"^```\n(.*?)^```", (ROOT / "docs" / "deploy" / page).read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) > 4
    for block in blocks:
        checked = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
        assert checked.stderr == "", block


def test_the_json_on_the_page_is_json():
    assert len(documents(PAGE)) == 5


AWS_ACTIONS = {"apigatewayv2": "apigateway", "efs": "elasticfilesystem", "vpc": "ec2"}


def test_the_identity_of_an_up_on_aws_may_make_what_the_stacks_plan():
    modules = {
        resource.type.split(":")[1].split("/")[0] for resource in planned("aws") if resource.type.startswith("aws:")
    }
    assert {"ecs", "efs", "apigatewayv2", "iam"} <= modules
    for module in modules - {"iam"}:
        assert allowed(f"{AWS_ACTIONS.get(module, module)}:*"), module


def test_that_identity_may_hand_a_role_to_each_service_that_takes_one():
    roles = [resource.inputs for resource in planned("aws") if resource.type == "aws:iam/role:Role"]
    trusts = [json.loads(role["assumeRolePolicy"])["Statement"] for role in roles]
    services = {statement["Principal"]["Service"] for statements in trusts for statement in statements}
    (pass_role,) = allowed("iam:PassRole")
    assert services == set(pass_role["Condition"]["StringEquals"]["iam:PassedToService"])


# learn.microsoft.com/azure/role-based-access-control/built-in-roles/privileged: Owner, User Access Administrator, Role
# Based Access Control Administrator. Whoever has one gives roles to others.
GIVES_ROLES = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
}


def test_the_identity_of_an_up_on_azure_may_give_the_roles_that_the_stacks_give_and_none_that_gives_roles():
    guid = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    assert set(re.findall(guid, PAGE)) == GIVES_ROLES
    given = [one.inputs["roleDefinitionId"] for one in planned("azure") if one.type.endswith(":RoleAssignment")]
    assert given and not [role for role in given if role.rpartition("/")[2] in GIVES_ROLES]


def test_the_identity_of_an_up_on_azure_may_make_a_role_where_a_stack_makes_one():
    assert [one for one in planned("azure") if one.type.endswith(":RoleDefinition")]
    # Its Microsoft.Authorization/* is to make roles, and locks, too.
    assert 'grant "User Access Administrator" "$SUBSCRIPTION" --condition' in PAGE
    numbers = {"two": 2, "three": 3, "four": 4}
    [said] = re.findall(r"gives its identity (\w+) roles", PAGE)
    given = {one.name for one in planned("azure") if one.type.endswith(":RoleAssignment")}
    assert numbers[said] == len(given)


GCP_ROLES = {
    "artifactregistry": "artifactregistry.admin",
    "cloudrun": "run.admin",
    "cloudrunv2": "run.admin",
    "cloudscheduler": "cloudscheduler.admin",
    "compute": "compute.admin",
    "filestore": "file.editor",
    "monitoring": "monitoring.editor",
    "secretmanager": "secretmanager.admin",
    "storage": "storage.admin",  # cloud.google.com/storage/docs/access-control/iam-roles
}
# Of several services, or no resource of Google's: projects/service, projects/iAMMember, serviceaccount/account.
GCP_OTHERS = {
    "projects": "resourcemanager.projectIamAdmin",
    "serviceaccount": "iam.serviceAccountAdmin",
}


def test_the_identity_of_an_up_on_google_cloud_may_make_what_the_stacks_plan():
    modules = {
        resource.type.split(":")[1].split("/")[0] for resource in planned("gcp") if resource.type.startswith("gcp:")
    }
    assert {"compute", "filestore", "secretmanager"} <= modules
    needed = {(GCP_ROLES | GCP_OTHERS)[module] for module in modules}
    given = set(re.findall(r"roles/([\w.]+)", PAGE))
    assert needed <= given
