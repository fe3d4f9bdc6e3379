"""Lets an app on a disk of its own suffer all that tests/adversary knows, and prints the table of what came of it.

usage: sudo .venv/bin/python -m tests.adversary [--seconds 3600] [--seed N] [--profile shared|exclusive] [--only WORDS]

Exits with 1 if anything that was acknowledged was lost without a refusal, or was told to be well and wasn't.
"""

import argparse
import secrets
import sys
import time
from functools import partial

from tests.adversary.deck import Run, play


def main() -> int:
    parser = argparse.ArgumentParser(usage=(__doc__ or "").partition("usage: ")[2].partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--profile", choices=("shared", "exclusive"), default="shared")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    began = time.monotonic()
    run = Run(wanted.seed, tell=partial(print, flush=True))
    play(run, wanted.seconds, profile=wanted.profile, only=wanted.only)
    print(_told(run, time.monotonic() - began))
    return 1 if run.broken else 0


def _told(run: Run, seconds: float) -> str:
    short = (
        f"{run.faults} faults ({run.kinds}) in {seconds / 60:.0f} minutes, {run.acknowledged:,} changes acknowledged"
    )
    return "\n\n".join([*run.broken, run.table, f"{short}; {len(run.broken)} times broken. Seed {run.seed}."])


if __name__ == "__main__":
    sys.exit(main())
