"""Each stack has a place for the app's backups: closed, with a way back, written by an identity without a key."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest

from app import settings
from app.setting_values import RECIPIENT as APPS_RECIPIENT
from app.setting_values import store_url
from config import RECIPIENT
from contract import NAME, STEM_LENGTH
from kit.backups import DELETED_STAYS_DAYS
from kit.docker.place import BUCKET
from rules.stores import PARTS
from tests.infra import answers, recording
from tests.infra.flags.lines import commands
from tests.infra.flags.table import known_command
from tests.infra.plans import CONFIGS, REGIONS, app_container, plan
from tests.infra.recording import ROOT, Plan, Resource, is_secret, record
from tests.infra.test_contract import leaves

FIRST = {"azure": "azure-smb", "aws": "aws-efs", "gcp": "gcp-disk", "docker": "docker-volume"}
CLOUDS = ("azure", "aws", "gcp")
WEBHOOK = "https://hooks.example.org/a-secret-part"
KEY = "age1" + "q" * 58


# All that a person can say of backups but "off".
SAID = {
    "backupSchedule": "45 5\n* *  *",
    "backupKeep": "daily=9 weekly=2",
    "backupRecipient": KEY,
    "notifyUrl": WEBHOOK,
}


def with_more(cloud: str, **more: str) -> Plan:
    return record({"cloud": cloud, **REGIONS[cloud], **more})


@cache
def with_all(cloud: str) -> Plan:
    return with_more(cloud, **SAID)


def environment(found: Plan) -> dict[str, str]:
    """The app's settings as the app itself reads them."""
    return dict(app_container(found).environment)


def of_the_store(found: Plan) -> list[Resource]:
    made = [one for one in found.resources if "Store$" in one.urn and one.custom and not one.type.startswith("random:")]
    return sorted(made, key=lambda one: one.urn)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_output_is_the_url_that_the_app_backs_up_to(name: str):
    found = plan(name)
    assert environment(found)["BACKUP_URL"] == found.outputs["backup_url"]
    scheme = {"azure": "az", "aws": "s3", "gcp": "gs", "docker": "file"}[CONFIGS[name]["cloud"]]
    assert found.outputs["backup_url"].startswith(f"{scheme}://")


@pytest.mark.parametrize("name", CONFIGS)
def test_the_app_takes_the_settings(name: str):
    given = {key: value for key, value in environment(plan(name)).items() if key.startswith("BACKUP_")}
    read = settings.load(given)
    assert read.backup_schedule == "15 3 * * *"
    assert read.backup_keep == "last=3 daily=7 weekly=4 monthly=12"


@pytest.mark.parametrize("cloud", FIRST)
def test_what_the_config_says_of_backups_reaches_the_app(cloud: str):
    found = with_all(cloud)
    read = settings.load({k: v for k, v in environment(found).items() if k.startswith("BACKUP_")})
    assert (read.backup_schedule, read.backup_keep, read.backup_recipient) == (
        "45 5 * * *",
        "daily=9 weekly=2",
        KEY,
    )


@pytest.mark.parametrize("cloud", FIRST)
def test_off_makes_no_backups_keeps_the_store_and_says_so(cloud: str):
    on, off = plan(FIRST[cloud]), with_more(cloud, backupSchedule="off")
    assert environment(off)["BACKUP_SCHEDULE"] == "off"
    assert [(one.urn, one.plain, one.protect) for one in of_the_store(off)] == [
        (one.urn, one.plain, one.protect) for one in of_the_store(on)
    ]
    assert off.outputs["backup_url"] == on.outputs["backup_url"]
    [warning] = [line for line in off.log if "backs this stack up" in line]
    assert warning.startswith("warning: ") and "pulumi config rm backupSchedule" in warning
    assert not [line for line in on.log if "backs this stack up" in line]


@pytest.mark.parametrize("cloud", FIRST)
def test_the_webhooks_address_is_a_secret_wherever_it_goes(cloud: str):
    found = with_all(cloud)
    assert WEBHOOK not in environment(found).values()
    hidden = 0
    for resource in found.resources:
        for path, value in leaves(resource.inputs):
            if "a-secret-part" in str(value):
                hidden += 1
                assert any(path.startswith(secret) for secret in resource.secret_paths), f"{resource.name} {path}"
    assert hidden == 1
    assert "a-secret-part" not in json.dumps({k: v for k, v in found.outputs.items() if not is_secret(v)})


@pytest.mark.parametrize("cloud", ("aws", "gcp"))
def test_a_second_secret_is_in_the_bill(cloud: str):
    assert "2 secrets $" in with_all(cloud).outputs["monthly_cost_estimate"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_bill_has_the_store(cloud: str):
    word = {"azure": "Blob Storage", "aws": "S3", "gcp": "Cloud Storage"}[cloud]
    assert f"backups in {word} $0.02 a GB" in plan(FIRST[cloud]).outputs["monthly_cost_estimate"]


@pytest.mark.parametrize("cloud", FIRST)
def test_what_is_left_of_a_destroy_names_the_store(cloud: str):
    kept = [line for line in plan(FIRST[cloud]).outputs["kept_on_destroy"] if "with the backups" in line]
    assert len(kept) == 1


@pytest.mark.parametrize("cloud", FIRST)
def test_all_that_keeps_the_backups_is_protected(cloud: str):
    holding = [one for one in of_the_store(plan(FIRST[cloud])) if one.type in PARTS or "Volume" in one.type]
    assert holding and all(one.protect for one in holding)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_two_stacks_share_no_store(cloud: str):
    config = {"cloud": cloud, **REGIONS[cloud]}
    one, other = record(config, stack="one"), record(config, stack="two")
    assert store_name(one) != store_name(other)
    # What was made under another name keeps that one.
    assert store(one).options["ignoreChanges"] in (["bucket"], ["accountName"], ["name"])


def store(found: Plan) -> Resource:
    [made] = [
        one
        for one in of_the_store(found)
        if one.type.endswith((":StorageAccount", "s3/bucket:Bucket", "storage/bucket:Bucket"))
    ]
    return made


def store_name(found: Plan) -> str:
    plain = store(found).plain
    return next(plain[key] for key in ("bucket", "accountName", "name") if key in plain)


def test_azures_two_accounts_never_have_one_name():
    """Behind another stack's name there is no room for a word, so only the random part tells them apart."""
    found = record({"cloud": "azure", **REGIONS["azure"]}, stack="stagings")
    parts = {one.name: one.urn for one in found.of("RandomString")}
    accounts = {one.name: one.depends["accountName"] for one in found.of("storage:StorageAccount")}
    assert parts["store-suffix"] in accounts["store-account"]
    assert parts["suffix"] in accounts["storage-account"]


def test_aws_lets_the_app_hide_and_never_delete_a_version():
    found = plan("aws-efs")
    grants = [json.loads(one.plain["policy"])["Statement"] for one in found.of("iam/rolePolicy:RolePolicy")]
    allowed = {action for statements in grants for one in statements for action in one["Action"] if "s3:" in action}
    assert allowed == {
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListBucket",
    }
    clear, versions = json.loads(found.one("BucketPolicy").plain["policy"])["Statement"]
    assert clear["Effect"] == versions["Effect"] == "Deny"
    assert versions["Action"] == ["s3:DeleteObjectVersion"] and "Condition" not in versions
    assert len(clear["Resource"]) == 2


def test_aws_keeps_what_was_deleted_and_sweeps_what_broke_off():
    [rule] = plan("aws-efs").one("BucketLifecycleConfiguration").plain["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": DELETED_STAYS_DAYS}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    # A rule with days of its own would take backups that nobody has pruned.
    assert rule["expiration"] == {"expiredObjectDeleteMarker": True}


def test_azures_store_has_no_key_and_the_app_may_delete_no_version_and_no_container():
    found = plan("azure-smb")
    account = found.one("storage:StorageAccount", "store-account")
    assert account.plain["allowSharedKeyAccess"] is False
    role = found.one("RoleAssignment", "store-write")
    its = found.one("RoleDefinition", "store-role")
    assert its.urn in role.depends["roleDefinitionId"]
    # Deletions are sent as a batch, and that takes containers/write (authorize-with-azure-active-directory, REST).
    containers = "Microsoft.Storage/storageAccounts/blobServices/containers"
    assert its.plain["permissions"] == [
        {
            "actions": [f"{containers}/write"],
            "dataActions": [f"{containers}/blobs/{verb}" for verb in ("read", "write", "delete")],
        }
    ]
    # Of this group alone; its name for people must be the only one in the tenant, as the account's is.
    assert its.plain["assignableScopes"] == [its.plain["scope"]] == ["task-assist-id"]
    assert account.plain["accountName"] in its.plain["roleName"]
    # Of this container alone, and kept: below a lock Azure takes no role away.
    assert role.plain["scope"] == "store-container-id" and role.protect
    lock = found.one("ManagementLockByScope", "store-lock")
    assert {one.urn for one in of_the_store(found)} - {account.urn, lock.urn} <= set(lock.depends_on)


def test_googles_app_may_write_to_the_bucket_alone():
    for name in ("gcp-disk", "gcp-filestore"):
        found = plan(name)
        assert [one.plain["role"] for one in found.of("BucketIAMMember")] == ["roles/storage.objectUser"]
        assert not [one for one in found.of("projects/iAMMember:IAMMember") if "storage" in one.plain["role"]]
        bucket = found.one("storage/bucket:Bucket").plain
        assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": DELETED_STAYS_DAYS * 86_400}
        # With one of its own the app could not take back what broke off, nor prune.
        assert "retentionPolicy" not in bucket


@pytest.mark.parametrize("name", [name for name in CONFIGS if not name.startswith("docker")])
def test_the_app_waits_for_its_rights(name: str):
    found = plan(name)
    [grant] = [one.urn for one in found.resources if one.name == "store-write"]
    waiting = [one for one in found.resources if grant in one.depends_on]
    assert {one.type for one in waiting} & {
        "azure-native:web:WebApp",
        "aws:ecs/service:Service",
        "gcp:compute/instance:Instance",
        "gcp:cloudrunv2/service:Service",
    }


def test_no_key_is_handed_to_the_app_anywhere():
    for name in CONFIGS:
        for key in environment(plan(name)):
            assert not key.startswith(("AWS_ACCESS", "AWS_SECRET", "AZURE_STORAGE_ACCOUNT_KEY", "GOOGLE_"))


DOCKER = {"cloud": "docker"}
STORES = ("volume", "/srv/backups", "gs://a-bucket")


def test_a_docker_hosts_volume_stays_whatever_the_store_is_later():
    volumes = [record(DOCKER | {"backupStore": where}).one("volume:Volume", "store-volume") for where in STORES]
    assert len({volume.urn for volume in volumes}) == 1
    assert all(volume.protect for volume in volumes)


def test_docker_takes_a_directory_of_the_host():
    found = record(DOCKER | {"backupStore": "/srv/backups"})
    assert app_container(found).mounts == {"/app/data": "task-manager-db", "/backups": "/srv/backups"}
    assert found.outputs["backup_url"] == "file:///backups"
    assert (
        "host directory /srv/backups: the stack never deletes the backups in it, free"
        in found.outputs["kept_on_destroy"]
    )
    assert [one.plain["name"] for one in of_the_store(found)] == ["task-manager-backups"]


def test_docker_takes_a_bucket_with_its_keys_as_files():
    found = record(DOCKER | {"backupStore": "s3://a-bucket/tasks", "backupCredentials": "/etc/task-assist/backup"})
    container = found.one("Container", "hosting-container").plain
    [mount] = [one for one in container["mounts"] if one["target"] == "/run/backup-credentials"]
    assert mount == {
        "type": "bind",
        "source": "/etc/task-assist/backup",
        "target": "/run/backup-credentials",
        "readOnly": True,
    }
    read = settings.load({k: v for k, v in environment(found).items() if k.startswith("BACKUP_")})
    assert read.backup_url == "s3://a-bucket/tasks"
    assert str(read.backup_credentials) == "/run/backup-credentials"
    assert [one.plain["name"] for one in of_the_store(found)] == ["task-manager-backups"]


@pytest.mark.parametrize(
    ("config", "said", "typed"),
    [
        ({"backupStore": "nas"}, "it must be volume", "backupStore volume"),
        ({"backupStore": "s3://key:hush@bucket"}, "without keys", "backupStore volume"),
        ({"backupStore": "/"}, "directory of its own", "backupStore /srv/task-assist-backups"),
        (
            {"backupStore": "/srv/a", "storage": "/srv/a"},
            "directory of its own",
            "backupStore /srv/task-assist-backups",
        ),
        *(
            ({"backupStore": backups, "storage": data}, "neither in the data's nor above it", "backupStore /srv/task-")
            for backups, data in (
                ("/srv/a/backups", "/srv/a"),
                ("/srv", "/srv/a"),
                ("/srv/a/", "/srv/a"),
                ("//srv/a/backups", "/srv/a"),
            )
        ),
        ({"backupStore": "s3://bucket/../other"}, "without keys", "backupStore volume"),
        ({"backupCredentials": "/etc/x"}, "no key is needed there", "config rm backupCredentials"),
        (
            {"backupStore": "gs://a-bucket", "backupCredentials": "x"},
            "with a file for each key",
            "backupCredentials /etc/",
        ),
        ({"backupRecipient": "age1short"}, "as `age-keygen -o key.txt` prints", "backupRecipient age1"),
        (
            {"notifyUrl": "https://me:secret@hooks.example.org/a"},
            "http:// or https://",
            "set notifyUrl --secret https://",
        ),
        ({"notifyUrl": "https://hooks.example.org:port/a"}, "http:// or https://", "set notifyUrl --secret https://"),
        ({"notifyUrl": "hooks.example.org"}, "http:// or https://", "set notifyUrl --secret https://"),
        ({"backupKeep": "last=10000"}, "counts for last", "backupKeep"),
    ],
)
def test_a_wrong_value_is_a_fault_with_what_to_type(config: dict[str, str], said: str, typed: str):
    with pytest.raises(pulumi.RunError) as refused:
        record(DOCKER | config)
    assert said in str(refused.value) and typed in str(refused.value)


@pytest.mark.parametrize(
    "config",
    [
        {"backupRecipient": "AGE-SECRET-KEY-1HUSH"},
        {"backupRecipient": f"{KEY} age-secret-key-1hush"},
        {"backupStore": "s3://key:hush@bucket"},
        {"backupRecipient": "-----BEGIN OPENSSH PRIVATE KEY----- hush"},
        {"backupStore": "s3://key:hush@bucket", "backupCredentials": "/etc/task-assist/backup"},
        {"backupStore": "AccountName=store;AccountKey=hush"},
        {"backupStore": "az://store?sig=hush"},
        {"notifyUrl": "https://hooks.example.org/services/hush and more"},
        {"notifyUrl": "hooks.example.org/services/hush"},
    ],
)
def test_a_key_in_the_wrong_place_is_refused_and_shown_nowhere(config: dict[str, str]):
    with pytest.raises(pulumi.RunError) as refused:
        record(DOCKER | config)
    assert "(hidden)" in str(refused.value) and "hush" not in str(refused.value).lower()


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("key", ["backupStore", "backupCredentials"])
def test_in_a_cloud_the_store_is_the_stacks_own(cloud: str, key: str):
    with pytest.raises(pulumi.RunError, match=f"{key} means nothing on {cloud}"):
        with_more(cloud, **{key: "/x"})


@pytest.mark.parametrize("bucket", ["bucket", "a.b-c_d", "Bucket", "ab", "-bucket", "key@bucket", "bucket:1", "bücket"])
@pytest.mark.parametrize(
    "folder", ["", "/", "/a/b.c=+-_/", "/.", "/..", "/a/../b", "/.a", "/...", "/a b", "/?sig=x", "/#x", "/ä"]
)
def test_the_program_takes_a_bucket_where_the_app_takes_it(bucket: str, folder: str):
    for scheme in ("s3", "az", "gs", "http", "file"):
        try:
            taken = store_url(f"{scheme}://{bucket}{folder}").scheme != "file"
        except ValueError:
            taken = False
        assert bool(BUCKET.fullmatch(f"{scheme}://{bucket}{folder}")) == taken, f"{scheme}://{bucket}{folder}"


def test_a_directory_beside_the_datas_is_no_fault():
    record(DOCKER | {"backupStore": "/srv/data-backups", "storage": "/srv/data"})
    record(DOCKER | {"backupStore": "/volume", "storage": "volume"})


def test_the_program_and_the_app_know_the_same_public_keys():
    assert RECIPIENT.pattern == APPS_RECIPIENT.pattern


# The part of each page that says how a backup of the app's own comes back, and the words before its commands.
COMES_BACK = {
    "aws": ("### The app's own", "**Get one back.**"),
    "azure": ("### The app's own", "Then three commands:"),
    "gcp": ("## The app's own backups", "**Get one back.**"),
    "docker": ("### Get one back", "the same:"),
}


@pytest.mark.parametrize("cloud", COMES_BACK)
def test_a_backup_comes_back_in_at_most_three_commands_and_the_page_says_who_may(cloud: str):
    heading, before = COMES_BACK[cloud]
    page = (ROOT / "docs" / "deploy" / f"{cloud}.md").read_text()
    section = re.split(r"\n##+ ", page.partition(f"\n{heading}\n")[2])[0]
    block = section.partition(before)[2].split("```\n")[1]
    typed = list(commands(block, cloud))
    # `$(…)` inside a command is none of its own.
    assert 1 <= len([line for line in block.replace("\\\n", " ").splitlines() if line]) <= 3
    assert typed and all(known_command(one) for one in typed)
    # AWS's is JSON, with each word in quotes.
    assert "task-assist restore latest" in re.sub(r'["\[\]]', "", block).replace(",", " ")
    assert "**Roles:**" in section


def test_the_page_of_aws_runs_the_app_itself_under_its_own_names():
    page = (ROOT / "docs" / "deploy" / "aws.md").read_text()
    [overrides] = re.findall(r"--overrides '(.*?)'", page)
    [one] = json.loads(overrides)["containerOverrides"]
    app = json.loads(plan("aws-efs").one("TaskDefinition", "hosting-task").inputs["containerDefinitions"])[0]
    assert one == {"name": app["name"], "command": ["task-assist", "restore", "latest"]}
    assert plan("aws-efs").one("TaskDefinition", "hosting-task").inputs["family"] == "task-assist"


def test_the_page_of_azure_hands_over_what_the_site_has():
    page = (ROOT / "docs" / "deploy" / "azure.md").read_text()
    [line] = re.findall(r"--environment-variables (.*?) \\", page)
    given = dict(part.split("=") for part in line.split())
    app = environment(plan("azure-smb"))
    assert given["BACKUP_URL"] == app["BACKUP_URL"]
    assert set(given) == {"BACKUP_URL", "AZURE_STORAGE_ACCOUNT_NAME", "AZURE_CLIENT_ID"} <= set(app)


def test_with_filestore_a_job_restores_as_the_app(tmp_path: Path):
    found = plan("gcp-filestore")
    job = found.one("cloudrunv2/job:Job", "restore-job").plain
    assert job["name"] == "task-assist-restore"
    [container] = job["template"]["template"]["containers"]
    # With a stand-in for task-assist: its arguments, and the key for once by standard input.
    (tmp_path / "task-assist").write_text('#!/bin/sh\necho "$@"\ncat\n')
    (tmp_path / "task-assist").chmod(0o755)
    for key in ("", "AGE-SECRET-KEY-1ONCE"):
        path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"} | ({"ONCE": key} if key else {})
        said = subprocess.check_output([*container["commands"], *container["args"]], env=path, text=True)
        assert said == f"restore latest\n{key}\n"
    app = environment(found)
    assert {env["name"]: env["value"] for env in container["envs"]} == {
        key: app[key] for key in ("DATABASE_PATH", "BACKUP_URL")
    }
    service = found.one("cloudrunv2/service:Service", "hosting-service").plain["template"]
    assert job["template"]["template"]["serviceAccount"] == service["serviceAccount"]
    assert job["template"]["template"]["volumes"][0]["nfs"]["path"] == service["volumes"][0]["nfs"]["path"]
    assert container["image"] == service["containers"][0]["image"]


# What a cloud takes: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, Azure's naming rules for
# storage accounts (learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules), and
# cloud.google.com/storage/docs/buckets#naming. Google's hyphens and small letters alone, as ours are.
NAMES = {
    "aws": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "azure": r"[a-z0-9]{3,24}",
    "gcp": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
}


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("stack", [None, "a", "z" * (STEM_LENGTH - len(f"{NAME}-"))])
def test_every_stacks_store_has_a_name_that_its_cloud_takes(cloud: str, stack: str | None):
    config = {"cloud": cloud, **REGIONS[cloud]}
    found = record(config, stack=stack) if stack else record(config)
    assert re.fullmatch(NAMES[cloud], store_name(found)), store_name(found)


KEYS = ("iam/accessKey:", "storage/hmacKey:", "serviceaccount/key:", "storage:LocalUser", "iam/user:")


@pytest.mark.parametrize("name", CONFIGS)
def test_no_stack_makes_a_key_or_a_user_that_has_one(name: str):
    assert not [one.urn for one in plan(name).resources if any(kind in one.type for kind in KEYS)]
    assert not [key for key in plan(name).outputs if "key" in key.lower() or "credential" in key.lower()]


def test_azures_account_of_the_backups_is_never_asked_for_its_keys(monkeypatch):
    asked: list[str] = []

    def answer(token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        if token.endswith(":listStorageAccountKeys"):
            asked.append(args["accountName"])
        return answers.answer_call(token, args)

    monkeypatch.setattr(recording, "answer_call", answer)
    found = with_more("azure", logDays="31")  # a plan that no other test has made yet
    assert asked and found.one("storage:BlobContainer").plain["accountName"] not in asked
