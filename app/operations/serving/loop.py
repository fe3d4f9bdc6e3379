"""asyncio's event loop, which threads wake once for all that they have for it.

asyncio's own is written a byte to at each `call_soon_threadsafe()`, also while it is awake: for each request one by the
server and one by the thread that answers it, and all are read again.
"""

import asyncio

from granian import loops
from granian.constants import Loops


class Loop(asyncio.SelectorEventLoop):
    _is_woken = False
    """A byte is on its way to the loop, or it has not gone on since it took one."""

    def _write_to_self(self) -> None:
        if not self._is_woken:
            self._is_woken = True
            super()._write_to_self()  # pyright: ignore[reportAttributeAccessIssue]

    def _read_from_self(self) -> None:
        """The mark goes last: a thread that has seen it has put its call where the loop looks before it sleeps again.

        Would it go first, a thread could set it again while its byte is taken away with the others.
        """
        super()._read_from_self()  # pyright: ignore[reportAttributeAccessIssue]
        self._is_woken = False


def loop_of_server() -> Loops:
    """The name by which the server makes a Loop from now on."""
    loops.register(Loops.asyncio)(_made)
    return Loops.asyncio


def _made() -> Loop:
    loop = Loop()
    asyncio.set_event_loop(loop)
    return loop
