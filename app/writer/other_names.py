"""Says that the open database has got a second name: the next start will refuse it, as another app does now."""

import structlog

from app.storage.hard_links import HardLinked, refuse_hard_links
from app.storage.mounts import Storage

log = structlog.get_logger()


class OtherNames:
    """A hard link that is made now does no harm before the next start, so it is said once, and the app goes on."""

    def __init__(self, storage: Storage) -> None:
        self._storage, self._told = storage, False

    def look(self) -> None:
        try:
            refuse_hard_links(self._storage)
            self._told = False
        except HardLinked as linked:
            if not self._told:
                log.warning(f"The next start will refuse it: {linked}", problem=linked.code)
            self._told = True
