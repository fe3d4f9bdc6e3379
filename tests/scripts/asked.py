"""The app in this process, asked as scripts/verify_persistence.py asks one over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from scripts.persistence.site import Site
from scripts.persistence.stop import Stop


class Asked(Site):
    """The app in this process, asked as over HTTP; `health_is` replaces what it says of itself."""

    def __init__(self, client: FlaskClient) -> None:
        super().__init__("http://localhost")
        self.client = client
        self.health_is: list[dict[str, Any]] = []

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if path == "/healthz" and self.health_is:
            return 200, self.health_is.pop(0) if len(self.health_is) > 1 else self.health_is[0]
        answer = self.client.open(path, method=method, json=body)
        return answer.status_code, answer.json


def reason(stop: pytest.ExceptionInfo[Stop]) -> str:
    return stop.value.code
