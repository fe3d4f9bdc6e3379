"""The life of each stack on the real engine, with stand-in providers that play the clouds."""

import json
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.infra.engine import Engine
from tests.infra.plans import CONFIGS
from tests.infra.standins import Event, StandIns

pytestmark = pytest.mark.skipif(shutil.which("pulumi") is None, reason="no `pulumi` on the PATH")

STACKS = (
    "azure-smb-ready",
    "aws-efs-ready",
    "gcp-disk-ready",
    "gcp-filestore-ready",
    "docker-volume-ready",
)
# What an image change may touch: the service, and the resources that describe it.
SERVICE = {
    "azure-native:web:WebApp",
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:ecs/service:Service",
    "gcp:compute/instance:Instance",
    "gcp:cloudrunv2/service:Service",
    "docker:index/remoteImage:RemoteImage",
    "docker:index/container:Container",
}
STORE = (
    "azure-native:storage:FileShare",
    "aws:efs/fileSystem:FileSystem",
    "aws:efs/mountTarget:MountTarget",
    "gcp:compute/disk:Disk",
    "gcp:filestore/instance:Instance",
    "docker:index/volume:Volume",
)
RUNNER = (
    "azure-native:web:WebApp",
    "aws:ecs/service:Service",
    "gcp:compute/instance:Instance",
    "docker:index/container:Container",
)
# The app itself, of all that is of those types.
RUNNING = ("hosting-container", "hosting-vm")
SECRETS = ("the-admin-password", "account-key-1", "account-key-2", "registry-password")


@dataclass(frozen=True)
class Life:
    """What happened in each step of a stack's life."""

    preview: str
    previewed: list[Event]
    first: list[Event]
    second: list[Event]
    changed: list[Event]
    state: str
    password: str
    destroyed: int
    refusal: str
    deleted: list[Event]
    rest_deleted: list[Event]


@pytest.fixture(scope="module")
def live(stand_ins: StandIns, tmp_path_factory: pytest.TempPathFactory):
    """Lives a stack's whole life once, whoever asks."""

    @cache
    def once(name: str) -> Life:
        return lived(Engine(tmp_path_factory.mktemp("stack"), stand_ins.environment, CONFIGS[name]), stand_ins, name)

    return once


def lived(engine: Engine, stand_ins: StandIns, name: str) -> Life:
    taken = stand_ins.log.taken
    taken()
    preview = engine.run("preview")
    previewed = taken()
    engine.up()
    first = taken()
    engine.up()
    second = taken()
    outputs, state = engine.outputs(), engine.state_text()
    engine.set("image", CONFIGS[name]["image"].replace("ab" * 32, "ef" * 32).replace("1.2.3", "1.2.4"))
    engine.up()
    changed = taken()
    refused = engine.try_("destroy", "--yes")
    deleted = taken()
    engine.run("destroy", "--yes", "--skip-preview", "--exclude-protected")
    return Life(
        preview,
        previewed,
        first,
        second,
        changed,
        state,
        outputs["admin_password"],
        refused.returncode,
        refused.stdout + refused.stderr,
        deleted,
        taken(),
    )


@pytest.fixture(params=STACKS)
def life(request: pytest.FixtureRequest, live) -> Life:
    return live(request.param)


def test_a_preview_makes_nothing(life: Life):
    assert life.previewed == []


def test_a_preview_says_the_cost_and_warns_of_what_is_dear(life: Life):
    assert "a month" in life.preview
    assert ("warning: This stack rents" in life.preview) == ("Filestore" in life.preview)


def test_a_second_up_changes_nothing(life: Life):
    assert {event.verb for event in life.first} == {"create"}
    assert life.second == []


def test_an_image_change_touches_the_service_alone(life: Life):
    assert life.changed
    assert {event.type for event in life.changed} <= SERVICE


@pytest.mark.parametrize("name", ["docker-volume-ready", "gcp-disk-ready"])
def test_the_old_instance_goes_before_the_new_one_comes(live, name: str):
    verbs = [event.verb for event in live(name).changed if event.type in RUNNER and event.name in RUNNING]
    assert verbs == ["delete", "create"]


def test_what_is_mounted_is_there_before_the_service(life: Life):
    types = [event.type for event in life.first]
    service = max(number for number, type_ in enumerate(types) if type_ in RUNNER or is_app(life.first[number]))
    stores = [number for number, type_ in enumerate(types) if type_ in STORE]
    assert stores
    assert max(stores) < service


def is_app(event: Event) -> bool:
    return event.type == "gcp:cloudrunv2/service:Service" and event.name == "hosting-service"


def test_no_secret_stands_in_the_state_in_clear(life: Life):
    assert life.password == "the-admin-password"
    assert "ciphertext" in life.state
    for secret in SECRETS:
        assert secret not in life.state


def test_destroy_is_stopped_and_deletes_nothing(life: Life):
    assert life.destroyed != 0
    assert "protected" in life.refusal
    assert life.deleted == []


def test_what_is_not_protected_can_be_destroyed_and_the_store_stays(life: Life):
    gone = {(event.type, event.name) for event in life.deleted + life.rest_deleted}
    assert {type_ for type_, _ in gone} & SERVICE
    stores = {(type_, name) for type_, name in gone if type_ in STORE and type_ != "aws:efs/mountTarget:MountTarget"}
    assert stores <= {("docker:index/volume:Volume", "secret-volume")}


def test_a_share_of_an_earlier_deployment_is_adopted_as_the_page_says(stand_ins: StandIns, tmp_path: Path):
    group = "/subscriptions/SUB/resourceGroups/GROUP"
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/taskassistdata123"
    share = f"{account}/fileServices/default/shares/task-manager-data"
    names = {"resourceGroupName": "GROUP", "accountName": "taskassistdata123"}
    stand_ins.existing.update(
        {
            group: {"resourceGroupName": "GROUP", "location": "westeurope"},
            account: {**names, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}},
            share: {**names, "shareName": "task-manager-data", "enabledProtocols": "SMB"},
        }
    )
    ids = {
        "azure-native:resources:ResourceGroup": group,
        "azure-native:storage:StorageAccount": account,
        "azure-native:storage:FileShare": share,
    }
    engine = Engine(tmp_path, stand_ins.environment, CONFIGS["azure-smb-ready"])
    engine.run("preview", "--import-file", "import.json")
    file = engine.project / "import.json"
    wanted = json.loads(file.read_text())
    wanted["resources"] = [
        {**one, "id": ids[one["type"]]} if one["type"] in ids else one
        for one in wanted["resources"]
        # The account of the backups is new.
        if one.get("component") or (one["type"] in ids and one["name"] != "store-account")
    ]
    file.write_text(json.dumps(wanted))
    engine.run("import", "--file", "import.json", "--generate-code=false", "--yes")
    assert "replace" not in engine.run("preview")
    stand_ins.log.taken()
    engine.up()
    events = [event for event in stand_ins.log.taken() if event.name != "store-account"]
    touched = {(event.verb, event.type) for event in events if event.type in ids}
    assert touched <= {("update", type_) for type_ in ids}
    assert "taskassistdata123" in engine.outputs()["storage"]


def test_a_fault_in_the_config_is_one_line_and_no_traceback(stand_ins: StandIns, tmp_path: Path):
    engine = Engine(tmp_path, stand_ins.environment, {"cloud": "docker", "instances": "2"})
    refused = engine.try_("preview")
    said = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert "pulumi config set instances 1" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["azure-smb", "docker-volume-ready", "aws-efs"])
def test_the_policy_pack_runs_on_the_engine_and_passes(name: str, stand_ins: StandIns, tmp_path: Path):
    engine = Engine(tmp_path, stand_ins.environment, CONFIGS[name])
    said = engine.up("--policy-pack", "infra/policies", "--json")
    assert '"mandatory"' not in said
    # The second run knows every value, so no rule can hide behind an unknown.
    assert "violation" not in engine.run("preview", "--policy-pack", "infra/policies")
    # Where the image is built, it is pushed with a password of the registry.
    assert not [secret for secret in SECRETS if secret in engine.state_text()]


def test_the_policy_pack_stops_a_plan_that_breaks_a_rule(stand_ins: StandIns, tmp_path: Path):
    engine = Engine(tmp_path, stand_ins.environment, CONFIGS["docker-volume-ready"])
    program = (engine.project / "infra").resolve() / "kit" / "docker" / "storage.py"
    copy = engine.project / "copy"
    shutil.copytree(program.parents[2], copy / "infra")
    changed = copy / "infra" / "kit" / "docker" / "storage.py"
    changed.write_text(changed.read_text().replace("protect=True", "protect=False"))
    (engine.project / "infra").unlink()
    (engine.project / "infra").symlink_to(copy / "infra")
    (copy / ".venv").symlink_to(sys.prefix)
    refused = engine.try_("preview", "--policy-pack", "infra/policies")
    assert refused.returncode != 0
    assert "data-protected" in refused.stdout + refused.stderr
