"""Azure, as the config sees it."""

from kit.place import Place, Store
from reader import Reader

REGION = ("azure-native:location", "ARM_LOCATION")


def check(reader: Reader) -> None:
    """The faults that only Azure has."""
    reader.provider(REGION[0], "Azure needs a region.", "westeurope", *REGION[1:])
    reader.pinned_image()


AZURE = Place(
    name="azure",
    # learn.microsoft.com/azure/storage/files/storage-files-scale-targets: a premium share has at least 100 GiB.
    storages={"smb": Store(10, 1, 102_400), "nfs": Store(100, 100, 102_400)},
    defaults={"machine": "B1", "storageKeyIndex": "1", "logDays": "30", "backupCopy": ""},
    check=check,
    region=REGION,
)
