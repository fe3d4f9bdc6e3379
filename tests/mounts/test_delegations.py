"""A client or a process that dies must not leave something behind for which the file server makes others wait.

The kernel's NFS server lists what it has delegated (app/delegation.py), so nothing needs to die there. What SMB keeps
for a process that was killed while it opened a file is seen only by who waits for it (app/lease_folder.py).
"""

import json
import re

import pytest

from app.lease import FENCE
from tests.mounts.guests import Lab

OPENED_PLAINLY = "open(file).close()"
IN_THE_LEASE = """
from app.lease_folder import Folder
folder = Folder(file.parent)
folder.create("made")
folder.rewrite("made", b"held")
folder.read("made"), folder.read(file.name)
"""
BY_PLAIN_SQLITE = """
from app.sqlite import sqlite_driver, sqlite_uri
from app.storage import storage_under
sqlite_driver().connect(sqlite_uri(storage_under(file)), uri=True).execute("PRAGMA user_version").fetchone()
"""
BY_THE_APP = """
import os
from contextlib import ExitStack
from app.db import Database
from app.sqlite import APPLICATION_ID
from app.storage import storage_under
database = Database(storage_under(file))
with database.write() as session:
    session.connection().exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    session.connection().exec_driver_sql("CREATE TABLE some (thing)")
with ExitStack() as several:
    for _ in range(3):
        several.enter_context(database.read()).connection().exec_driver_sql("SELECT * FROM some").all()
    os._exit(0)  # closing would remove the -wal
"""


def delegated(lab: Lab, folder: str, done: str) -> set[str]:
    """The files that are delegated to c1 after it did that to `file`, which c2 has made in `folder`."""
    path = f"/mnt/nfs41/{folder}"
    lab.c2.run(f"mkdir -p {path} && touch {path}/file")
    lab.c1.run(f"python3 - <<'END'\nfrom pathlib import Path\nfile = Path('{path}/file')\n{done}\nEND")
    states = lab.srv.run("cat /proc/fs/nfsd/clients/*/states").splitlines()
    return {name for line in states if "type: deleg" in line for name in re.findall(rf'"{folder}/(.+)"', line)}


@pytest.mark.parametrize("done", [OPENED_PLAINLY, BY_PLAIN_SQLITE])
def test_the_server_delegates_what_is_opened_in_the_usual_way(lab: Lab, done: str):
    folder = f"usual-{len(done)}"
    assert delegated(lab, folder, done) == {"file"}


def test_nothing_of_the_lease_is_delegated(lab: Lab):
    assert delegated(lab, "lease", IN_THE_LEASE) == set()


def test_nothing_of_the_database_is_delegated(lab: Lab):
    assert delegated(lab, "database", BY_THE_APP) == set()


LOOKED_AT_AND_KILLED = """
import os, random, signal, time
from app.lease_folder import Folder
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
from app.lease_folder import Folder
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
    assert max(took) < FENCE
