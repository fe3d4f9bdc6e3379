"""A world in which instances share a lease and a database, and in which everything that can be late is late.

Each instance is two greenlets, one that writes and one that renews. Both stop before and after everything they ask of
the file system, and go on only when the test says so: a request that is on its way for a minute, a suspended host and a
dead one all look like this. Clocks start anywhere and run at different speeds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from greenlet import GreenletExit, greenlet

from app.errors import Standby
from app.writer import lease
from app.writer.lease import Lease, Lost


class Violation(Exception):
    """What must never happen."""


@dataclass
class File:
    """A generation of the database. `opened_by` is the last one that opened it."""

    rows: list[str] = field(default_factory=list)
    opened_by: "Instance | None" = None


class World:
    def __init__(self) -> None:
        self.time = 1000.0
        self.records: dict[str, bytes] = {}
        self.database = File()
        self.acknowledged: list[str] = []
        self.instances: list[Instance] = []
        self.takeovers = 0

    def start(self, speed: float, offset: float) -> "Instance":
        instance = Instance(self, f"i{len(self.instances)}", speed, offset)
        self.instances.append(instance)
        return instance

    def run(self, seconds: float, instances: "list[Instance]", tick: float = 0.5) -> None:
        """Time goes by, and these instances do what they like to do."""
        for _ in range(int(seconds / tick)):
            self.time += tick
            for instance in instances:
                for _ in range(40):
                    if not instance.step():
                        break

    def check(self) -> None:
        missing = set(self.acknowledged) - set(self.database.rows)
        if missing:
            raise Violation(f"acknowledged and lost: {sorted(missing)}")

    def end(self) -> None:
        for instance in self.instances:
            instance.crash()


class Instance:
    def __init__(self, world: World, name: str, speed: float, offset: float) -> None:
        self.world, self.name, self.speed, self.offset = world, name, speed, offset
        self.lease = Lease(_Names(self), clock=_Clock(self), owner=name)
        setattr(self.lease, "_writing", _Mutex(self))  # noqa: B010
        self.file: File | None = None
        self.rows = 0
        self.told_to_release = self.over = False
        self._wake: dict[greenlet, Callable[[], bool]] = {}
        self._parts = [greenlet(self._write_for_ever), greenlet(self._renew_for_ever)]

    # --- what the scheduler sees --------------------------------------------------------------------------

    def step(self) -> bool:
        """Lets each part go on to its next stop. False where both only wait."""
        wrote, renewed = self.step_one(0), self.step_one(1)
        return wrote or renewed

    def step_one(self, part: int) -> bool:
        running = self._parts[part]
        if running.dead or not self._wake.get(running, _now)():
            return False
        running.switch()
        return True

    def crash(self) -> None:
        self.over = True
        for part in self._parts:
            part.throw(GreenletExit)

    # --- what its parts do ----------------------------------------------------------------------------------

    def pause(self, until: Callable[[], bool] | None = None) -> None:
        current = greenlet.getcurrent()
        self._wake[current] = until or _now
        main = current.parent
        assert main
        main.switch()

    def now(self) -> float:
        return self.offset + self.world.time * self.speed

    def sleep(self, seconds: float) -> None:
        until = self.now() + seconds
        self.pause(lambda: self.now() >= until)

    def _write_for_ever(self) -> None:
        while not self.over:
            acquired = self.lease.acquire(self.lease.observe())
            if acquired is None:
                self.sleep(0.25)
                continue
            try:
                self._open(forced=acquired.forced)
                while not self.told_to_release:
                    self._write()
                    self.sleep(0.3)
                self._release()
            except Standby:
                # As the app does: the process ends, and its successor comes back as a standby under another name.
                self.file, self.lease._term = None, None
            self.told_to_release = False

    def _open(self, *, forced: bool) -> None:
        if forced:
            self.world.takeovers += 1
            copy = File(list(self.world.database.rows))
            self.pause()
            self._check_fence()
            self.world.database = copy
        self.pause()
        self._check_fence()
        self.file = self.world.database
        self.file.opened_by = self

    def _write(self) -> None:
        assert self.file
        self._check_fence()
        self.pause()
        row = f"{self.name}-{self.rows}"
        self.rows += 1
        if self.file.opened_by is not self:
            raise Violation(f"{self.name} wrote into a file that another one has opened since")
        self.file.rows.append(row)
        self.pause()
        self._check_fence()
        self.world.acknowledged.append(row)
        self.world.check()

    def _release(self) -> None:
        self._check_fence()
        self.file = None
        self.lease.release()

    def _check_fence(self) -> None:
        if not self.lease.holds():
            raise Standby("")

    def _renew_for_ever(self) -> None:
        while not self.over:
            self.sleep(lease.RENEW_EVERY)
            try:
                self.lease.renew()
            except Lost:
                self.pause()


def _now() -> bool:
    return True


@dataclass
class _Clock:
    instance: Instance

    def now(self) -> float:
        return self.instance.now()

    def sleep(self, seconds: float) -> None:
        self.instance.sleep(seconds)


class _Mutex:
    """A lock between the greenlets of one instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance, self._held = instance, False

    def __enter__(self) -> None:
        while self._held:
            self._instance.pause(lambda: not self._held)
        self._held = True

    def __exit__(self, *_: object) -> None:
        self._held = False


@dataclass
class _Names:
    """The shared folder as one instance reaches it: every request and every answer may take as long as it likes."""

    instance: Instance
    kept: str = ""
    """The record that it keeps open: when it is removed, what is written there is gone without an error."""

    def _late(self, effect: Callable):
        self.instance.pause()
        result = effect(self.instance.world.records)
        self.instance.pause()
        return result

    def make(self) -> None:
        self._late(lambda records: None)

    def list(self) -> list[str]:
        return self._late(list)

    def create(self, name: str, room_of: str | None = None) -> bool:
        return self._late(lambda records: name not in records and records.setdefault(name, b"") == b"")

    def rewrite(self, name: str, content: bytes) -> None:
        def effect(records: dict[str, bytes]) -> bool:
            if name in records:
                records[name] = content
                self.kept = name
            return name == self.kept

        if not self._late(effect):
            raise FileNotFoundError(name)

    def read(self, name: str) -> bytes:
        return self._late(lambda records: records.get(name, b""))

    def remove(self, name: str) -> None:
        self._late(lambda records: records.pop(name, None))

    def close(self) -> None:
        self.kept = ""
