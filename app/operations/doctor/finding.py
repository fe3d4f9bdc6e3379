"""One finding of the doctor's."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "note", "fault"]


@dataclass(frozen=True)
class Finding:
    """`value` is for programs, `text` for people. A note is worth knowing, a fault must be mended: `fix` says how."""

    name: str
    level: Level
    text: str
    value: Any = None
    fix: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
