"""Memory goes back to the system when it is free: glibc would keep it, for each thread its own.

A password's hash takes 19 MB for a moment (app/domain/passwords.py). Once one was freed, glibc takes all blocks of up
to that size from heaps that it gives back only from their end, and there is a heap for each of several threads. With
these two settings the process has 110 MB instead of 136 after a sign-in and a load of `benchmarks/requests`. musl and
macOS have no such settings and need none.
"""

import ctypes

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""From glibc's malloc.h; see mallopt(3)."""
LARGE = 1 << 20
"""Bytes from which a block is the system's own, and given back when it is freed."""
HEAPS = 2


def give_back_what_is_free() -> None:
    """To be called before threads are started."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_ARENA_MAX, HEAPS)
