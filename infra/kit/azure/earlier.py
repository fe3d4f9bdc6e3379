"""Where version 0.1 had a resource, for those that have another parent since. The rest says its old name itself."""

from kit.earlier import urn

HOSTING = "task-assist:azure:Hosting"
IDENTITY = "task-assist:azure:Identity"


def assignment(name: str) -> str:
    """The URN of a role assignment, which Azure would not let be made a second time beside the first."""
    return urn(f"{HOSTING}${IDENTITY}$azure-native:authorization:RoleAssignment", name)
