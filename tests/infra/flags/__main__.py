"""Fills flags.csv: `python -m tests.infra.flags PYTHON`, the Python that has awscli and azure-cli."""

import csv
import sys
from itertools import chain
from pathlib import Path

from tests.infra.flags.lines import in_documents, in_key_kit, in_plans
from tests.infra.flags.references import NotHere, Reference, reference
from tests.infra.flags.table import COLUMNS, FILE


def main(python: Path) -> int:
    with FILE.open(newline="") as file:
        before = [Reference(row["command"], tuple(row["flags"].split()), row["source"]) for row in csv.DictReader(file)]
    # Written by a person from a page, since the tool at hand is older.
    by_hand = {one.command: one for one in before if one.source.startswith("https://")}
    calls = {command.words: command.where for command in chain(in_documents(), in_key_kit(), in_plans())}
    typed = tuple(sorted(" ".join(words).replace("\n", " ") for words in calls))
    found: dict[str, Reference] = {}
    faults: list[str] = []
    for words, where in calls.items():
        if kept := [one for name, one in by_hand.items() if f"{' '.join(words)} ".startswith(f"{name} ")]:
            found |= {one.command: one for one in kept}
            continue
        try:
            one = reference(words, typed, python)
            found[one.command] = one
        except LookupError as fault:
            faults.append(f"{where}: {fault}")
        except NotHere as tool:
            kept = [one for one in before if f"{' '.join(words)} ".startswith(f"{one.command} ")]
            found |= {one.command: one for one in kept}
            faults.append(f"{tool} is not on this machine: its rows stay as they were")
    with FILE.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows([one.command, " ".join(one.flags), one.source] for _, one in sorted(found.items()))
    print(f"{len(found)} commands", *sorted(set(faults)), sep="\n")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
