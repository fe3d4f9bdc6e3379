"""Flask's app with all that its requests pass: who asks, what may be asked, what is logged, and every route."""

from app.settings import Settings
from app.web import auth, error_pages, request_log, security, static_files, template_context
from app.web.context import WebApp
from app.web.routes import BLUEPRINTS
from app.writer.instance import Instance


def make_web_app(settings: Settings, instance: Instance) -> WebApp:
    """Raises CannotStart where the secret of its sessions can't be kept."""
    app = WebApp(settings, instance)
    request_log.init(app)
    security.init(app, settings, instance)
    auth.init(app)
    error_pages.init(app)
    static_files.init(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    template_context.init(app)
    return app
