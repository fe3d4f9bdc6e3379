"""What a month on Azure costs."""

from config import StackConfig
from costs import Cost
from prices import HEARTBEATS, SMB_HEARTBEATS, Prices


def costs(config: StackConfig, prices: Prices) -> list[Cost]:
    """The month's bill."""
    # Azure Backup takes SMB shares only.
    backed_up = config.backups and config.storage == "smb"
    return [
        prices.hourly(f"App Service {config.machine}", f"{config.machine} hour"),
        prices.month("registry", {"Basic registry month": 1}),
        *share(config, prices),
        prices.by_use("Log Analytics", "log GB", "a GB"),
        *([Cost("Azure Backup", None)] if backed_up else []),
    ]


def share(config: StackConfig, prices: Prices) -> list[Cost]:
    """A premium share bills its size; a standard one what lies on it and each request, so the lease's heartbeat too."""
    gib = config.storage_gb or 0
    if config.storage == "nfs":
        return [prices.month(f"NFS share of {gib} GiB", {"premium file GB": gib})]
    return [
        prices.month(f"{gib} GiB on the share", {"file GB": gib}),
        prices.month(f"{HEARTBEATS * 9 / 1e6:.0f} million requests to the share", SMB_HEARTBEATS),
    ]
