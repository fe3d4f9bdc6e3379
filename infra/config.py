"""The stack's config, typed. Every fault at once, each with the command that mends it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pulumi

from infra.reader import DEFAULTS, ConfigError, Reader

# The first is the default. `docker` also takes an absolute path on the host.
STORAGES: Mapping[str, tuple[str, ...]] = {
    "azure": ("smb", "nfs"),
    "aws": ("efs",),
    "gcp": ("disk", "filestore"),
    "docker": ("volume",),
}
# Where Cloud Run maps domains without a load balancer: cloud.google.com/run/docs/mapping-custom-domains, 2026-11.
DOMAIN_MAPPING_REGIONS = frozenset(
    [
        "asia-east1",
        "asia-northeast1",
        "asia-southeast1",
        "europe-north1",
        "europe-west1",
        "europe-west4",
        "us-central1",
        "us-east1",
        "us-east4",
        "us-west1",
    ]
)
# handover: the new instance starts beside the old one, which hands the database over. recreate: the old stops first.
ROLLOUTS = ("handover", "recreate")
DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")
DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
CRON_FIELD = re.compile(r"(\*|\d+(-\d+)?(,\d+(-\d+)?)*)(/[1-9]\d*)?")
CRON_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
KEEP = ("last", "daily", "weekly", "monthly")


@dataclass(frozen=True)
class Keep:
    """How many backups of each kind stay."""

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0


@dataclass(frozen=True)
class Schedule:
    """When backups are made. Providers' snapshots are daily: they take the first hour and minute of the cron line."""

    cron: str
    hour: int
    minute: int


@dataclass(frozen=True)
class StackConfig:
    """A config without faults. `image` and `domain` are None where nothing is set, `backups` where they are off."""

    cloud: str
    image: str | None
    storage: str
    instances: int
    backups: Schedule | None
    keep: Keep
    rollout: str
    storage_key_index: int
    domain: str | None
    admin_email: str


def read_config() -> StackConfig:
    """The stack's config. Raises ConfigError with every fault in it."""
    reader = Reader(pulumi.get_project())
    refuse_unknown(reader)
    cloud = reader.choice("cloud", tuple(STORAGES))
    config = StackConfig(
        cloud=cloud,
        image=reader.text("image") or None,
        storage=storage(reader, cloud),
        instances=reader.number("instances", 1, 20),
        backups=schedule(reader),
        keep=keep(reader),
        rollout=rollout(reader, cloud),
        storage_key_index=reader.number("storageKeyIndex", 1, 2),
        domain=reader.matching(
            "domain", DOMAIN, "it must be a host name in small letters, without https://.", "tasks.example.org"
        )
        or None,
        admin_email=reader.matching("adminEmail", EMAIL, "it must be an e-mail address.", DEFAULTS["adminEmail"]),
    )
    refuse_what_cannot_be(reader, config)
    PLACES.get(cloud, lambda _reader, _config: None)(reader, config)
    if reader.faults:
        count = "one fault" if len(reader.faults) == 1 else f"{len(reader.faults)} faults"
        listed = "\n  ".join(reader.faults)
        raise ConfigError(f"The config of stack {pulumi.get_stack()} has {count}; nothing was changed.\n  {listed}")
    return config


def refuse_unknown(reader: Reader) -> None:
    """A misspelt key would be ignored in silence."""
    for full in sorted(pulumi.runtime.config.get_config_env() | pulumi.runtime.config.CONFIG.get()):
        namespace, _, key = full.partition(":")
        if namespace == reader.project and key not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            reader.faults.append(f"{key} is not a setting; there are {known}.\n    pulumi config rm {key}")


def storage(reader: Reader, cloud: str) -> str:
    if cloud not in STORAGES:
        return ""
    choices = STORAGES[cloud]
    value = reader.text("storage") or choices[0]
    is_path = cloud == "docker" and value.startswith("/")
    if is_path and (value == "/" or ".." in value.split("/") or ":" in value):
        reader.fault("storage", value, "it must be a directory of its own on the Docker host.", "/srv/task-assist")
    if not is_path and value not in choices:
        also = " or an absolute path on the Docker host" if cloud == "docker" else ""
        reader.fault("storage", value, f"on {cloud} it must be {' or '.join(choices)}{also}.", choices[0])
    return value


def rollout(reader: Reader, cloud: str) -> str:
    """What is asked for; else a hand-over wherever there can be one."""
    value = reader.text("rollout")
    why_not = no_handover(reader, cloud)
    if not value:
        return "recreate" if why_not else "handover"
    if value not in ROLLOUTS:
        reader.fault("rollout", value, f"it must be {' or '.join(ROLLOUTS)}.", "recreate")
    elif value == "handover" and why_not:
        reader.fault("rollout", value, f"{why_not}, so the old instance stops first.", "recreate")
    return value


def no_handover(reader: Reader, cloud: str) -> str | None:
    """Why two instances can't be alive at once for the moment of a hand-over; None where they can."""
    if cloud == "docker":
        return "on a Docker host the name and the port are one container's only"
    if cloud == "gcp" and reader.text("storage") != "filestore":
        return "a disk can be written in one VM at a time"
    if reader.text("image"):
        return "a ready image may lack the lease that keeps two instances from writing; the image built here has it"
    return None


def schedule(reader: Reader) -> Schedule | None:
    cron = reader.text("backupSchedule")
    if cron == "off":
        return None
    fields = cron.split()
    if len(fields) != len(CRON_LIMITS) or not all(map(cron_field, fields, CRON_LIMITS)):
        reader.fault(
            "backupSchedule",
            cron,
            "it must be five cron fields (minute hour day month weekday) or off.",
            DEFAULTS["backupSchedule"],
        )
        return None
    return Schedule(cron, hour=first_number(fields[1], 3), minute=first_number(fields[0], 0))


def cron_field(field: str, limits: tuple[int, int]) -> bool:
    low, high = limits
    numbers = [int(number) for number in re.findall(r"\d+", field.partition("/")[0])]
    return bool(CRON_FIELD.fullmatch(field)) and all(low <= number <= high for number in numbers)


def first_number(field: str, otherwise: int) -> int:
    found = re.match(r"\d+", field)
    return int(found.group()) if found else otherwise


def keep(reader: Reader) -> Keep:
    value = reader.text("backupKeep")
    pairs = [part.partition("=") for part in value.split()]
    counts = {name: int(count) for name, _, count in pairs if name in KEEP and count.isascii() and count.isdigit()}
    if len(counts) != len(pairs) or not any(counts.values()):
        reader.fault(
            "backupKeep", value, f"it must be counts for {', '.join(KEEP)}, not all zero.", DEFAULTS["backupKeep"]
        )
    return Keep(**counts)


def refuse_what_cannot_be(reader: Reader, config: StackConfig) -> None:
    """What no place can do: a database or a count that this version doesn't have."""
    database = reader.choice("database", ("sqlite", "postgres"))
    if database == "postgres":
        reader.fault("database", database, "the stacks can't make a PostgreSQL server yet.", "sqlite")
    if config.instances > 1:
        reader.fault("instances", str(config.instances), "SQLite has one writer, so one instance.", "1")


def check_docker(reader: Reader, config: StackConfig) -> None:
    host = pulumi.Config("docker").get("host")
    if host and not re.match(r"(ssh|unix|tcp|npipe)://", host):
        reader.fault("docker:host", host, "it must start with ssh://, unix:// or tcp://.", "ssh://you@host.example.org")
    if config.image and re.search(r"\s", config.image):
        reader.fault("image", config.image, "it must be an image's name, digest or ID.", "task-assist")


def check_azure(reader: Reader, config: StackConfig) -> None:
    reader.provider("azure-native:location", "Azure needs a region.", "westeurope", "ARM_LOCATION")
    pinned_image(reader, config)


def check_aws(reader: Reader, config: StackConfig) -> None:
    reader.provider("aws:region", "AWS needs a region.", "eu-central-1", "AWS_REGION", "AWS_DEFAULT_REGION")
    pinned_image(reader, config)


def check_gcp(reader: Reader, config: StackConfig) -> None:
    project = ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
    reader.provider("gcp:project", "Google Cloud needs the project to bill.", "my-project", *project)
    for key in ("region", "zone"):
        example = {"region": "europe-west1", "zone": "europe-west1-b"}[key]
        if not pulumi.Config("gcp").get(key):
            reader.fault(f"gcp:{key}", "", f"Google Cloud needs a {key}.", example)
    region, zone = pulumi.Config("gcp").get("region") or "", pulumi.Config("gcp").get("zone") or ""
    if region and zone and not zone.startswith(f"{region}-"):
        reader.fault("gcp:zone", zone, f"it must lie in the region {region}.", f"{region}-b")
    if config.storage == "filestore" and config.domain and region and region not in DOMAIN_MAPPING_REGIONS:
        why = f"Cloud Run maps domains only in {', '.join(sorted(DOMAIN_MAPPING_REGIONS))}."
        reader.fault("gcp:region", region, why, "europe-west1")
    if (
        config.image
        and config.storage == "disk"
        and not config.domain
        and not config.image.startswith(f"{region}-docker.pkg.dev/")
    ):
        why = f"without a domain the VM has no public address and pulls only from Artifact Registry in {region}."
        reader.fault("image", config.image, why, f"{region}-docker.pkg.dev/PROJECT/REPOSITORY/task-assist@sha256:…")
    else:
        pinned_image(reader, config)


def pinned_image(reader: Reader, config: StackConfig) -> None:
    """A tag can move under a running service; only a digest says what runs."""
    if config.image and not DIGEST.fullmatch(config.image):
        why = "a cloud needs the digest too; `docker buildx imagetools inspect` shows it."
        reader.fault("image", config.image, why, f"{config.image.partition('@')[0].strip() or 'task-assist'}@sha256:…")


PLACES: Mapping[str, Callable[[Reader, StackConfig], None]] = {
    "azure": check_azure,
    "aws": check_aws,
    "gcp": check_gcp,
    "docker": check_docker,
}
