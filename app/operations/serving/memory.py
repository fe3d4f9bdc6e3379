"""Memory goes back to the system when it is free: glibc would keep it, for each thread its own.

A password's hash takes 19 MB for a moment (app/domain/passwords.py). Once one was freed, glibc takes all blocks of up
to that size from heaps that it gives back only from their end, and there is a heap for each of several threads. With
these two settings the process has 110 MB instead of 136 after a sign-in and a load of `benchmarks/requests`. What lies
free between smaller blocks that are in use is given back every TRIM_SECONDS: after 4,000 half bodies of 100 KB, which
took 320 MB, the process had 120 MB, and without that 202 as long as it ran. musl and macOS have no such functions.
"""

import ctypes
import threading
import time
from functools import partial

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""From glibc's malloc.h; see mallopt(3)."""
LARGE = 1 << 20
"""Bytes from which a block is the system's own, and given back when it is freed."""
HEAPS = 2
TRIM_SECONDS = 10.0


def release_free_memory() -> None:
    """From now on. To be called before threads are started."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_ARENA_MAX, HEAPS)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        threading.Thread(target=partial(_trim_always, trim), name="memory", daemon=True).start()


def _trim_always(trim: "ctypes._FuncPointer") -> None:
    """It takes half a millisecond, and 20 where there is much to give back; Python's lock is free meanwhile."""
    while True:
        time.sleep(TRIM_SECONDS)
        trim(0)
