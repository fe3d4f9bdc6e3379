"""The sizes of a Fargate task, and the days that CloudWatch keeps a log: AWS takes these and no others."""

from collections.abc import Mapping

# MiB by CPU units: ECS's RegisterTaskDefinition, `memory`, 2026-11.
MEMORY: Mapping[int, range] = {
    256: range(512, 2048 + 1, 512),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
# 512, 1024 and 2048: the one series with a gap.
NO_SUCH_SIZE = (256, 1536)
# CloudWatch Logs' PutRetentionPolicy, `retentionInDays`, 2026-11.
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def memory_of(cpu: str) -> list[int]:
    """The MiB that may go with these CPU units; empty where there are no such units."""
    units = int(cpu) if cpu.isascii() and cpu.isdigit() else 0
    return [mib for mib in MEMORY.get(units, ()) if (units, mib) != NO_SUCH_SIZE]
