"""The receipt as a page: one file, without scripts or anything fetched, that prints on paper."""

from html import escape
from typing import Any

from .record import FAILED, NOT_TRIED, PROVEN, UNPROVEN, in_words

HEADINGS = {
    PROVEN: "Proven: the data outlives the container",
    FAILED: "Failed: the data is not safe here, or nobody can say that it is",
    UNPROVEN: "Not proven: nothing was lost, and not all could be tried",
    NOT_TRIED: "Not tried to its end",
}
SECTIONS = {
    "storage": "Where the data lies",
    "canary": "The canary: rows that were written for the proof, and looked for",
    "backup": "The backup",
    "versions": "Versions",
    "machine": "The machine that this was typed on",
}
STYLE = """
:root {
  color-scheme: light dark;
  --ground: #f7f7f5; --surface: #fff; --line: #e2e3df;
  --text: #1d2023; --muted: #4d5257; --accent: #0f5460; --danger: #9c1616;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #141618; --surface: #1b1e21; --line: #2e3338;
    --text: #e9e7e3; --muted: #b7bbbf; --accent: #86cfd0; --danger: #ffaba3;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 400 1rem/1.5 system-ui, sans-serif; }
body { overflow-wrap: break-word; }
td:first-child, th { white-space: nowrap; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
h1, h2, p, dl, dd { margin: 0; }
p + p { margin-top: .5rem; }
h1 { font-size: 1.5rem; font-weight: 600; line-height: 2rem; color: var(--accent); }
.failed h1 { color: var(--danger); }
h2 { margin: 2rem 0 .5rem; font-size: 1rem; font-weight: 600; }
.muted, footer { color: var(--muted); }
.reason { margin-top: 1rem; padding: 1rem; border: 1px solid var(--line); border-left: 4px solid var(--danger); }
.reason { background: var(--surface); white-space: pre-line; }
.rows { border: 1px solid var(--line); border-radius: 6px; background: var(--surface); }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem 1rem; text-align: left; vertical-align: top; }
th { font-weight: 600; color: var(--muted); }
tr + tr td, tbody tr:first-child td { border-top: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.wrong { color: var(--danger); font-weight: 600; }
td small { display: block; font-size: .875rem; color: var(--muted); }
dl { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; }
dt, dd { min-width: 0; padding: .5rem 1rem; overflow-wrap: anywhere; }
dt { color: var(--muted); }
dt:not(:first-of-type), dd:not(:first-of-type) { border-top: 1px solid var(--line); }
code { font: .875rem/1.5 ui-monospace, monospace; }
footer { margin-top: 2rem; font-size: .875rem; }
@media (max-width: 30rem) {
  dl { display: block; }
  dd { border: 0 !important; padding-top: 0; }
  th, td { padding: .5rem; }
}
@media print { body { background: none; font-size: 10pt; } main { padding: 0; } .rows { break-inside: avoid; } }
""".strip()


def page(receipt: dict[str, Any], beside: str, sha256: str) -> str:
    """`beside`: the name of the JSON that this is the page of, `sha256` its hash."""
    verdict = receipt["verdict"]
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Task Assist: {escape(HEADINGS[verdict])}</title>
<style>
{STYLE}
</style>
<main class="{"failed" if verdict == FAILED else escape(verdict)}">
<p class="muted">Task Assist · persistence receipt</p>
<h1>{escape(HEADINGS[verdict])}</h1>
<p>{_when(receipt)}</p>
{_in_short(receipt)}
{_reason(receipt["reason"])}
<h2>What was done</h2>
{_steps(receipt["steps"])}
{"".join(_section(heading, receipt[name]) for name, heading in SECTIONS.items() if receipt[name])}
<footer>
<p>Made by <code>{escape(command_of(receipt))}</code>, which can be typed again at any time.
The same figures for programs are in {escape(beside)}, whose sha256 is <code>{sha256}</code>.</p>
</footer>
</main>
</html>
"""


def command_of(receipt: dict[str, Any]) -> str:
    return f"python scripts/verify_persistence.py {receipt['target']}"


def _when(receipt: dict[str, Any]) -> str:
    began, ended = (_moment(receipt[name]) for name in ("began_at", "ended_at"))
    return f"<b>{escape(receipt['target'])}</b>, from {began} to {ended} ({receipt['seconds']:.0f} s)."


def _in_short(receipt: dict[str, Any]) -> str:
    """What somebody has to read who reads nothing else."""
    if receipt["verdict"] != PROVEN:
        return ""
    return (
        f"<p>{receipt['canary']['rows']:,} rows were written for this. They came through the steps below as they had "
        "been acknowledged, and a backup of after them holds them, too.</p>"
    )


def _moment(iso: str) -> str:
    return f'<time datetime="{escape(iso)}">{escape(iso.partition("+")[0].replace("T", " "))} UTC</time>'


def _reason(reason: dict[str, str] | None) -> str:
    if not reason:
        return ""
    hint = f"\n{escape(reason['hint'])}" if reason["hint"] else ""
    return f'<p class="reason"><b>{escape(reason["message"])}</b>{hint}</p>'


def _steps(steps: list[dict[str, Any]]) -> str:
    head = '<thead><tr><th>Began</th><th>What</th><th class="number">Seconds</th><th>Outcome</th></tr></thead>'
    return f'<div class="rows"><table>{head}<tbody>{"".join(map(_step, steps))}</tbody></table></div>'


def _step(step: dict[str, Any]) -> str:
    facts = " · ".join(f"{_label(name)}: {in_words(value)}" for name, value in step["facts"].items())
    wrong = ' class="wrong"' if step["outcome"] != "ok" else ""
    began = step["began_at"].partition("T")[2].partition("+")[0]
    return (
        f"<tr><td>{began}</td><td>{escape(step['what'])}<small>{escape(facts)}</small></td>"
        f'<td class="number">{step["seconds"]:.1f}</td><td{wrong}>{escape(step["outcome"])}</td></tr>'
    )


def _section(heading: str, facts: dict[str, Any]) -> str:
    rows = "".join(f"<dt>{escape(_label(name))}</dt><dd>{_value(value)}</dd>" for name, value in facts.items())
    return f'<h2>{escape(heading)}</h2>\n<div class="rows"><dl>{rows}</dl></div>\n'


def _value(value: Any) -> str:
    """Whole: a hash is there to be compared."""
    if isinstance(value, str) and len(value.removeprefix("sha256:")) == 64:
        return f"<code>{escape(value)}</code>"
    return escape(in_words(value))


def _label(name: str) -> str:
    return name.replace("_", " ")
