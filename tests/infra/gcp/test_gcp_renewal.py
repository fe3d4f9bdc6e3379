"""The weekly change of the VM's system: nothing without a newer one, and the old one again where it fails."""

from pathlib import Path

import pytest

from kit.gcp.renewal import script
from tests.infra.gcp.shell import InRegion, Ran, run
from tests.infra.plans import plan

STOP = "compute instances stop"


# As Google lists a VM's disks, in no order that anybody promises.
DISKS = "False,task-assist-data\nTrue,old-boot\n"


def renew(folder: Path, newest: str, failing: tuple[str, ...] = (), disks: str = DISKS) -> Ran:
    with InRegion():
        text = script("task-assist", "cos-stable")
    answers = {
        "compute images describe-from-family": newest,
        "compute instances describe": disks,
        "compute disks describe": "cos-stable-1",
    }
    return run(text, folder, answers, failing)


def verbs(ran: Ran) -> list[str]:
    """What was done, such as "stop task-assist" or "attach-disk old-boot"."""
    words = [call.split() for call in ran.calls if " describe" not in call]
    disks = [next((word[7:] for word in call if word.startswith("--disk=")), call[4]) for call in words]
    return [f"{call[3]} {disk.split('-20')[0]}" for call, disk in zip(words, disks, strict=True)]


def test_nothing_stops_where_there_is_no_newer_system(tmp_path: Path):
    ran = renew(tmp_path, "cos-stable-1")
    assert ran.status == 0
    assert verbs(ran) == []


def test_the_boot_disk_is_swapped_and_the_data_disk_is_not_touched(tmp_path: Path):
    ran = renew(tmp_path, "cos-stable-2")
    assert ran.status == 0, ran.said
    assert verbs(ran) == [
        "create task-assist",
        "stop task-assist",
        "detach-disk old-boot",
        "attach-disk task-assist",
        "set-disk-auto-delete task-assist",
        "start task-assist",
        "delete old-boot",
    ]
    assert ran.of("attach-disk", "--boot")
    assert not ran.of("task-assist-data")


@pytest.mark.parametrize("fails", [STOP, "compute instances attach-disk"])
def test_where_it_fails_the_vm_is_started_again_and_the_old_disk_stays(tmp_path: Path, fails: str):
    ran = renew(tmp_path, "cos-stable-2", (fails,))
    assert ran.status == 1
    assert verbs(ran)[-1] == "start task-assist"
    assert not ran.of("disks delete")
    assert "goes on with cos-stable-1" in ran.said


def test_a_disk_that_cannot_be_made_stops_nothing(tmp_path: Path):
    ran = renew(tmp_path, "cos-stable-2", ("compute disks create",))
    assert ran.status != 0
    assert not ran.of(STOP)


def test_a_vm_without_a_boot_disk_keeps_its_data_disk(tmp_path: Path):
    """A run that was cut off between the two disks leaves a VM with nothing but the data's."""
    ran = renew(tmp_path, "cos-stable-2", disks="False,task-assist-data\n")
    assert ran.status == 1
    assert verbs(ran) == []
    assert "task-assist has no boot disk" in ran.said


def test_the_job_may_start_the_vm_and_nobody_else_may_be_it():
    found = plan("gcp-disk")
    grant = found.one("serviceaccount/iAMMember:IAMMember").inputs
    assert grant["role"] == "roles/iam.serviceAccountUser"
    assert found.one("cloudscheduler/job:Job", "renewal-schedule").inputs["schedule"] == "30 4 * * 0"
    assert not plan("gcp-filestore").of("serviceaccount/iAMMember:IAMMember")
