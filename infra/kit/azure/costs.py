"""What a month on Azure costs."""

from config import StackConfig
from costs import Cost
from kit.azure.uptime import RUNS_A_MONTH
from prices import HEARTBEATS, SMB_HEARTBEATS, Prices


def costs(config: StackConfig, prices: Prices) -> list[Cost]:
    """The month's bill. The share bills what lies on it and each request, so the lease's heartbeat too."""
    gib = config.storage_gb or 0
    return [
        prices.hourly(f"App Service {config.machine}", f"{config.machine} hour"),
        prices.month("registry", {"Basic registry month": 1}),
        prices.month(f"{gib} GiB on the share", {"file GB": gib}),
        prices.month(f"{HEARTBEATS * 9 / 1e6:.0f} million requests to the share", SMB_HEARTBEATS),
        prices.by_use("Log Analytics", "log GB", "a GB"),
        prices.by_use("backups in Blob Storage", "blob GB", "a GB"),
        *(backups(config, prices) if config.backups else []),
        *(alerts(config, prices) if config.alert_email else []),
    ]


def backups(config: StackConfig, prices: Prices) -> list[Cost]:
    """The fee for a share of at most 250 GiB, and what the snapshots take in the account."""
    fee = prices.month("Azure Backup", {"protected instance month": 1})
    copy = [Cost("the backups' copy in the vault", None)] if config.backup_copy else []
    return [fee, prices.by_use("the backups' snapshots", "file snapshot GB", "a GB"), *copy]


def alerts(config: StackConfig, prices: Prices) -> list[Cost]:
    """Three metrics, the test's own, and the log's: that one's price is of every 5 minutes, so it is the most."""
    rules = {"metric alert month": 4.0, **({"log alert month": 1.0} if config.backups else {})}
    return [prices.month("alerts", rules), Cost(f"{RUNS_A_MONTH} looks from outside", None)]
