"""A start imports what each start needs, and nothing that only some requests do."""

import subprocess
import sys

LATER = ("spectree", "alembic.op", "sqlalchemy.dialects.postgresql")
"""The OpenAPI document's, a sign-in's, a migration's: each takes a twentieth to a third of the time of a start."""


def test_what_takes_long_is_imported_when_it_is_needed():
    code = "import sys, app.web.routes, app.web.context, app.operations.serving.bridge; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(LATER) & set(done.stdout.split()) == set()
