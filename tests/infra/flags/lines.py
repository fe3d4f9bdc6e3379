"""The commands in shell lines: of the documents, of the page for the drawer, and of the stacks' scripts."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.backup.restoring.recovery_commands import for_once, in_cloud
from app.backup.stores.provider_commands import provider_commands
from app.setting_values import store_url
from tests.infra.plans import CONFIGS, plan
from tests.infra.recording import ROOT

TOOLS = ("aws", "az", "blkid", "curl", "docker", "gcloud", "mkfs.ext4", "pulumi", "resize2fs", "systemctl", "wget")
# What may stand in front of a command.
PREFIXES = {"sudo", "exec", "if", "then", "else", "while", "until", "do", "!", "{", "time", "nice", "&&", "||"}
FENCE = re.compile(r"^ *```([^\n]*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
SHELLS = ("", "sh", "bash", "shell", "console")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
COMMENT = re.compile(r"(^|\s)#[^\n]*")
EXEC = re.compile(r"^Exec\w+=[-@+!]*", re.MULTILINE)
SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
TOOL = re.compile(rf"(^|[\s/(=-])({'|'.join(map(re.escape, TOOLS))})\s")


@dataclass(frozen=True)
class Command:
    """One call of a tool: its words with the flags, and where it stands."""

    words: tuple[str, ...]
    where: str


def commands(text: str, where: str) -> Iterator[Command]:
    """Every call of a tool in a shell text. Raises ValueError for a quotation that doesn't end."""
    text = EXEC.sub("", text.replace("\\\n", " "))
    while found := SUBSTITUTION.search(text):
        yield from commands(found[1], where)
        text = text[: found.start()] + "SUBSTITUTED" + text[found.end() :]
    lexer = shlex.shlex(COMMENT.sub("", text), posix=True, punctuation_chars=";|&()<>\n")
    lexer.whitespace, lexer.commenters = " \t\r", ""
    lexer.whitespace_split = True
    words: list[str] = []
    for token in [*lexer, "\n"]:
        if set(token) <= set(";|&()<>\n"):
            yield from called(words, where)
            words = []
        else:
            words.append(token)


def called(words: list[str], where: str) -> Iterator[Command]:
    """The call in one simple command, if it is of a tool."""
    while words and (words[0] in PREFIXES or re.match(r"[A-Za-z_]+=", words[0])):
        words = words[1:]
    if words and words[0].rpartition("/")[2] in TOOLS:
        yield Command((words[0].rpartition("/")[2], *words[1:]), where)


def in_documents() -> Iterator[Command]:
    for file in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]):
        text, where = file.read_text(), str(file.relative_to(ROOT))
        for language, block in FENCE.findall(text):
            if language in SHELLS:
                yield from in_block(block, where)
        for span in INLINE.findall(FENCE.sub("", text)):
            if span.startswith(tuple(f"{tool} " for tool in TOOLS)):
                yield from commands(span, where)


def in_block(block: str, where: str) -> list[Command]:
    try:
        return list(commands(block, where))
    except ValueError:
        # It also shows what a command says: then the lines that name a tool.
        lines = block.replace("\\\n", " ").splitlines()
        return [command for line in lines if TOOL.search(line) for command in commands(line, where)]


def in_key_kit() -> Iterator[Command]:
    """Those of the page for the drawer, and of `doctor` and `backup status`, for each kind of store."""
    for url in map(store_url, ("az://backups/a", "s3://a-bucket/a", "gs://a-bucket/a")):
        tool = provider_commands(url)
        lines = [*tool.listing(), *tool.fetching(), tool.removing("NAME"), *for_once(url)]
        for encrypted in (False, True):
            lines += in_cloud(url, encrypted=encrypted)
        yield from commands("\n".join(lines), f"the page for the drawer, {url.scheme}:")


def in_plans() -> Iterator[Command]:
    for name in CONFIGS:
        for resource in plan(name).resources:
            for text in texts(resource.plain):
                if TOOL.search(text):
                    yield from commands(text, f"{resource.type} {resource.name}")


def texts(value: Any) -> Iterator[str]:
    """Every text in a resource's inputs, documents opened, and lists of words as the command that they are."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        if value and value[0] in TOOLS:
            yield shlex.join(value)
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        try:
            yield from texts(json.loads(value.removeprefix("#cloud-config\n")))
        except json.JSONDecodeError:
            yield value
