"""The stack's config, typed. Every fault at once, each with the command that mends it."""

import re
from dataclasses import asdict, dataclass
from typing import TypeVar

import pulumi

import cron
from contract import NAME, SHIPPED, STEM_LENGTH, stem
from kit.place import Place, Store
from kit.places import PLACES
from reader import DEFAULTS, ConfigError, Reader

T = TypeVar("T")
# handover: the new instance starts beside the old one, which hands the database over. recreate: the old stops first.
ROLLOUTS = ("handover", "recreate")
STACK_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
COUNT = re.compile(r"[0-9]{1,4}")
KEEP = ("last", "daily", "weekly", "monthly")
# The settings that not every place has: Place.defaults names those that it has.
OF_SOME_PLACES = (
    "machine",
    "network",
    "port",
    "logDays",
    "storageKeyIndex",
    "backupCopy",
    "backupStore",
    "backupCredentials",
    "billingAccount",
)
# The app's own (app/setting_values.py); a test holds the two together.
RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")
PRIVATE_KEYS = ("AGE-SECRET-KEY-", "PRIVATE KEY")
HOOK = "--secret https://hooks.example.org/task-assist"
WEBHOOK = re.compile(r"https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?([/?][!-~]*)?")
"""Without a user, a password or a blank, as the app takes it (app/setting_values.py)."""


@dataclass(frozen=True)
class Keep:
    """How many backups of each kind stay."""

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0

    def __str__(self) -> str:
        """As backupKeep has it, and the app's BACKUP_KEEP."""
        return " ".join(f"{kind}={count}" for kind, count in asdict(self).items() if count)


@dataclass(frozen=True)
class Schedule:
    """When backups are made. Providers' snapshots are daily: they take the first hour and minute of the cron line."""

    cron: str
    hour: int
    minute: int


@dataclass(frozen=True)
class StackConfig:
    """A config without faults.

    None where nothing is set: `image`, `domain`, `alert_email`, `monthly_budget` (US dollars). `backups` is None where
    they are off, `storage_gb` where the storage grows by itself. A setting that the place doesn't have is empty or 0.
    """

    cloud: str
    region: str
    image: str | None
    storage: str
    storage_gb: int | None
    instances: int
    machine: str
    network: str
    port: int
    backups: Schedule | None
    keep: Keep
    backup_copy: str
    backup_recipient: str
    backup_store: str
    backup_credentials: str
    notify_url: str
    alert_email: str | None
    monthly_budget: int | None
    billing_account: str
    log_days: int
    rollout: str
    storage_key_index: int
    domain: str | None
    admin_email: str


def read_config() -> StackConfig:
    """The stack's config. Raises ConfigError with every fault in it."""
    place = PLACES.get((pulumi.Config().get("cloud") or "").strip())
    reader = Reader(pulumi.get_project(), place.defaults if place else {})
    refuse_unknown(reader)
    refuse_long_stack_name(reader)
    cloud = reader.choice("cloud", tuple(PLACES))
    kind = storage(reader, place) if place else ""
    config = StackConfig(
        cloud=cloud,
        region=reader.of_provider(*place.region) if place and place.region else "",
        image=reader.text("image") or None,
        storage=kind,
        storage_gb=storage_gb(reader, place.storages.get(kind, Store()) if place else Store()),
        instances=reader.number("instances", 1, 20),
        machine=reader.text("machine"),
        network=reader.text("network"),
        port=number_or(reader, "port", 1, 65_535, 0),
        backups=schedule(reader),
        keep=keep(reader),
        backup_copy=reader.text("backupCopy"),
        backup_recipient=recipient(reader),
        backup_store=reader.text("backupStore"),
        backup_credentials=reader.text("backupCredentials"),
        notify_url=webhook(reader),
        alert_email=email(reader, "alertEmail", "you@example.org"),
        monthly_budget=number_or(reader, "monthlyBudget", 1, 1_000_000, None),
        billing_account=reader.text("billingAccount"),
        log_days=number_or(reader, "logDays", 1, 3653, 0),
        rollout=rollout(reader, place) if place else "",
        storage_key_index=number_or(reader, "storageKeyIndex", 1, 2, 0),
        domain=domain(reader),
        admin_email=email(reader, "adminEmail", DEFAULTS["adminEmail"]) or "",
    )
    refuse_what_cannot_be(reader, config)
    if place:
        refuse_what_the_place_lacks(reader, place)
        place.check(reader)
    refuse_faults(reader)
    return config


def refuse_faults(reader: Reader) -> None:
    """Raises ConfigError where the reader has found any."""
    if reader.faults:
        listed = "\n  ".join(dict.fromkeys(reader.faults))
        count = "one fault" if len(set(reader.faults)) == 1 else f"{len(set(reader.faults))} faults"
        raise ConfigError(f"The config of stack {pulumi.get_stack()} has {count}; nothing was changed.\n  {listed}")


def refuse_unknown(reader: Reader) -> None:
    """A misspelt key would be ignored in silence."""
    for full in sorted(pulumi.runtime.config.get_config_env() | pulumi.runtime.config.CONFIG.get()):
        namespace, _, key = full.partition(":")
        if namespace == reader.project and key not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            reader.faults.append(f"{key} is not a setting; there are {known}.\n    pulumi config rm {key}")


def refuse_long_stack_name(reader: Reader) -> None:
    """Names in the clouds are made from the stack's; the shortest limit among them counts."""
    name = pulumi.get_stack()
    fits = STACK_NAME.fullmatch(name) and len(stem()) <= STEM_LENGTH
    if name not in SHIPPED and not fits:
        most = STEM_LENGTH - len(f"{NAME}-")
        reader.faults.append(
            f"The stack's name is {name!r}: names in the cloud are made from it, so it must be at most {most} small"
            " letters, digits and hyphens.\n    pulumi stack rename prod"
        )


def refuse_what_the_place_lacks(reader: Reader, place: Place) -> None:
    """A setting that does nothing here would be ignored in silence."""
    for key in OF_SOME_PLACES:
        if key not in place.defaults and reader.config.get(key):
            reader.faults.append(f"{key} means nothing on {place.name}.\n    pulumi config rm {key}")


def storage(reader: Reader, place: Place) -> str:
    choices = tuple(place.storages)
    value = reader.text("storage") or choices[0]
    is_path = place.name == "docker" and value.startswith("/")
    if is_path and (not value.strip("/.") or ".." in value.split("/") or ":" in value):
        reader.fault("storage", value, "it must be a directory of its own on the Docker host.", "/srv/task-assist")
    if value in place.left_out:
        reader.faults.append(f"storage is {value!r}: {place.left_out[value]}")
    elif not is_path and value not in choices:
        also = " or an absolute path on the Docker host" if place.name == "docker" else ""
        reader.fault("storage", value, f"on {place.name} it must be {' or '.join(choices)}{also}.", choices[0])
    return value


def storage_gb(reader: Reader, store: Store) -> int | None:
    """The store's size in GiB, None where it grows by itself."""
    if reader.text("storageGb") and store.gb is None:
        reader.faults.append("storageGb means nothing here: this storage has no size.\n    pulumi config rm storageGb")
    if store.gb is None or not reader.text("storageGb"):
        return store.gb
    return reader.number("storageGb", store.least, store.most)


def rollout(reader: Reader, place: Place) -> str:
    """What is asked for; else a hand-over wherever there can be one."""
    value = reader.text("rollout")
    why_not = place.no_handover(reader) or unknown_lease(reader)
    if not value:
        return "recreate" if why_not else "handover"
    if value not in ROLLOUTS:
        reader.fault("rollout", value, f"it must be {' or '.join(ROLLOUTS)}.", "recreate")
    elif value == "handover" and why_not:
        reader.fault("rollout", value, f"{why_not}, so the old instance stops first.", "recreate")
    return value


def unknown_lease(reader: Reader) -> str | None:
    """Why a ready image gets no hand-over; None for the image built here."""
    if not reader.text("image"):
        return None
    return "a ready image may lack the lease that keeps two instances from writing; the image built here has it"


def schedule(reader: Reader) -> Schedule | None:
    line = " ".join(reader.text("backupSchedule").split())  # a VM's settings are a line each
    if line == "off":
        return None
    if why := cron.why_not(line):
        reader.fault("backupSchedule", line, why, DEFAULTS["backupSchedule"])
        return None
    return Schedule(line, hour=cron.first_number(line, cron.HOUR, 3), minute=cron.first_number(line, cron.MINUTE, 0))


def keep(reader: Reader) -> Keep:
    value = reader.text("backupKeep")
    pairs = [part.partition("=") for part in value.split()]
    counts = {name: int(count) for name, _, count in pairs if name in KEEP and COUNT.fullmatch(count)}
    if len(counts) != len(pairs) or not any(counts.values()):
        reader.fault(
            "backupKeep", value, f"it must be counts for {', '.join(KEEP)}, not all zero.", DEFAULTS["backupKeep"]
        )
    return Keep(**counts)


def recipient(reader: Reader) -> str:
    """Public keys with blanks between them, or nothing."""
    text = reader.text("backupRecipient")
    keys = text.replace(",", " ").split()
    if any(sign in text.upper() for sign in PRIVATE_KEYS):
        why = "that is a private key, which opens the backups. Make a new one, and set its public key."
        reader.fault("backupRecipient", "(hidden)", why, "age1…")
    elif not all(map(RECIPIENT.fullmatch, keys)):
        why = "it must be public keys of age, as `age-keygen -o key.txt` prints one."
        reader.fault("backupRecipient", " ".join(keys), why, "age1…")
    return " ".join(keys)


def webhook(reader: Reader) -> str:
    why = "it must be http:// or https:// and what follows, without a user, a password or a blank."
    return reader.matching("notifyUrl", WEBHOOK, why, HOOK, secret=True)


def number_or(reader: Reader, key: str, low: int, high: int, otherwise: T) -> int | T:
    """The number that is set, or what stands for none."""
    return reader.number(key, low, high) if reader.text(key) else otherwise


def email(reader: Reader, key: str, example: str) -> str | None:
    return reader.matching(key, EMAIL, "it must be an e-mail address.", example) or None


def domain(reader: Reader) -> str | None:
    why = "it must be a host name in small letters, without https://."
    return reader.matching("domain", DOMAIN, why, "tasks.example.org") or None


def refuse_what_cannot_be(reader: Reader, config: StackConfig) -> None:
    """What no place can do: a database or a count that this version doesn't have."""
    database = reader.text("database")
    if database != "sqlite":
        reader.fault("database", database, "the stacks make SQLite's alone, and no database server yet.", "sqlite")
    if config.instances > 1:
        reader.fault("instances", str(config.instances), "SQLite has one writer, so one instance.", "1")
    if config.monthly_budget and not reader.text("alertEmail"):
        why = "somebody has to be told when the month costs more than monthlyBudget."
        reader.fault("alertEmail", "", why, "you@example.org")
