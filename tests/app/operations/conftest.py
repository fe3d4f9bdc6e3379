"""What tests of the app's own jobs share."""

import pytest

from app.operations.backups.backup_health import BackupHealth
from app.operations.control.control_commands import listen


@pytest.fixture
def said_by_app(app, place):
    """What the running app knows, which the doctor asks for."""
    known = BackupHealth()
    app.instance.backups, app.instance.saw_backups = known.as_dict, known.saw
    control = listen(app.instance)
    assert control
    yield known
    control.close()
