"""Memory that is free is the system's again."""

import subprocess
import sys

import pytest

GROWS_BY = """
import gc, os, sys
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")
if sys.argv[1] == "give back":
    from app.operations.serving.memory import release_free_memory
    release_free_memory()
bytearray(20_000_000)
before = resident()
kept = [bytearray(2_000_000), None]
for _ in range(20):
    kept[0], kept[1] = bytearray(2_000_000), bytearray(100_000)
blocks = [bytearray(2_000_000) for _ in range(10)]
last = bytearray(150_000)
del blocks
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_large_blocks_go_back_though_a_small_one_lies_behind_them():
    def grown(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", GROWS_BY, how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert grown("give back") < 8_000_000 < grown("as it is")


STAYS_AT = """
import os, sys, time
from app.operations.serving import memory
memory.TRIM_SECONDS = float(sys.argv[1])
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")
memory.release_free_memory()
before = resident()
blocks = [bytearray(20_000) for _ in range(5_000)]
del blocks[:-1]
until = time.monotonic() + float(sys.argv[2])
while resident() - before > 20_000_000 and time.monotonic() < until:
    time.sleep(0.01)
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_so_do_small_ones_after_a_while():
    def left(trims_every: float, looks_for: float) -> int:
        given = [str(trims_every), str(looks_for)]
        done = subprocess.run([sys.executable, "-c", STAYS_AT, *given], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert left(0.05, 30) < 20_000_000 < left(3600, 0.2)
