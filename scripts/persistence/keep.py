"""Keeps a receipt: JSON for programs, and a page beside it that can be handed on as it is."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .page import page
from .stop import NotTried


@dataclass(frozen=True)
class Kept:
    json: Path
    page: Path


def keep(receipt: dict[str, Any], folder: Path) -> Kept:
    """Raises NotTried where the folder can't be written."""
    text = json.dumps(receipt, indent=2, ensure_ascii=False) + "\n"
    stem = folder / name_of(receipt)
    kept = Kept(stem.with_suffix(".json"), stem.with_suffix(".html"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept.json.write_text(text, encoding="utf-8")
        kept.page.write_text(page(receipt, kept.json.name, hashlib.sha256(text.encode()).hexdigest()), encoding="utf-8")
    except OSError as error:
        raise NotTried(
            "receipts",
            f"Can't write the receipt to {folder}: {error.strerror}.",
            "Name another folder:  --receipts FOLDER",
        ) from None
    return kept


def name_of(receipt: dict[str, Any]) -> str:
    """By what was proven and when, such as compose-20261127T171500Z."""
    what = re.sub(r"[^a-z0-9]+", "-", receipt["target"].lower().split("://")[-1]).strip("-")[:40]
    return f"{what}-{re.sub('[-:]', '', receipt['began_at'].partition('+')[0])}Z"
