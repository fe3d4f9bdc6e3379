"""Google Cloud, as the config sees it."""

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
    check_domain(reader, region)
    check_image(reader, region)


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
