"""The OpenAPI document: it lists every route, and nothing that fits or doesn't fit it makes the app fail."""

import re
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
EVERY_ONE: Any = list(HealthCheck)


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


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_input_makes_an_error_of_ours(app: Flask, client, mode: GenerationMode):
    """Every operation, with inputs that fit the document and inputs that don't."""
    item = client.post("/api/v1/work-items", json={"title": "so that id 1 is there"}).json["id"]
    client.post(f"/api/v1/work-items/{item}/tasks", json={"title": "and this task"})
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    asked = set()
    for found in schema.get_all_operations():
        operation = found.ok()  # pyright: ignore[reportAttributeAccessIssue]
        try:
            inputs = operation.as_strategy(generation_mode=mode)

            @settings(max_examples=20, deadline=None, database=None, derandomize=True, suppress_health_check=EVERY_ONE)
            @given(inputs)
            def ask(case):
                case.call_and_validate(checks=CHECKS)
                asked.add(case.operation.label)

            ask()
        except Unsatisfiable:
            continue  # An operation without inputs has none that don't fit.
    assert len(asked) > 15
