"""The command line: which target, and how it ends."""

import os
import re
import signal
import sys
import textwrap
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import NoReturn

from . import prove_own, prove_remote
from .compose import FILE, Compose
from .docker_run import DockerRun
from .keep import Kept, keep, need_folder
from .own import Place, cleared
from .record import Record
from .remote import Given, Remote, at_url, of_stack
from .stop import EXIT_CODES, FAILED, INTERRUPTED, SIGNALS, UNPROVEN, Failed, Misused, NotTried, Stop, undisturbed

RECEIPTS = Path("receipts")
EXAMPLES = """\
examples:
  python scripts/verify_persistence.py compose
  python scripts/verify_persistence.py docker
  python scripts/verify_persistence.py https://tasks.example.com --token-file token
  python scripts/verify_persistence.py stack aws --token-file token"""
HOLDS_IT = "Name a file that holds the token and nothing else."
TARGETS = (
    ("compose [FILE]", "a Compose file (default: this folder's) as a project of its own"),
    ("docker [IMAGE]", "docker run of an image (default: this folder's, built)"),
    ("URL", "an app that runs, with people's data in it: one item is added and deleted"),
    ("stack NAME", "the same of a Pulumi stack, which is deployed once more"),
)


def main(words: list[str]) -> int:
    """Runs one proof; gives its exit code. No traceback reaches a person."""
    options = _parser().parse_args(words)
    say = _silent if options.json or options.quiet else _said
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    record = Record(_without_keys(" ".join(options.target)), say)
    code = 0
    try:
        _prove(options, record, say)
        code = record.stop.exit_code if record.stop else 0
    except Stop as stop:
        record.stop, code = stop, stop.exit_code
    except KeyboardInterrupt:
        record.interrupted, code = True, INTERRUPTED
    except Exception as error:
        if os.environ.get("TASK_ASSIST_TRACEBACK"):
            raise
        record.stop = Failed(
            "fault",
            f"This is a fault of the script, and so nothing is known: {type(error).__name__}: {error}",
            "To see where, put in front of the command:  TASK_ASSIST_TRACEBACK=1",
        )
        code = FAILED
    with undisturbed():
        return _ended(record, options, code)


def _ended(record: Record, options: Namespace, code: int) -> int:
    """Keeps the receipt, if anything was begun or refused as not persistent, and says the last word."""
    receipt = record.receipt()
    try:
        kept = keep(receipt, options.receipts) if record.steps or code == FAILED else None
    except NotTried as stop:
        print(stop.message, stop.hint, sep="\n", file=sys.stderr)
        kept, code = None, code or FAILED
    if options.json:
        print(kept.json.read_text().rstrip() if kept else _as_json(receipt))
        return code
    _last_word(record, options, kept, code)
    return code


def _last_word(record: Record, options: Namespace, kept: Kept | None, code: int) -> None:
    if stop := record.stop:
        print(
            f"{'Not proven' if code == UNPROVEN else 'Failed' if code == 1 else 'Not tried'}: {stop.message}",
            file=sys.stderr,
        )
        if stop.hint:
            print(stop.hint, file=sys.stderr)
    elif record.interrupted:
        print("Interrupted." + ("" if record.left else " What was made for the proof is gone."), file=sys.stderr)
    elif not options.quiet and code == 0:
        print(
            f"Proven: {record.target} keeps its data. {record.canary['rows']} rows came through, and a backup of them."
        )
    if kept and not options.quiet:
        print(f"The receipt: {kept.page} and {kept.json.name}")


def _without_keys(target: str) -> str:
    """A user, a password and what follows a ? or a # are in no receipt."""
    return re.sub(r"//.*@", "//…@", re.split("[?#]", target)[0])


def _prove(options: Namespace, record: Record, say: object) -> None:
    kind, *rest = options.target
    if kind in ("compose", "docker"):
        place = _own(kind, rest, options)
        need_folder(options.receipts)
        _prove_own(place, record)
        return
    remote = _remote(kind, rest, options)
    need_folder(options.receipts)
    prove_remote.prove(remote, record, wait=options.wait * 60, say=say)


def _own(kind: str, rest: list[str], options: Namespace) -> Place:
    given = [name for name in ("token_file", "deploy", "exec", "store", "identity") if getattr(options, name)]
    if len(rest) > 1 or given:
        _refuse_odd(options, given)
    return Compose(Path(rest[0]) if rest else FILE) if kind == "compose" else DockerRun(rest[0] if rest else None)


def _prove_own(place: Place, record: Record) -> None:
    """Nothing of it is left, however it ends."""
    try:
        prove_own.prove(place, record)
    finally:
        with undisturbed():
            record.left = cleared(place)
        if record.left:
            print(f"Something of the proof is left: {', '.join(record.left)}. Remove it by hand.", file=sys.stderr)


def _remote(kind: str, rest: list[str], options: Namespace) -> Remote:
    if options.identity and not options.identity.is_file():
        raise Misused("no_key", f"There is no file {options.identity}.", "Name the one that age-keygen wrote.")
    given = Given(_token(options), options.deploy, options.exec, options.store, options.identity)
    if kind == "stack" and len(rest) == 1:
        return of_stack(rest[0], given)
    if rest or "://" not in kind:
        _refuse_odd(options, [])
    return at_url(kind, given)


def _refuse_odd(options: Namespace, given: list[str]) -> NoReturn:
    targets = ", ".join(target for target, _ in TARGETS)
    if given:
        raise Misused(
            "usage",
            f"--{given[0].replace('_', '-')} is for an app that runs, not for {options.target[0]}.",
            "Leave it out.",
        )
    typed = _without_keys(" ".join(options.target))
    raise Misused("usage", f"{typed} is no target. There is: {targets}.", EXAMPLES)


def _token(options: Namespace) -> str | None:
    """Raises Misused for what no header may have: http.client would print it in its refusal."""
    token = os.environ.pop("TASK_ASSIST_TOKEN", "").strip()  # no command that is typed here gets to see it
    where = options.token_file or "TASK_ASSIST_TOKEN"
    if options.token_file:
        try:
            token = Path(options.token_file).read_text(errors="replace").strip()
        except OSError as error:
            raise Misused("no_token", f"Can't read {where}: {error.strerror}.", HOLDS_IT) from None
    if not re.fullmatch("[!-~]*", token):
        raise Misused("no_token", f"{where} has more in it than a token.", HOLDS_IT)
    return token or None


def _parser() -> ArgumentParser:
    codes = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
    targets = "\n".join(f"  {target:<15} {what}" for target, what in TARGETS)
    parser = ArgumentParser(
        prog="verify_persistence.py",
        description=textwrap.fill(
            "Proves that what Task Assist keeps outlives the worst: writes a canary through the API, kills, "
            "rebuilds or deploys, looks for every row, restores a backup elsewhere, and keeps a receipt.",
            80,
        ),
        epilog=f"targets:\n{targets}\n\n{EXAMPLES}\n\nexit codes:\n{codes}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", nargs="+", metavar="TARGET")
    parser.add_argument(
        "--token-file", metavar="FILE", help="an API token with the scope write; else TASK_ASSIST_TOKEN"
    )
    parser.add_argument("--deploy", metavar="COMMAND", help="deploys the app anew; without it the proof of a URL waits")
    parser.add_argument(
        "--wait",
        type=float,
        default=30,
        metavar="MINUTES",
        help="for the deployment, and for a backup; default: 30",
    )
    parser.add_argument("--exec", metavar="COMMAND", help="types task-assist where the app runs")
    parser.add_argument("--store", metavar="URL", help="of the backups, for who has access to them here")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="the private key, where --store is encrypted")
    parser.add_argument("--receipts", type=Path, default=RECEIPTS, metavar="FOLDER", help="default: receipts")
    parser.add_argument("--quiet", action="store_true", help="say nothing but what goes wrong")
    parser.add_argument("--json", action="store_true", help="print the receipt as JSON")
    return parser


def _said(line: str) -> None:
    print(line, flush=True)


def _silent(_line: str) -> None:
    pass


def _as_json(receipt: dict) -> str:
    import json

    return json.dumps(receipt, indent=2)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """Once: what is cleared up then is not interrupted again."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
