"""The OpenAPI document: it lists every route, and says what is so."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from pydantic import SecretStr

from app import create_app
from app.domain import tokens
from app.domain.models import User
from app.domain.passwords import hashed
from app.domain.schemas import NewToken
from app.settings import load
from tests.app.conftest import EMAIL, PASSWORD
from tests.app.processes import Serving, wait_until_ready
from tests.ports import free_port

ROOT = str(Path(__file__).parents[3])
CONFIG = Path(__file__).with_name("schemathesis.toml")
FAR = 2**40
NOBODY_IS_SLOWED = "from app.web import throttle; throttle.FREE = dict.fromkeys(throttle.FREE, 10**9)"


@pytest.fixture
def document(client) -> dict:
    return client.get("/api/v1/openapi.json").json


def test_the_documented_routes_are_the_real_ones(app: Flask, document: dict):
    documented = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    real = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/api/", "/healthz", "/readyz"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert documented == real
    assert ("PATCH", "/api/v1/work-items/{id}") in real


def test_every_operation_says_what_it_is_for_and_what_it_answers(document: dict):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"].endswith((".", "?")), f"{method} {path}"
            assert any(status.startswith("2") for status in operation["responses"]), f"{method} {path}"


def test_the_document_points_to_nothing_that_is_missing(document: dict):
    pointed = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert pointed == pointed & set(document["components"]["schemas"])
    assert {"WorkItemOut", "TaskOut", "ErrorOut"} <= pointed


def test_what_anybody_may_ask_for_needs_no_token_and_all_else_does(document: dict):
    open_to_all = {
        path for path, methods in document["paths"].items() for each in methods.values() if each.get("security") == []
    }
    assert open_to_all == {"/healthz", "/readyz", "/api/v1/openapi.json"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert ("401" in operation["responses"]) == (path not in open_to_all), f"{method} {path}"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """The port of the app with sign-in, and an admin's token whose ids no input finds by chance."""
    database = tmp_path / "a.db"
    app = create_app(load({"DATABASE_PATH": str(database), "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD}))
    password = hashed(SecretStr(PASSWORD))
    with app.instance.database.write() as session:
        session.add(User(id=FAR, email="far@example.com", password_hash=password, role="admin"))
        session.flush()
        row, token = tokens.add_token(session, FAR, NewToken(name="program", scope="admin"), proven=password)
        row.id = FAR
    app.instance.stop()
    port = free_port()
    with Serving(tmp_path, port, before=NOBODY_IS_SLOWED, AUTH_DISABLED="false", LOG_LEVEL="error") as process:
        wait_until_ready(port, process)
        yield port, token
        process.terminate()


def test_the_document_says_what_is_so(served: tuple[int, str], tmp_path: Path):
    """Every operation in all of schemathesis' phases: examples, each bound of each input, random inputs that fit and
    that don't, and one operation after the other. With all of its checks, and none left out."""
    port, token = served
    tool = Path(sys.executable).with_name("schemathesis")
    command = [tool, "--config-file", CONFIG, "run", f"http://127.0.0.1:{port}/api/v1/openapi.json", "--no-color"]
    header = ["--header", f"Authorization: Bearer {token}"]
    bounds = ["--checks", "all", "--generation-deterministic", "--max-examples", "10", "--continue-on-failure"]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.app.web.schemathesis_hooks", "OWN_PASSWORD": PASSWORD, "PYTHONPATH": ROOT}
    done = subprocess.run(
        [*command, *header, *bounds], cwd=tmp_path, env=os.environ | hooks, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = done.stdout[done.stdout.index("Test Phases:") :]
    assert [line.split()[:2] for line in summary.splitlines()[1:5]] == [
        ["✅", phase] for phase in ("Examples", "Coverage", "Fuzzing", "Stateful")
    ], summary
