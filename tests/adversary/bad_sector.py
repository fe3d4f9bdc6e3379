"""A place of a file that can't be read, in all programs that are started with `environment` (bad_sector.c)."""

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("bad_sector.c")
NUMBERS = "QQ"


class BadSector:
    """Of one volume. Where there is no gcc, every place can be read."""

    def __init__(self, folder: Path) -> None:
        self._place, library = folder / "bad-sector", folder / "bad-sector.so"
        self.environment: dict[str, str] = {}
        if gcc := shutil.which("gcc"):
            self.heal()
            subprocess.run([gcc, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
            self.environment = {"LD_PRELOAD": str(library), "BAD_SECTOR": str(self._place)}

    def heal(self) -> None:
        self._write(0, 0)

    def spoil(self, file: Path, start: int) -> None:
        """The page of 4,096 bytes that begins there, from now on; 0 would be none."""
        self._write(file.stat().st_ino, start)

    def _write(self, inode: int, start: int) -> None:
        with self._place.open("r+b" if self._place.exists() else "wb") as place:  # the programs have it mapped
            place.write(struct.pack(NUMBERS, inode, start))
