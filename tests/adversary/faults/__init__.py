"""What can happen to an app, its files and its disk, each done while people work. `ALL` is the deck that is dealt."""

from tests.adversary.faults import copies, damage, disks, lease, lost_files, processes
from tests.adversary.faults.fault import Fault

ALL: tuple[Fault, ...] = (
    *processes.FAULTS,
    *disks.FAULTS,
    *lost_files.FAULTS,
    *damage.FAULTS,
    *lease.FAULTS,
    *copies.FAULTS,
)
