"""A volume that a test may break: an ext4 of its own in a file, mounted through a loop device. Needs root on Linux."""

import fcntl
import os
import shutil
import struct
import subprocess
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

MEGABYTES = 64
SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), of the kernel's fs/ext4/ext4.h."""
WITHOUT_JOURNAL = 2
"""EXT4_GOING_FLAGS_NOLOGFLUSH: what is not on the disk by now never gets there."""
TRIES = 100


class Disk:
    """Mounted at `folder` until `unmount()`."""

    def __init__(self, image: Path, folder: Path) -> None:
        self._image, self.folder = image, folder
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(MEGABYTES << 20)
        _run("mkfs.ext4", "-q", image)
        self.mount()

    def mount(self) -> None:
        _run("mount", "-o", "loop,noatime,errors=remount-ro", self._image, self.folder)

    def unmount(self) -> None:
        """The kernel needs a moment to let go of what a killed process had open."""
        for _ in range(TRIES):
            if not subprocess.run(["umount", self.folder], capture_output=True, check=False).returncode:
                return
            time.sleep(0.1)
        raise OSError(f"{self.folder} is still in use")

    def repair(self) -> None:
        """As an administrator does behind a fault: unmounted, checked, mounted again."""
        self.unmount()
        checked = subprocess.run(["e2fsck", "-fy", self._image], capture_output=True, text=True, check=False)
        if checked.returncode > 1:  # 1: faults were corrected
            raise OSError(f"e2fsck: {checked.stdout}{checked.stderr}")
        self.mount()

    # --- what can happen to it ----------------------------------------------------------------------------

    def fill(self) -> None:
        """Takes every byte that is left."""
        with (self.folder / "filler").open("ab") as file:
            for size in (1 << 20, 1 << 12):
                while _grows(file.fileno(), size):
                    pass

    def take_inodes(self) -> None:
        """Takes every inode that is left, and hardly a byte."""
        (self.folder / "inodes").mkdir(exist_ok=True)
        with suppress(OSError):
            for number in count():
                (self.folder / "inodes" / str(number)).touch()

    def free(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "inodes", ignore_errors=True)

    def cut_power(self) -> None:
        """What was not written to the disk by now is lost; nothing more can be read or written. `repair()` mends it."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_JOURNAL))
        finally:
            os.close(descriptor)

    def turn_read_only(self) -> None:
        """As ext4 does by itself when it meets a fault (errors=remount-ro). `repair()` mends it."""
        source = subprocess.run(["findmnt", "-no", "SOURCE", self.folder], capture_output=True, text=True, check=True)
        # Opened without buffers: the fault that is asked for is the answer to this very write.
        trigger = os.open(f"/sys/fs/ext4/{Path(source.stdout.strip()).name}/trigger_fs_error", os.O_WRONLY)
        try:
            os.write(trigger, b"1")
        finally:
            os.close(trigger)

    def remount(self, how: str) -> None:
        """`ro` or `rw`; for `ro` nothing may be open for writing."""
        _run("mount", "-o", f"remount,{how}", self.folder)


def _grows(descriptor: int, size: int) -> bool:
    try:
        os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, size)
    except OSError:
        return False
    return True


def _run(*command: str | Path) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise OSError(f"{' '.join(map(str, command))}: {ended.stderr.strip()}")
