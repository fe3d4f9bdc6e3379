"""Where a benchmark was run, and its tables in docs/benchmarks.md."""

import os
import platform
import time
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs/benchmarks.md"


LOAD = os.getloadavg()[0]
"""What else the machine did in the minute before."""


def machine() -> str:
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()]
    model = next((name for name in names if "GHz" in name or "CPU" in name or "EPYC" in name), platform.machine())
    software = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} processors ({model}), {software}; load {LOAD:.1f} in the minute before"


def today() -> str:
    return time.strftime("%Y-%m-%d")


def write_into_docs(benchmark: str, text: str) -> None:
    """In place of what stands between the benchmark's mark and the next end."""
    before, mark, rest = PAGE.read_text().partition(f"<!-- benchmarks/{benchmark} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    PAGE.write_text(f"{before}{mark}{text}{end}{after}")
