"""Azure, as the config sees it."""

import re
from collections.abc import Mapping

from kit.place import Place, Store
from reader import Reader

REGION = ("azure-native:location", "ARM_LOCATION")
# The plans that keep one instance always on and are sold for Linux containers, with their tiers:
# learn.microsoft.com/azure/app-service/overview-hosting-plans
PLANS: Mapping[str, str] = {
    "B1": "Basic",
    "B2": "Basic",
    "B3": "Basic",
    "S1": "Standard",
    "S2": "Standard",
    "S3": "Standard",
    "P0v3": "Premium0V3",
    "P1v3": "PremiumV3",
    "P2v3": "PremiumV3",
    "P3v3": "PremiumV3",
}
# The most snapshots of each kind: learn.microsoft.com/azure/backup/azure-file-share-support-matrix#retention-limits
KEEP_AT_MOST = {"last": 200, "daily": 200, "weekly": 200, "monthly": 120}
COPIES = ("", "vault")


def check(reader: Reader) -> None:
    """The faults that only Azure has."""
    reader.provider(REGION[0], "Azure needs a region.", "westeurope", *REGION[1:])
    reader.pinned_image()
    reader.choice("machine", tuple(PLANS))
    # learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure: of a workspace with the tier PerGB2018.
    reader.number("logDays", 30, 730)
    check_keep(reader)
    if reader.text("backupCopy") not in COPIES:
        why = "Azure Backup copies into its own vault, which Azure keeps in a second region too."
        reader.fault("backupCopy", reader.text("backupCopy"), why, "vault")


def check_keep(reader: Reader) -> None:
    for kind, count in re.findall(r"(\w+)=(\d+)", reader.text("backupKeep")):
        most = KEEP_AT_MOST.get(kind, 0)
        if most and int(count) > most:
            why = f"Azure keeps at most {most} of {kind}."
            reader.fault("backupKeep", reader.text("backupKeep"), why, f"{kind}={most}")


AZURE = Place(
    name="azure",
    # pulumi_azure_native.storage.FileShare, share_quota: "less than or equal to 5TB (5120)" without large file shares.
    storages={"smb": Store(10, 1, 5120)},
    defaults={"machine": "B1", "storageKeyIndex": "1", "logDays": "30", "backupCopy": ""},
    check=check,
    region=REGION,
    left_out={
        "nfs": "this version has no NFS on Azure. A stack that was made with it goes on with version 0.1; how its data"
        " moves to a new stack is in docs/deploy/azure.md#moving-in-and-out"
    },
)
