"""A client or a process that dies must not leave something behind for which the file server makes others wait.

The kernel's NFS server lists what it has delegated (app/storage/delegations.py), so nothing needs to die there. What
SMB keeps for a process that was killed while it opened a file is seen only by who waits for it
(app/writer/lease_files.py).
"""

import json
import re

import pytest

from app.writer.lease import WRITE_DEADLINE
from tests.mounts.guests import Lab
from tests.mounts.instances import AS_IN_A_CONTAINER, Instance, Load

OPENED_PLAINLY = "open(file).close()"
IN_THE_LEASE = """
from app.writer.lease_files import Folder
folder = Folder(file.parent)
folder.create("made")
folder.rewrite("made", b"held")
folder.read("made"), folder.read(file.name)
"""
BY_PLAIN_SQLITE = """
from app.database.sqlite import sqlite_driver, sqlite_uri
from app.storage.mounts import storage_under
connection = sqlite_driver().connect(sqlite_uri(storage_under(file)), uri=True)
connection.execute("PRAGMA journal_mode = wal").fetchone()
connection.execute("CREATE TABLE some (thing)")
os._exit(0)  # closing would remove the -wal
"""
BY_THE_APP = """
from app.database.engine import Database
from app.database.sqlite import APPLICATION_ID
from app.storage.mounts import storage_under
database = Database(storage_under(file))
with database.write() as session:
    session.connection().exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    session.connection().exec_driver_sql("CREATE TABLE some (thing)")
database.open_all()
"""
BY_ITS_SNAPSHOT = f"""
{BY_THE_APP}
from contextlib import nullcontext, suppress
from app.backup.copies.snapshot import snapshot
from app.errors import Problem
with suppress(Problem):  # this app's database would have more in it
    snapshot(storage_under(file), Path("/tmp/snapshot.db"), force=True, held=nullcontext(database))
"""


def delegated(lab: Lab, folder: str, done: str) -> set[str]:
    """The files that are delegated to c1 after it did that to `file`, which c2 has made in `folder`."""
    path = f"/mnt/nfs41/{folder}"
    lab.c2.run(f"mkdir -p {path} && touch {path}/file && chown -R 1000:1000 {path}")
    code = f"import os\nfrom pathlib import Path\nfile = Path('{path}/file')\n{done}\nos._exit(0)\n"
    lab.c1.run(f"{AS_IN_A_CONTAINER} python3 - <<'END'\n{code}\nEND")
    return {name for _, name in listed(lab.srv.run(LIST), folder)}


LIST = "cat /proc/fs/nfsd/clients/*/states"


def listed(states: str, folder: str) -> list[tuple[str, str]]:
    """Lines and names of the server's list of delegations in that folder."""
    found = [(line, re.findall(rf'"{folder}/(.+)"', line)) for line in states.splitlines() if "type: deleg" in line]
    return [(line, names[0]) for line, names in found if names]


@pytest.mark.parametrize(("done", "files"), [(OPENED_PLAINLY, {"file"}), (BY_PLAIN_SQLITE, {"file", "file-wal"})])
def test_the_server_delegates_what_is_opened_in_the_usual_way(lab: Lab, done: str, files: set[str]):
    folder = f"usual-{len(done)}"
    assert delegated(lab, folder, done) == files


@pytest.mark.parametrize("done", [IN_THE_LEASE, BY_THE_APP, BY_ITS_SNAPSHOT], ids=["lease", "database", "snapshot"])
def test_the_app_keeps_no_delegation(lab: Lab, done: str):
    assert delegated(lab, f"kept-{len(done)}", done) == set()


def test_not_even_for_a_moment_once_it_is_ready(lab: Lab):
    """A client that was cut off in such a moment was followed after 92 s."""
    with Instance(lab.c1, "nfs41", "busy") as instance:
        instance.wait_until_ready()
        looking = lab.srv.begin(f"while sleep 0.02; do {LIST}; done")
        summary = Load.on(lab.c1, instance.port, 5, threads=16).summary()
        looking.kill()
        instance.stop()
    assert summary["acknowledged"] > 0
    assert [line for line, name in listed(looking.output, "busy-nfs41") if name.startswith("task_manager.db")] == []


LOOKED_AT_AND_KILLED = """
import os, random, signal, time
from app.writer.lease_files import Folder
folder, end = Folder(file.parent), time.monotonic() + SECONDS
def begin_to_look():
    process = os.fork()
    while process == 0:
        folder.list(), folder.read("held")
    return process
while time.monotonic() < end:
    looking = [begin_to_look() for _ in range(5)]
    time.sleep(0.2 + 0.3 * random.random())
    for process in looking:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
"""
RENEWED = """
import json, time
from app.writer.lease_files import Folder
folder, took, end = Folder(file.parent), [], time.monotonic() + SECONDS
while time.monotonic() < end:
    began = time.monotonic()
    folder.rewrite("held", b"held")
    folder.list()
    took.append(time.monotonic() - began)
    time.sleep(0.2)
print(json.dumps(took))
"""
LOOKS_SECONDS = 30


@pytest.mark.parametrize("mount", ["cifs", "cifs_nobrl"])
def test_a_standby_that_is_killed_while_it_looks_does_not_stop_the_holder(lab: Lab, mount: str):
    path = f"/mnt/{mount}/looked-at-{mount}"
    lab.c1.run(f"mkdir {path} && touch {path}/held")

    def python(code: str) -> str:
        code = code.replace("SECONDS", str(LOOKS_SECONDS))
        return f"python3 - <<'END'\nfrom pathlib import Path\nfile = Path('{path}/held')\n{code}\nEND"

    looking = lab.c2.begin(python(LOOKED_AT_AND_KILLED))
    took = json.loads(lab.c1.run(python(RENEWED), LOOKS_SECONDS + 120))
    assert looking.wait(120) == 0, looking.output
    assert len(took) > LOOKS_SECONDS
    assert max(took) < WRITE_DEADLINE
