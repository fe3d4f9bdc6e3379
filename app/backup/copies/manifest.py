"""The proof that travels with a backup: a JSON file beside it, NAME.manifest.json."""

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from app.database.contents import Contents
from app.errors import AS_ANOTHER, Mismatch


class Manifest(BaseModel):
    """What was true of the file when it was written. A hash, because SQLite's own checks miss most flipped bits."""

    model_config = ConfigDict(frozen=True, strict=True)

    format: Literal[1] = 1
    created_at: AwareDatetime
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=0)
    rows: dict[str, int]
    revision: str
    app_version: str
    sqlite_version: str

    def refuse_other_bytes(self, file: Path, size: int, sha256: str) -> None:
        """Raises Mismatch if the file is not byte for byte the one that was backed up."""
        if size != self.size_bytes:
            raise _mismatch(file, f"it has {size:,} bytes, the backup had {self.size_bytes:,}")
        if sha256 != self.sha256:
            raise _mismatch(file, f"its sha256 is {sha256[:12]}…, the backup's was {self.sha256[:12]}…")

    def refuse_other_contents(self, file: Path, contents: Contents) -> None:
        """Raises Mismatch if the manifest itself was changed: the bytes are right, what it says of them is not."""
        if contents.revision != self.revision:
            raise _mismatch(file, f"its schema is {contents.revision}, not {self.revision}")
        for table in sorted(contents.rows.keys() | self.rows.keys()):
            found, said = contents.rows.get(table), self.rows.get(table)
            if found != said:
                raise _mismatch(file, f"{table} has {found} rows, not {said}")


def path_for(file: Path) -> Path:
    return file.with_name(file.name + ".manifest.json")


def read(file: Path) -> Manifest | None:
    """The manifest beside `file`, None without one. Raises Mismatch if it can't be understood."""
    path = path_for(file)
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Mismatch(f"Can't read {path}: {error.strerror}.", AS_ANOTHER) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Mismatch(
            f"{path} is not a manifest that this version understands: {where}: {first['msg']}.",
            "Take another backup. To use the file as an unproven one, move its manifest away.",
        ) from None


def _mismatch(file: Path, how: str) -> Mismatch:
    return Mismatch(
        f"{file} is not what its manifest says: {how}.",
        "It was damaged or changed after the backup. Take another backup.",
    )
