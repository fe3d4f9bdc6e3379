"""The machine of a receipt: its kind, and nothing by which one could find it."""

import os
import platform
from pathlib import Path
from typing import Any

CPUS = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """`memory_gb` in units of 10^9 bytes; None where the system doesn't say."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "architecture": platform.machine(),
    }


def _processor() -> str:
    try:
        lines = CPUS.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return None
