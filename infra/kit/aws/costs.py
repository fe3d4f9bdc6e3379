"""What a month on AWS costs."""

from config import StackConfig
from costs import Cost
from prices import EFS_HEARTBEATS, HOURS, Prices


def costs(config: StackConfig, prices: Prices) -> list[Cost]:
    """The month's bill."""
    return [
        task(config.machine, prices),
        prices.hourly("IPv4 address", "IPv4 hour"),
        prices.month("private zone", {"zone month": 1}),
        prices.month("secret", {"secret month": 1}),
        prices.month("the lease's heartbeat on EFS", EFS_HEARTBEATS),
        prices.by_use("EFS", "EFS GB", "a GB"),
        prices.by_use("HTTP API", "HTTP API million", "a million calls"),
        prices.by_use("logs", "log GB", "a GB"),
        *([prices.by_use("AWS Backup", "backup GB", "a GB")] if config.backups else []),
    ]


def task(machine: str, prices: Prices) -> Cost:
    """The Fargate task, by its size: CPU units of 1/1024 vCPU, and MiB."""
    cpu, memory = (int(part) / 1024 for part in machine.split("/"))
    takes = {"Fargate vCPU hour": cpu * HOURS, "Fargate GB hour": memory * HOURS}
    return prices.month(f"Fargate of {cpu:g} vCPU and {memory:g} GB", takes)
