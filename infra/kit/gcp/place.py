"""Google Cloud, as the config sees it."""

import re

import pulumi

from kit.place import Place, Store
from reader import Reader

# Where Cloud Run maps domains without a load balancer: cloud.google.com/run/docs/mapping-custom-domains, 2026-11.
DOMAIN_MAPPING_REGIONS = frozenset(
    [
        "asia-east1",
        "asia-northeast1",
        "asia-southeast1",
        "europe-north1",
        "europe-west1",
        "europe-west4",
        "us-central1",
        "us-east1",
        "us-east4",
        "us-west1",
    ]
)
MACHINE, CPU_AND_MEMORY = "e2-micro", "1/512"
# x86, because the image is, and with persistent disks: Google's newest machines take Hyperdisk alone
# (cloud.google.com/compute/docs/machine-resource, 2026-11).
MACHINES = ("c2", "c2d", "c3", "c3d", "e2", "n1", "n2", "n2d", "t2d")
VM_MACHINE = re.compile(rf"({'|'.join(MACHINES)})-[a-z0-9-]+")
# MiB that each count of CPUs takes: cloud.google.com/run/docs/configuring/services/cpu and memory-limits, of which the
# second generation, which mounts NFS, takes 512 at least (2026-11).
RUN_MEMORY = {1: (512, 4096), 2: (512, 8192), 4: (2048, 16_384), 6: (4096, 24_576), 8: (4096, 32_768)}
REGION = re.compile(r"[a-z]+-[a-z]+[0-9]+")
# Where a snapshot can lie besides in one region: cloud.google.com/storage/docs/locations.
MULTI_REGIONS = ("asia", "eu", "us")
BILLING_ACCOUNT = re.compile(r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}")
PROJECT_VARIABLES = ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")


def check(reader: Reader) -> None:
    """The faults that only Google Cloud has."""
    reader.provider("gcp:project", "Google Cloud needs the project to bill.", "my-project", *PROJECT_VARIABLES)
    region, zone = pulumi.Config("gcp").get("region") or "", pulumi.Config("gcp").get("zone") or ""
    if not region:
        reader.fault("gcp:region", "", "Google Cloud needs a region.", "europe-west1")
    if not zone:
        reader.fault("gcp:zone", "", "Google Cloud needs a zone.", "europe-west1-b")
    if region and zone and not zone.startswith(f"{region}-"):
        reader.fault("gcp:zone", zone, f"it must lie in the region {region}.", f"{region}-b")
    on_filestore = reader.text("storage") == "filestore"
    check_domain(reader, region)
    check_image(reader, region)
    reader.choice("network", ("own", "default"))
    (check_cpu_and_memory if on_filestore else check_machine)(reader)
    check_copy(reader, region, () if on_filestore else MULTI_REGIONS)
    check_budget(reader)
    if on_filestore and reader.text("alertEmail"):
        check_daily(reader)


def check_domain(reader: Reader, region: str) -> None:
    mapped = reader.text("storage") == "filestore" and reader.text("domain")
    if mapped and region and region not in DOMAIN_MAPPING_REGIONS:
        why = f"Cloud Run maps domains only in {', '.join(sorted(DOMAIN_MAPPING_REGIONS))}."
        reader.fault("gcp:region", region, why, "europe-west1")


def check_image(reader: Reader, region: str) -> None:
    image, on_a_vm = reader.text("image"), reader.text("storage") in ("", "disk")
    if image and on_a_vm and not reader.text("domain") and not image.startswith(f"{region}-docker.pkg.dev/"):
        why = f"without a domain the VM has no public address and pulls only from Artifact Registry in {region}."
        reader.fault("image", image, why, f"{region}-docker.pkg.dev/PROJECT/REPOSITORY/task-assist@sha256:…")
    else:
        reader.pinned_image()


def check_machine(reader: Reader) -> None:
    why = f"the VM must be x86 and take persistent disks: {', '.join(MACHINES)}."
    reader.matching("machine", VM_MACHINE, why, MACHINE)


def check_cpu_and_memory(reader: Reader) -> None:
    """With filestore: vCPU/MiB, of what Cloud Run has."""
    value = reader.text("machine") or CPU_AND_MEMORY
    cpu, _, memory = value.partition("/")
    least, most = RUN_MEMORY.get(int(cpu), (0, 0)) if cpu.isascii() and cpu.isdigit() else (0, 0)
    if most and not (memory.isascii() and memory.isdigit() and least <= int(memory) <= most):
        reader.fault("machine", value, f"{cpu} vCPU take from {least} to {most} MiB.", f"{cpu}/{least}")
    elif not most:
        counts = ", ".join(map(str, RUN_MEMORY))
        reader.fault("machine", value, f"with filestore it is vCPU/MiB, with {counts} vCPU.", CPU_AND_MEMORY)


def check_copy(reader: Reader, region: str, multi_regions: tuple[str, ...]) -> None:
    """Backups lie in Google's nearest multi-region, or in the stack's region; the copy must be somewhere else."""
    value = reader.text("backupCopy")
    example = "us-east1" if region.startswith("europe") else "europe-west1"
    if value and value not in multi_regions and not REGION.fullmatch(value):
        also = f" or {', '.join(multi_regions)}" if multi_regions else ""
        reader.fault("backupCopy", value, f"it must be a region of Google Cloud{also}.", example)
    elif value and value == region:
        reader.fault("backupCopy", value, "that is the region of the stack itself.", example)


def check_budget(reader: Reader) -> None:
    account = "012345-6789AB-CDEF01"
    why = "it must be the account's ID: six signs three times, of 0-9 and A-F."
    reader.matching("billingAccount", BILLING_ACCOUNT, why, account)
    if reader.text("monthlyBudget") and not reader.text("billingAccount"):
        why = "Google watches a budget in a billing account; `gcloud billing accounts list` shows yours."
        reader.fault("billingAccount", "", why, account)


def check_daily(reader: Reader) -> None:
    """The alarm rings after thirty hours without a backup."""
    cron = reader.text("backupSchedule")
    if cron != "off" and cron.split()[2:] != ["*", "*", "*"]:
        why = "with alertEmail backups are daily, or the alarm for a missing one would ring between them."
        reader.fault("backupSchedule", cron, why, "15 3 * * *")


def no_handover(reader: Reader) -> str | None:
    return None if reader.text("storage") == "filestore" else "a disk can be written in one VM at a time"


GCP = Place(
    name="gcp",
    # The least: cloud.google.com/compute/docs/disks, and of Filestore's basic tier cloud.google.com/filestore/docs.
    storages={"disk": Store(10, 10, 65_536), "filestore": Store(1024, 1024, 65_229)},
    defaults={"machine": "", "network": "own", "backupCopy": "", "billingAccount": ""},
    check=check,
    no_handover=no_handover,
    region=("gcp:region",),
)
