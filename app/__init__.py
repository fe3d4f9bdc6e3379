"""Task Assist: a small task app whose SQLite database survives every rebuild and redeploy."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.database.engine import Database
    from app.settings import Settings
    from app.storage.mounts import Storage
    from app.web.context import WebApp


def create_app(
    settings: "Settings", *, requests_handover: bool = True, on_lease_lost: Callable[[], None] = lambda: None
) -> "WebApp":
    """The app on its database, which is made or upgraded first, or standing by where another instance has it.

    `requests_handover` and `on_lease_lost` are for app/writer/instance.py. Raises CannotStart where data would be lost.
    The caller ends it: `app.instance.stop()`.
    """
    # Imported here so that the command line answers --help without waiting for Flask and SQLAlchemy.
    from app.backup.copies.other_databases import warn_of_other_databases
    from app.backup.copies.rescue import copy_open_database
    from app.backup.copies.upgrade import upgrade
    from app.domain.upkeep import every_hour
    from app.web.factory import make_web_app
    from app.web.sign_in import prepare_first_account
    from app.writer.instance import Instance

    def prepare(database: "Database") -> None:
        upgrade(database)
        warn_of_other_databases(database)
        prepare_first_account(app, database)

    instance = Instance(
        _guarded_storage(settings),
        prepare,
        keep=copy_open_database,
        every_hour=every_hour,
        requests_handover=requests_handover,
        on_lease_lost=on_lease_lost,
    )
    app = make_web_app(settings, instance)
    instance.start()
    return app


def _guarded_storage(settings: "Settings") -> "Storage":
    """Where the data lies. Raises CannotStart where it would be lost there; what only may go wrong is logged."""
    import structlog

    from app.errors import ReadOnly
    from app.storage.guard import guard
    from app.storage.mounts import storage_once_mounted
    from app.storage.privacy import open_to_others

    production, keeps_secret = settings.app_env == "production", settings.secret_key is None
    storage = storage_once_mounted(settings.database_path, settings.database_storage, production=production)
    try:
        warnings = guard(storage, production=production, keeps_secret=keeps_secret)
        for warning in (*warnings, *open_to_others(storage, keeps_secret=keeps_secret)):
            structlog.get_logger().warning(warning)
    except ReadOnly:
        if not storage.mount.turned_read_only:
            raise
        # The instance stands by and says so: to end and be started again and again would mend nothing.
    return storage
