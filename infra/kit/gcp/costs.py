"""What a month on Google Cloud costs."""

from config import StackConfig
from costs import Cost
from kit.gcp.place import CPU_AND_MEMORY, MACHINE
from prices import HOURS, Prices


def costs(config: StackConfig, prices: Prices) -> list[Cost]:
    """The month's bill, of a VM with a disk or of Cloud Run with Filestore."""
    return filestore_costs(config, prices) if config.storage == "filestore" else disk_costs(config, prices)


def disk_costs(config: StackConfig, prices: Prices) -> list[Cost]:
    machine, gb = config.machine or MACHINE, config.storage_gb or 0
    return [
        prices.hourly(f"VM {machine}", f"{machine} hour"),
        prices.month("its system's disk of 10 GB", {"standard GB": 10}),
        prices.month(f"disk of {gb} GB", {"balanced GB": gb}),
        prices.hourly("public address", "address hour") if config.domain else Cost("proxy on Cloud Run", None),
        *([way_out(prices)] if goes_out(config) else []),
        *([prices.by_use("snapshots", "snapshot GB", "a GB")] if config.backups else []),
        *of_both(config, prices),
    ]


def goes_out(config: StackConfig) -> bool:
    return bool(config.notify_url) and not config.domain and config.network == "own"


def way_out(prices: Prices) -> Cost:
    return prices.month("Cloud NAT and its address, for notifyUrl", {"NAT VM hour": HOURS, "address hour": HOURS})


def filestore_costs(config: StackConfig, prices: Prices) -> list[Cost]:
    gib, seconds = config.storage_gb or 0, HOURS * 3600
    cpu, mib = (int(part) for part in (config.machine or CPU_AND_MEMORY).split("/"))
    return [
        prices.month(f"Filestore of {gib} GiB", {"Filestore GB": gib}),
        prices.month(
            "Cloud Run with its CPU always on",
            {"Cloud Run vCPU second": seconds * cpu, "Cloud Run GB second": seconds * mib / 1024},
        ),
        *([prices.by_use("backups", "Filestore backup GB", "a GB")] if config.backups else []),
        *of_both(config, prices),
    ]


def of_both(config: StackConfig, prices: Prices) -> list[Cost]:
    return [
        secrets(config, prices),
        prices.by_use("backups in Cloud Storage", "bucket GB", "a GB"),
        prices.by_use("registry", "registry GB", "a GB"),
        # Google has announced a charge for each alarm's condition; its price could not be found.
        *([Cost("alarms and the check from outside", None)] if config.alert_email else []),
        Cost("traffic", None),
    ]


def secrets(config: StackConfig, prices: Prices) -> Cost:
    """The password, and the webhook's address where there is one."""
    count = 2 if config.notify_url else 1
    return prices.month("secret" if count == 1 else f"{count} secrets", {"secret version month": count})
