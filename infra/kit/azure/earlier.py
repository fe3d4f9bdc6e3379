"""Where version 0.1 had a resource, for those that have another parent since. The rest says its old name itself."""

import pulumi

HOSTING = "task-assist:azure:Hosting"
IDENTITY = "task-assist:azure:Identity"


def urn(types: str, name: str) -> str:
    """The URN of a resource of version 0.1: its types from the outermost in, with "$" between them, and its name."""
    return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{types}::{name}"


def assignment(name: str) -> str:
    """The URN of a role assignment, which Azure would not let be made a second time beside the first."""
    return urn(f"{HOSTING}${IDENTITY}$azure-native:authorization:RoleAssignment", name)
