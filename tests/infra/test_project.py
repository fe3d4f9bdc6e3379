"""What holds for the program as a whole: its imports, its size, its requirements, its types."""

import gc
import importlib
import re
import runpy
import subprocess
import sys

import pulumi
import pytest

from tests.infra import recording
from tests.infra.plans import CONFIGS
from tests.infra.recording import ROOT, record

SDKS = {"azure": "pulumi_azure_native", "aws": "pulumi_aws", "gcp": "pulumi_gcp", "docker": "pulumi_docker"}
NAMES = {"azure": "azure-smb", "aws": "aws-efs", "gcp": "gcp-disk", "docker": "docker-volume"}


@pytest.mark.parametrize("cloud", SDKS)
def test_only_the_chosen_clouds_sdk_is_imported(cloud: str):
    program = (
        "import sys; sys.path[:0] = ['.', 'infra', 'infra/policies']\n"
        "from tests.infra.plans import CONFIGS\nfrom tests.infra.recording import record\n"
        f"record(CONFIGS['{NAMES[cloud]}'])\n"
        f"print(sorted(name for name in {list(SDKS.values())} if name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == str([SDKS[cloud]])


@pytest.mark.parametrize("cloud", SDKS)
def test_a_missing_sdk_is_one_line_with_the_command(cloud: str, monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.startswith(("kit.", SDKS[cloud]))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, SDKS[cloud], None)
    with pytest.raises(pulumi.RunError) as refused:
        record(CONFIGS[NAMES[cloud]])
    assert str(refused.value) == f"{SDKS[cloud]} is not installed. Type: scripts/install {cloud}"


@pytest.mark.parametrize("cloud", SDKS)
def test_installing_one_cloud_brings_no_other_clouds_sdk(cloud: str):
    text = (ROOT / "requirements" / f"{cloud}.txt").read_text()
    pinned = set(re.findall(r"^(pulumi-[a-z-]+)==", text, re.MULTILINE))
    sdk = SDKS[cloud].replace("_", "-")
    assert sdk in pinned
    assert pinned <= {sdk, "pulumi-random", "pulumi-docker-build"}


def test_the_program_is_short_and_finds_its_own_packages():
    assert len(recording.PROGRAM.read_text().splitlines()) < 60
    for package in SDKS:
        module = importlib.import_module(f"kit.{package}")
        assert module.__file__ == str(ROOT / "infra" / "kit" / package / "__init__.py")


def test_nobody_imports_the_program_by_a_second_name():
    """As infra.kit it would be loaded twice, with two classes of each name."""
    for file in [*(ROOT / "infra").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "benchmarks" / "preview"]:
        assert not re.search(r"^\s*(from|import) infra\b", file.read_text(), re.MULTILINE), file


def test_the_policy_pack_imports_nothing_of_the_program():
    for file in (ROOT / "infra" / "policies").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) (kit|config|contract|costs|reader)\b", file.read_text(), re.M), file


def test_the_program_leaves_the_tests_as_they_were():
    before = pulumi.log.debug
    record(CONFIGS["docker-volume"])
    assert gc.isenabled()
    assert pulumi.log.debug is before


def test_nothing_of_ours_hides_an_installed_package():
    import docker

    assert "site-packages" in str(docker.__file__)


def test_infra_and_the_app_import_nothing_from_each_other():
    for file in (ROOT / "infra").rglob("*.py"):
        assert not re.search(r"^(from|import) app\b", file.read_text(), re.MULTILINE), file
    for file in (ROOT / "app").rglob("*.py"):
        assert not re.search(r"^(from|import) infra\b", file.read_text(), re.MULTILINE), file


def test_the_image_and_compose_keep_the_same_contract():
    import contract

    dockerfile, compose = (ROOT / "Dockerfile").read_text(), (ROOT / "docker-compose.yml").read_text()
    assert f"DATABASE_PATH={contract.DATABASE_PATH}" in dockerfile
    assert f"EXPOSE {contract.PORT}" in dockerfile
    assert f"--uid {contract.UID}" in dockerfile
    assert f"task-manager-db:{contract.MOUNT_PATH}" in compose
    assert f"DATABASE_PATH: {contract.DATABASE_PATH}" in compose


def test_the_programs_settings_are_settings_of_the_app():
    import contract
    from kit.docker import secret

    sample = (ROOT / ".env.sample").read_text()
    for name in (
        *contract.environment("https://x", 1, "a@b.c"),
        contract.PASSWORD_VARIABLE,
        *secret.by_file([contract.PASSWORD_VARIABLE]),
    ):
        assert name in sample


def test_the_policy_pack_has_every_rule(monkeypatch: pytest.MonkeyPatch):
    import pulumi_policy

    built: list[list[str]] = []
    monkeypatch.setattr(
        pulumi_policy, "PolicyPack", lambda name, policies: built.append([policy.name for policy in policies])
    )
    runpy.run_path(str(ROOT / "infra" / "policies" / "__main__.py"))
    from rules import access, data, stores

    assert built == [[rule.name for rule in (*data.RULES, *access.RULES, *stores.RULES)]]
