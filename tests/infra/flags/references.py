"""What each tool's own reference says of a command: its flags, and the version that says it."""

import importlib.util
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# The tools whose help is one page.
ONE_PAGE = ("blkid", "curl", "mkfs.ext4", "resize2fs", "systemctl", "wget")
# A flag with its short form, and the kind of its value, as docker's and pulumi's helps print them.
HELP_LINE = re.compile(r"^ +(?:(-\w), )? *(--[\w-]+)(?: (\S+))?(?:\s|$)", re.MULTILINE)
# The same in the helps of one page: --retry <num>, --output-document=FILE.
VALUE_LINE = re.compile(r"^ +(?:(-\w), +)?(--[\w-]+)(?:=| <)", re.MULTILINE)


@dataclass(frozen=True)
class Reference:
    """The whole command, such as `gcloud filestore backups list`, its flags, and the tool with its version."""

    command: str
    flags: tuple[str, ...]
    source: str


class NotHere(Exception):
    """The tool is not on this machine, so its reference can't be read."""


def reference(words: tuple[str, ...], typed: tuple[str, ...], python: Path) -> Reference:
    """The reference of the command that these words begin with. Raises LookupError if there is none, or NotHere.

    `typed` are all lines that will be asked for; `python` has awscli and azure-cli installed.
    """
    if words[0] in ("aws", "az"):
        known = clouds(words[0], tuple(line for line in typed if line.startswith(f"{words[0]} ")), python)
        command = longest(words, known["commands"])
        return Reference(command, tuple(known["commands"][command]), known["source"])
    if words[0] == "gcloud":
        return gcloud(words)
    if shutil.which(words[0]) is None:
        raise NotHere(words[0])
    return one_page(words[0]) if words[0] in ONE_PAGE else pages(words)


def longest(words: tuple[str, ...], commands: dict[str, Any]) -> str:
    starts = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
    found = next((start for start in starts if start in commands), None)
    if found is None:
        raise LookupError(f"There is no command {' '.join(words)}")
    return found


@cache
def clouds(tool: str, typed: tuple[str, ...], python: Path) -> Any:
    """The commands of aws or az that the lines begin with, from the tool itself."""
    command = [python, HERE / f"{tool}_reference.py", *typed]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


@cache
def gcloud_tree() -> tuple[Any, str]:
    """The tree that gcloud completes from, and its version."""
    installed = shutil.which("gcloud")
    if installed is None:
        raise NotHere("gcloud")
    root = Path(installed).resolve().parents[1]
    spec = importlib.util.spec_from_file_location("completions", root / "data/cli/gcloud_completions.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.STATIC_COMPLETION_CLI_TREE, (root / "VERSION").read_text().strip()


def gcloud(words: tuple[str, ...]) -> Reference:
    tree, version = gcloud_tree()
    node, path = tree, ["gcloud"]
    for word in words[1:]:
        if word not in node["commands"]:
            break
        node = node["commands"][word]
        path.append(word)
    if node["commands"]:
        raise LookupError(f"There is no command {' '.join(words)}")
    # Every switch can be turned off too.
    own = {
        *node["flags"],
        *tree["flags"],
        *(f"--no-{flag[2:]}" for flag, kind in node["flags"].items() if kind == "bool"),
    }
    return Reference(" ".join(path), tuple(sorted(own)), f"gcloud {version}")


@cache
def help_of(*words: str) -> str:
    answer = subprocess.run(words, capture_output=True, text=True, check=False)
    return answer.stdout + answer.stderr


def one_page(tool: str) -> Reference:
    text = help_of(tool, "--help", "all") if tool == "curl" else help_of(tool, "--help")
    flags = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", text))
    # Usages gather short ones: [-jnqv].
    for several in re.findall(r"\[-([A-Za-z]{2,})\]", text):
        flags |= {f"-{letter}" for letter in several}
    flags |= {f"{flag}=" for line in VALUE_LINE.findall(text) for flag in line if flag}
    version = re.search(r"\d+\.\d+(\.\d+)?", help_of(tool, "-V" if tool in ("blkid", "mkfs.ext4") else "--version"))
    return Reference(tool, tuple(sorted(flags)), f"{tool} --help, {version[0] if version else '?'}")


def pages(words: tuple[str, ...]) -> Reference:
    """docker and pulumi, whose helps list the commands below."""
    path = [words[0]]
    for word in words[1:]:
        text = help_of(*path, "--help")
        # An old name of a command is not listed, and has a help of its own.
        if word not in below(text) and (not below(text) or help_of(*path, word, "--help") == text):
            break
        path.append(word)
    text = help_of(*path, "--help")
    if below(text) and len(path) == 1:
        raise LookupError(f"There is no command {' '.join(words)}")
    lines = HELP_LINE.findall(text)
    flags = [f"{flag}{'=' if kind else ''}" for short, long, kind in lines for flag in (short, long) if flag]
    version = re.search(r"\d+\.\d+\.\d+", help_of(words[0], "version"))
    return Reference(" ".join(path), tuple(sorted(set(flags))), f"{words[0]} --help, {version[0] if version else '?'}")


def below(text: str) -> set[str]:
    """The commands that a help lists."""
    sections = re.findall(r"^(?:[A-Z][\w ]* )?Commands:?\n((?: .*\n|\n(?= ))*)", text, re.MULTILINE | re.IGNORECASE)
    return {name for section in sections for name in re.findall(r"^ +([a-z][\w-]*)\*? ", section, re.MULTILINE)}
