"""The version of the app: in pyproject.toml, `task-assist --version`, /healthz and each backup's manifest."""

__version__ = "0.1.0"
