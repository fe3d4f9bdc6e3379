"""Keeps a receipt: JSON for programs, and a page beside it that can be handed on as it is."""

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .page import page
from .stop import NotTried


@dataclass(frozen=True)
class Kept:
    json: Path
    page: Path


def need_folder(folder: Path) -> None:
    """Raises NotTried where no receipt could be kept: told before a proof, and not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cant_keep(folder, error) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _cant_keep(folder, PermissionError(0, "Permission denied"))


def keep(receipt: dict[str, Any], folder: Path) -> Kept:
    """Both files or none, and never over another receipt. Raises NotTried where the folder can't be written."""
    text = json.dumps(receipt, indent=2, ensure_ascii=False) + "\n"
    kept: Kept | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = _claimed(folder, name_of(receipt))
        kept.json.write_text(text, encoding="utf-8")
        kept.page.write_text(page(receipt, kept.json.name, hashlib.sha256(text.encode()).hexdigest()), encoding="utf-8")
    except OSError as error:
        for half in (kept.json, kept.page) if kept else ():
            with suppress(OSError):
                half.unlink()
        raise _cant_keep(folder, error) from None
    return kept


def _claimed(folder: Path, name: str) -> Kept:
    """A name that no other receipt has: of two proofs that began in one second each keeps its own."""
    stem, number = name, 1
    while True:
        with suppress(FileExistsError):
            folder.joinpath(f"{stem}.json").touch(exist_ok=False)
            return Kept(folder / f"{stem}.json", folder / f"{stem}.html")
        number += 1
        stem = f"{name}-{number}"


def _cant_keep(folder: Path, error: OSError) -> NotTried:
    return NotTried(
        "receipts",
        f"Can't write the receipt to {folder}: {error.strerror}.",
        "Name another folder:  --receipts FOLDER",
    )


def name_of(receipt: dict[str, Any]) -> str:
    """By what was proven and when, such as compose-20261127T171500Z."""
    what = re.sub(r"[^a-z0-9]+", "-", receipt["target"].lower().split("://")[-1]).strip("-")[:40]
    return f"{what}-{re.sub('[-:]', '', receipt['began_at'].partition('+')[0])}Z"
