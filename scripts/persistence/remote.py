"""An app that runs already, with people's data in it: at a URL, or where a stack put it."""

import json
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .site import LOCAL_HOSTS, Site
from .stop import Failed, Misused, NotTried

CONTAINERS = "docker"
"""The `cloud` whose app is a container that can be asked with docker exec."""
STDERR = 2
NEW_CONTAINER = "urn:pulumi:{stack}::task-assist::**::hosting-container"


@dataclass
class Remote:
    """`deploy` is the command that deploys, None where the proof waits for the operator's own.

    `shell` types task-assist where the app runs; empty where nobody can.
    `store` is the address of its backups, for who has access to it here.
    """

    target: str
    site: Site
    deploy: str | None
    shell: list[str] = field(default_factory=list)
    store: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def at_url(url: str, token: str | None, deploy: str | None, shell: str | None, store: str | None) -> Remote:
    """Raises Misused where the token would be sent in the clear."""
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname or address.username or address.query:
        raise Misused("no_url", f"{url} is not the address of an app.", "For example:  https://tasks.example.com")
    if token and address.scheme == "http" and address.hostname not in LOCAL_HOSTS:
        raise Misused(
            "clear_text", f"{url} is not encrypted, so everybody on the way would read the token.", "Use https://"
        )
    return Remote(url, Site(url, token), deploy, shlex.split(shell or ""), store)


def of_stack(name: str, token: str | None, deploy: str | None, shell: str | None, store: str | None) -> Remote:
    """By the outputs of the stack. Its deployment is `pulumi up`, on a Docker host with a new container in any case."""
    outputs, config = (_pulumi(what, name) for what in (["stack", "output"], ["config"]))
    url = outputs.get("url")
    if not url:
        raise NotTried("no_stack", f"The stack {name} has no url: it was never deployed.", f"pulumi up --stack {name}")
    remote = at_url(url, token, deploy or deployment_of(name, config), shell, store or outputs.get("backup_url"))
    remote.target, remote.facts = f"stack {name}", {key: outputs[key] for key in ("storage", "image") if key in outputs}
    if cloud_of(config) == CONTAINERS and not remote.shell:
        remote.shell = ["docker", "exec", container_of(name), "task-assist"]
    return remote


def deployment_of(stack: str, config: dict[str, Any]) -> str:
    words = ["pulumi", "up", "--yes", "--non-interactive", "--stack", stack]
    if cloud_of(config) == CONTAINERS:
        words += ["--replace", NEW_CONTAINER.format(stack=stack)]
    return shlex.join(words)


def cloud_of(config: dict[str, Any]) -> str:
    return next((value.get("value", "") for key, value in config.items() if key.endswith(":cloud")), "")


def container_of(stack: str) -> str:
    """As infra/contract.py names it."""
    return "task-assist" if stack == "docker" else f"task-assist-{stack}"


def run_deployment(command: str) -> None:
    """What it prints is shown as it comes, beside what a program reads. Raises Failed where it fails."""
    done = subprocess.run(command, shell=True, check=False, stdout=STDERR)  # noqa: S602  # the operator's own line
    if done.returncode:
        raise Failed("deployment_failed", f"The deployment ended with {done.returncode}: {command}", "Mend that first.")


def _pulumi(words: list[str], stack: str) -> dict[str, Any]:
    if not shutil.which("pulumi"):
        raise NotTried("no_pulumi", "There is no pulumi command here.", "docs/DEPLOYMENT.md says how to get it.")
    command = ["pulumi", *words, "--json", "--non-interactive", "--stack", stack]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise NotTried(
            "no_stack", f"The stack {stack} can't be read: {' '.join(said)}", "To see those there are:  pulumi stack ls"
        )
    return json.loads(done.stdout)
