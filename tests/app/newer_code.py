"""The app with one revision more than it has, which makes the tables anew that others hang on."""

import shutil
from pathlib import Path

from app.database import migrations

REVISION = """
from alembic import op

revision, down_revision = "{revision}", "{before}"


def upgrade():
    for name in ("work_items", "tasks"):
        with op.batch_alter_table(name) as table:
            table.alter_column("title", nullable=True)
"""


def next_revision(known: int) -> str:
    """The file that an app with this many revisions does not know yet."""
    return REVISION.format(revision=f"{known + 1:04}", before=f"{known:04}")


def newer_code(folder: Path) -> str:
    """Python that makes the app know the revisions in `folder`, which gets the app's and, each time, one more."""
    if not folder.exists():
        shutil.copytree(Path(migrations.__file__).parent, folder)
    known = len(list((folder / "versions").glob("[0-9]*.py")))
    (folder / f"versions/{known + 1:04}_newer.py").write_text(next_revision(known))
    return f"from pathlib import Path\nfrom app.database import migrations\nmigrations.FOLDER = Path({str(folder)!r})"
