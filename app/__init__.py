"""Task Assist: a small task app whose SQLite database survives every rebuild and redeploy."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.database.engine import Database
    from app.settings import Settings
    from app.web.context import WebApp


def create_app(
    settings: "Settings", *, requests_handover: bool = True, on_lease_lost: Callable[[], None] = lambda: None
) -> "WebApp":
    """The app on its database, which is made or upgraded first, or standing by where another instance has it.

    `requests_handover` and `on_lease_lost` are for app/writer/instance.py. Raises CannotStart where data would be lost.
    The caller ends it: `app.instance.stop()`.
    """
    # Imported here so that the command line answers --help without waiting for Flask and SQLAlchemy.
    import structlog

    from app.backup.others import name_filled_others
    from app.backup.rescue import keep_what_is_open
    from app.backup.upgrade import upgrade
    from app.domain.upkeep import every_hour
    from app.errors import ReadOnly
    from app.storage.guard import guard
    from app.storage.mounts import storage_once_mounted
    from app.storage.privacy import open_to_others
    from app.web import auth, error_pages, every_page, request_log, security, sign_in, static_files
    from app.web.context import WebApp
    from app.web.routes import BLUEPRINTS
    from app.writer.instance import Instance

    log = structlog.get_logger()
    production = settings.app_env == "production"
    storage = storage_once_mounted(settings.database_path, settings.database_storage, production=production)
    try:
        keeps_secret = settings.secret_key is None
        warnings = guard(storage, production=production, keeps_secret=keeps_secret)
        for warning in (*warnings, *open_to_others(storage, keeps_secret=keeps_secret)):
            log.warning(warning)
    except ReadOnly:
        if not storage.mount.turned_read_only:
            raise
        # The instance stands by and says so: to end and be started again and again would mend nothing.

    def prepare(database: "Database") -> None:
        upgrade(database)
        name_filled_others(database)
        sign_in.prepare_first_account(app, database)

    instance = Instance(
        storage,
        prepare,
        keep=keep_what_is_open,
        every_hour=every_hour,
        requests_handover=requests_handover,
        on_lease_lost=on_lease_lost,
    )
    app = WebApp(settings, instance)
    request_log.init(app)
    security.init(app, settings, instance)
    auth.init(app)
    error_pages.init(app)
    static_files.init(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    every_page.init(app)

    instance.start()
    return app
