"""Task Assist: a small task app whose SQLite database survives every rebuild and redeploy."""

__version__ = "0.1.0"

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.settings import Settings


def create_app(settings: "Settings") -> "Flask":
    """The app on its open database, which is made or upgraded first. Raises CannotStart where data would be lost.

    The caller closes it: `app.extensions["database"].close()`.
    """
    # Imported here so that the command line answers --help without waiting for Flask and SQLAlchemy.
    import structlog
    from flask import Flask
    from flask_login import current_user

    from app import auth, errors, health, logs, migrations, security
    from app.account_pages import account_pages
    from app.api import api
    from app.api_accounts import account_api
    from app.context import today
    from app.db import Database
    from app.pages import pages
    from app.storage import guard, storage_under

    log = structlog.get_logger()
    storage = storage_under(settings.database_path, settings.database_storage)
    for warning in guard(storage, production=settings.app_env == "production"):
        log.warning(warning)
    database = Database(storage)
    if migrations.upgrade(database):
        log.info(f"Brought {storage.path} to schema {migrations.known_revisions()[-1]}.")

    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["settings"] = settings
    app.extensions["database"] = database
    logs.log_requests(app)
    security.init(app, settings, storage)
    auth.init(app)
    errors.init(app)
    for blueprint in (pages, account_pages, api, account_api, health.health):
        app.register_blueprint(blueprint)

    @app.context_processor
    def _on_every_page() -> dict:
        return {
            "person": current_user if current_user.is_authenticated else None,
            "sign_in_is_on": not settings.auth_disabled,
            "data_line": health.data_line(storage),
            "today": today(),
        }

    auth.prepare_first_account(app)
    return app
