"""Where version 0.1 had a resource, for whatever must not be made a second time beside the first."""

from kit.earlier import urn

IDENTITIES = {
    "vm": "task-assist:gcp:Vm",
    "front": "task-assist:gcp:Front",
    "app": "task-assist:gcp:CloudRun",
    "hand-over": "task-assist:gcp:Filestore",
    "backups": "task-assist:gcp:FilestoreBackups",
}


def account(who: str) -> list[str]:
    """A service account's URN, and none for those that are new since."""
    return of_identity(who, "gcp:serviceaccount/account:Account", who)


def grant(who: str, role: str) -> list[str]:
    """The URN of a role in the project. Made anew it would be gone: the old one's end takes the same grant away."""
    name = "backups" if who == "backups" else role.partition(".")[2]
    return of_identity(who, "gcp:projects/iAMMember:IAMMember", name)


def of_identity(who: str, type_: str, name: str) -> list[str]:
    return [urn(f"{IDENTITIES[who]}${type_}", name)] if who in IDENTITIES else []
