"""Backups of the share prune nothing but their own surplus, and a run that fails prunes nothing."""

import re
from pathlib import Path

import pytest

from kit.gcp.backup import DONE, script
from tests.infra.gcp.shell import InRegion, Ran, run
from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import record

LIST = "filestore backups list"
DISK, FILESTORE = CONFIGS["gcp-disk"], CONFIGS["gcp-filestore"]


def backup(folder: Path, count: int = 2, regions: tuple[str, ...] = ("europe-west1",), **how: object) -> Ran:
    with InRegion():
        text = script("task-assist-data", "task_manager", count, list(regions))
    return run(text, folder, {LIST: "newest\nsecond\nthird\nfourth\n"}, **how)  # pyright: ignore[reportArgumentType]


def test_a_backup_is_made_in_the_region_and_what_is_past_the_count_goes(tmp_path: Path):
    ran = backup(tmp_path)
    assert ran.status == 0, ran.said
    [made] = ran.of("backups create")
    assert "--region=europe-west1 " in made
    assert "--instance=task-assist-data --instance-zone=europe-west1-b --file-share=task_manager" in made
    assert [call.split()[4] for call in ran.of("backups delete")] == ["third", "fourth"]
    # `--regions` is no flag of gcloud's: each run made a backup and then failed.
    assert not ran.of("--regions")
    assert f"{DONE} europe-west1" in ran.said


@pytest.mark.parametrize("failing", ["filestore backups create", LIST])
def test_a_run_that_fails_deletes_nothing(tmp_path: Path, failing: str):
    ran = backup(tmp_path, count=1, failing=(failing,))
    assert ran.status != 0
    assert not ran.of("backups delete")


def test_only_backups_of_this_instance_are_counted(tmp_path: Path):
    [listed] = backup(tmp_path).of(LIST)
    pattern = re.findall(r'sourceInstance~"([^"]+)"', listed)[0]
    here = "projects/123456/locations/europe-west1-b/instances/"
    assert re.search(pattern, here + "task-assist-data")
    for other in ("task-assist-blue-data", "task-assist-data-2", "my-task-assist-data"):
        assert not re.search(pattern, here + other)
    assert "state=READY" in listed


def test_a_copy_lies_in_another_region_and_is_counted_there(tmp_path: Path):
    ran = backup(tmp_path, regions=("europe-west1", "us-east1"))
    assert [re.findall(r"--region=(\S+)", call)[0] for call in ran.of("backups create")] == ["europe-west1", "us-east1"]
    assert len(ran.of("backups delete", "--region=us-east1")) == 2


def test_the_copy_reaches_the_job_and_the_disks_schedule():
    found = record({**FILESTORE, "backupCopy": "us-east1"})
    assert "--region=us-east1" in str(found.one("cloudrunv2/job:Job", "backups-job").inputs)
    found = record({**DISK, "backupCopy": "us"})
    policy = found.one("ResourcePolicy").inputs["snapshotSchedulePolicy"]
    assert policy["snapshotProperties"]["storageLocations"] == "us"


def test_no_job_is_tried_a_second_time():
    for name in ("gcp-disk", "gcp-filestore"):
        for job in plan(name).of("cloudrunv2/job:Job"):
            if job.name != "storage-hand-over":
                assert job.inputs["template"]["template"]["maxRetries"] == 0


def test_a_disk_has_one_schedule_at_a_time():
    found = plan("gcp-disk")
    for type_ in ("ResourcePolicy", "DiskResourcePolicyAttachment"):
        assert found.one(type_).options["deleteBeforeReplace"] is True
