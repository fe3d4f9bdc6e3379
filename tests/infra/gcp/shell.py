"""Runs a job's script with a `gcloud` that writes down how it was called, and answers what it is told."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi

ANSWER = """#!/bin/bash
echo "gcloud $*" >>"$CALLS"
for file in "$ANSWERS"/*; do
  [ -e "$file" ] || continue
  case "$*" in "$(basename "$file" | tr _ ' ')"*) cat "$file"; [ ! -x "$file" ] || exit 1; exit 0;; esac
done
"""


@dataclass(frozen=True)
class Ran:
    """How it ended, what it said, and each call of gcloud in order."""

    status: int
    said: str
    calls: list[str]

    def of(self, *words: str) -> list[str]:
        return [call for call in self.calls if all(word in call for word in words)]


def run(script: str, folder: Path, answers: Mapping[str, str], failing: tuple[str, ...] = ()) -> Ran:
    """`answers` and `failing` are by how a call begins, without the word gcloud."""
    there, calls = folder / "answers", folder / "calls"
    there.mkdir(parents=True)
    calls.write_text("")
    for begin in {*answers, *failing}:
        file = there / begin.replace(" ", "_")
        file.write_text(answers.get(begin, ""))
        file.chmod(0o755 if begin in failing else 0o644)
    stubs = {"gcloud": ANSWER, "sleep": "#!/bin/bash\n"}
    for name, text in stubs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls), "ANSWERS": str(there)}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    return Ran(done.returncode, done.stdout + done.stderr, calls.read_text().splitlines())


class InRegion:
    """The stack's region and zone, for what asks the config for them."""

    def __enter__(self) -> None:
        pulumi.runtime.set_all_config({"gcp:region": "europe-west1", "gcp:zone": "europe-west1-b"})

    def __exit__(self, *_: object) -> None:
        pulumi.runtime.set_all_config({})
