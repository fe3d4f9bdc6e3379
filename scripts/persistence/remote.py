"""An app that runs already, with people's data in it: at a URL, or where a stack put it."""

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from .runs_as import runs_as
from .site import LOCAL_HOSTS, Site
from .stop import Failed, Misused, NotTried

STDERR = 2


@dataclass
class Remote:
    """`deploy` is the command that deploys, None where the proof waits for the operator's own. `anew` deploys the same
    version once more where that has changed nothing; None where nobody knows how.

    `shell` types task-assist where the app runs; empty where nobody can.
    `store` is the address of its backups, for who has access to it here, `identity` the private key that opens them.
    """

    target: str
    site: Site
    deploy: str | None = None
    anew: str | None = None
    shell: list[str] = field(default_factory=list)
    store: str | None = None
    identity: Path | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """What the operator gave with the target; None for what was left out."""

    token: str | None = None
    deploy: str | None = None
    shell: str | None = None
    store: str | None = None
    identity: Path | None = None


def at_url(url: str, given: Given) -> Remote:
    """Raises Misused where the token would be sent in the clear. What is no address is not told: it may hold a key."""
    address = _address(url)
    if address is None:
        raise Misused("no_url", "That is not the address of an app.", "For example:  https://tasks.example.com")
    if given.token and address.scheme == "http" and address.hostname not in LOCAL_HOSTS:
        raise Misused(
            "clear_text", f"{url} is not encrypted, so everybody on the way would read the token.", "Use https://"
        )
    shell = _words(given.shell or "")
    return Remote(url, Site(url, given.token), given.deploy, None, shell, given.store, given.identity)


def _words(typed: str) -> list[str]:
    """Of --exec, told before anything is deployed. Raises Misused for what can't be typed; it shows none of it."""
    try:
        words = shlex.split(typed)
    except ValueError:
        raise Misused("usage", "A quotation mark in --exec is never closed.", "Close it.") from None
    if words and not shutil.which(words[0]):
        raise Misused("usage", "--exec does not begin with a command of this machine.", "For example:  docker exec")
    return words


def _address(url: str) -> SplitResult | None:
    """None for what is none, or has a user, a password or more behind its path: urlsplit finds some of it only."""
    if not re.fullmatch(r"[!-~]+", url) or set(url) & set("@?#"):
        return None
    try:
        address = urlsplit(url)
        return address if address.scheme in ("http", "https") and address.hostname and address.port != 0 else None
    except ValueError:
        return None


def of_stack(name: str, given: Given) -> Remote:
    """By its outputs and state. Its deployment is `pulumi up`, and where that has nothing to do, the same anew."""
    outputs = _pulumi(["stack", "output", "--json"], name)
    url = outputs.get("url")
    if not url:
        raise NotTried("no_stack", f"The stack {name} has no url: it was never deployed.", f"pulumi up --stack {name}")
    remote = at_url(url, given)
    remote.target, remote.facts = f"stack {name}", {key: outputs[key] for key in ("storage", "image") if key in outputs}
    remote.deploy = given.deploy or shlex.join(up(name))
    runs = runs_as(_pulumi(["stack", "export"], name), up(name))
    remote.anew, remote.shell = runs.anew, remote.shell or runs.shell
    # A folder is one inside of the container, and not of this machine.
    store = outputs.get("backup_url") or ""
    remote.store = given.store or (None if store.startswith("file:") else store or None)
    return remote


def up(stack: str) -> list[str]:
    return ["pulumi", "up", "--yes", "--non-interactive", "--stack", stack]


def run_deployment(command: str) -> None:
    """What it prints is shown as it comes, beside what a program reads. Raises Failed where it fails.

    The command is in no message: a deploy hook's address is a secret.
    """
    done = subprocess.run(command, shell=True, check=False, stdout=STDERR)  # noqa: S602  # the operator's own line
    if done.returncode:
        raise Failed("deployment_failed", f"The command that deploys ended with {done.returncode}.", "Mend that first.")


def _pulumi(words: list[str], stack: str) -> dict[str, Any]:
    if not shutil.which("pulumi"):
        raise NotTried("no_pulumi", "There is no pulumi command here.", "docs/DEPLOYMENT.md says how to get it.")
    command = ["pulumi", *words, "--non-interactive", "--stack", stack]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise NotTried(
            "no_stack", f"The stack {stack} can't be read: {' '.join(said)}", "To see those there are:  pulumi stack ls"
        )
    return json.loads(done.stdout)
