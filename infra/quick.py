"""Keeps a preview short: the program lives for seconds, and imports thousands of classes."""

import atexit
import gc


def be_quick() -> None:
    """Saves a sixth of a preview on Azure, where it counts most. benchmarks/preview measures it."""
    # Nothing of what the SDKs make becomes garbage before the end.
    gc.disable()
    # And at the end Python would look through all of it twice, only to free memory that the system takes back anyhow.
    atexit.register(gc.freeze)
