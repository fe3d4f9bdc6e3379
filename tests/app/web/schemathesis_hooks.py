"""For the run of test_openapi.py: a password that could be right is right, so that tokens are made."""

import os
from typing import Any

import schemathesis
from schemathesis import HookContext

PASSWORD = os.environ["OWN_PASSWORD"]


@schemathesis.hook
def map_body(context: HookContext, body: Any) -> Any:
    operation = context.operation
    if operation and operation.path == "/api/v1/tokens" and isinstance(body, dict):
        typed = body.get("password")
        if isinstance(typed, str) and len(typed) <= 1000:
            body["password"] = PASSWORD
    return body
