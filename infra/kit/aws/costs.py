"""What a month on AWS costs."""

from config import StackConfig
from costs import Cost
from kit.aws.alerts import alarms
from kit.aws.snapshots import daily
from prices import HOURS, Prices


def costs(config: StackConfig, prices: Prices) -> list[Cost]:
    """The month's bill."""
    copied = config.backups and config.backup_copy
    return [
        task(config.machine, prices),
        prices.hourly("IPv4 address", "IPv4 hour"),
        prices.month("private zone", {"zone month": 1}),
        secrets(config, prices),
        *watching(config, prices),
        prices.by_use("EFS", "EFS GB", "a GB"),
        prices.by_use("backups in S3", "S3 GB", "a GB"),
        prices.by_use("HTTP API", "HTTP API million", "a million calls"),
        prices.by_use("logs", "log GB", "a GB"),
        *([prices.by_use("AWS Backup", "backup GB", "a GB")] if config.backups else []),
        *([prices.by_use("copies of the backups", "backup GB", "a GB and their way there")] if copied else []),
    ]


def secrets(config: StackConfig, prices: Prices) -> Cost:
    """The password, and the webhook's address where there is one."""
    count = 2 if config.notify_url else 1
    return prices.month("secret" if count == 1 else f"{count} secrets", {"secret month": count})


def watching(config: StackConfig, prices: Prices) -> list[Cost]:
    """The alarms, with the one on the look from outside."""
    if not config.alert_email:
        return []
    count = alarms(daily=daily(config.backups, config.keep), copied=bool(config.backups and config.backup_copy))
    return [
        prices.month(f"{count} alarms", {"alarm month": count}),
        prices.month("look from outside", {"health check month": 1}),
    ]


def task(machine: str, prices: Prices) -> Cost:
    """The Fargate task, by its size: CPU units of 1/1024 vCPU, and MiB."""
    cpu, memory = (int(part) / 1024 for part in machine.split("/"))
    takes = {"Fargate vCPU hour": cpu * HOURS, "Fargate GB hour": memory * HOURS}
    return prices.month(f"Fargate of {cpu:g} vCPU and {memory:g} GB", takes)
