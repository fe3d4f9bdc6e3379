"""Where version 0.1 had a resource whose parent has another name or type since."""

import pulumi


def urn(types: str, name: str) -> str:
    """The URN of a resource of version 0.1: its types from the outermost in, with "$" between them, and its name."""
    return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{types}::{name}"
