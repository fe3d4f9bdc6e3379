"""The contract between a host and the container, the same on every place.

The container finds a persistent mount at /app/data, the host sets DATABASE_PATH to a file under it, and the app
listens on port 8000. Every place builds its container from these names, and tests and policies hold it to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from costs import Cost, estimate

NAME = "task-assist"
# The stacks whose Pulumi.<name>.yaml is committed. Each is alone in its cloud, so its names need no addition.
SHIPPED = ("azure", "aws", "gcp", "docker")
# Google's account ids take 30 characters, and the longest word behind the stem is "-hand-over".
STEM_LENGTH = 20
MOUNT_PATH = "/app/data"
DATABASE_PATH = f"{MOUNT_PATH}/task_manager.db"
PORT = 8000
# The image's user. Access points, exports and disks are handed to it, because it can't take them itself.
UID = GID = 1000
HEALTH_PATH = "/healthz"
# For places that look from inside the container: with the first that the image has. Ours has the first, which takes a
# tenth of the processor's time that a start of Python does.
HEALTH_COMMAND = (
    f'bash -c \'exec 3<>/dev/tcp/127.0.0.1/{PORT} && printf "GET {HEALTH_PATH} HTTP/1.0\\r\\n\\r\\n" >&3 '
    '&& read -r _ status _ <&3 && [ "$status" = 200 ]\' '
    f"|| curl -fsS http://127.0.0.1:{PORT}{HEALTH_PATH} || wget -qO- http://127.0.0.1:{PORT}{HEALTH_PATH} "
    f"|| python3 -c \"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}{HEALTH_PATH}', timeout=4)\""
)
# Seconds from SIGTERM to SIGKILL: running requests get 8, then the database is folded together and closed.
STOP_SECONDS = 60
PASSWORD_VARIABLE = "ADMIN_PASSWORD"  # noqa: S105  # a variable's name, not a password
TAGS = {"app": NAME, "managed-by": "pulumi"}


def environment(public_url: pulumi.Input[str], proxies: int, admin_email: str) -> dict[str, pulumi.Input[str]]:
    """The container's plain settings. `proxies` counts the hops in front that add to X-Forwarded-For.

    The admin's password is not among them: each place hands it over through its secret store, as PASSWORD_VARIABLE or
    as the file that PASSWORD_VARIABLE with _FILE behind it names.
    """
    return {
        "DATABASE_PATH": DATABASE_PATH,
        "PUBLIC_URL": public_url,
        "TRUSTED_PROXIES": str(proxies),
        "ADMIN_EMAIL": admin_email,
    }


def stem() -> str:
    """What the stack's names in a cloud begin with, so that two stacks in one account share none."""
    stack = pulumi.get_stack()
    return NAME if stack in SHIPPED else f"{NAME}-{stack}"


@dataclass(frozen=True)
class App:
    """What the container gets, on every place.

    `plain` are its settings; `secrets` the values that each place hands over by way of its own secret store, by the
    setting's name. `mount` is where the store appears, None for an app whose data is elsewhere.
    """

    plain: Mapping[str, pulumi.Input[str]]
    secrets: Mapping[str, pulumi.Output[str]]
    mount: str | None = MOUNT_PATH
    instances: int = 1


@dataclass(frozen=True)
class Kept:
    """Something `pulumi destroy` leaves behind, and what it costs or how it ends."""

    what: pulumi.Input[str]
    fate: str


@dataclass(frozen=True)
class Site:
    """What a place hands back: the outputs that docs, tests and operators rest on."""

    url: pulumi.Input[str]
    storage: pulumi.Input[str]
    image: pulumi.Input[str]
    backup_url: pulumi.Input[str]
    admin_password: pulumi.Output[str]
    costs: list[Cost]
    priced_in: str
    kept: list[Kept]
    notes: list[pulumi.Input[str]] = field(default_factory=lambda: [])


def outputs(site: Site) -> Mapping[str, pulumi.Input[object]]:
    """The stack's outputs by name, the same on every place."""
    return {
        "url": site.url,
        "health_url": pulumi.Output.concat(site.url, HEALTH_PATH),
        "mount_path": MOUNT_PATH,
        "database_path": DATABASE_PATH,
        "storage": site.storage,
        "image": site.image,
        "backup_url": site.backup_url,
        "admin_password": pulumi.Output.secret(site.admin_password),
        "monthly_cost_estimate": estimate(site.costs, site.priced_in),
        "kept_on_destroy": [pulumi.Output.concat(kept.what, ": ", kept.fate) for kept in site.kept],
    }
