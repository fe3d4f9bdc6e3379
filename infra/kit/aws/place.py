"""AWS, as the config sees it."""

from kit.place import Place, Store
from reader import Reader

REGION = ("aws:region", "AWS_REGION", "AWS_DEFAULT_REGION")


def check(reader: Reader) -> None:
    """The faults that only AWS has."""
    reader.provider(REGION[0], "AWS needs a region.", "eu-central-1", *REGION[1:])
    reader.pinned_image()


AWS = Place(
    name="aws",
    storages={"efs": Store()},
    defaults={"machine": "256/512", "network": "default", "logDays": "30", "backupCopy": ""},
    check=check,
    region=REGION,
)
