"""What the value of a setting may be, where pydantic's own types don't say it: each function gives it as it is kept.

Each raises ValueError with a sentence for a person.
"""

import re
import zoneinfo
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from unicodedata import category
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
EMAIL_LENGTH = 254
"""RFC 5321, 4.5.3.1.3, without the angle brackets."""
HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
"""No underscore: in WSGI a name with one is the same as a name with a hyphen."""
REFERENCES = ("@microsoft.keyvault(", "@microsoft.appconfiguration(", "@appsettingref(")
"""How a value begins that App Service could not look up, in lower case: it hands the reference over as it stands.
https://learn.microsoft.com/azure/app-service/app-service-key-vault-references"""

STORES = "file:///backups, s3://BUCKET/FOLDER, az://CONTAINER/FOLDER or gs://BUCKET/FOLDER"
SCHEMES = ("file", "s3", "az", "gs")
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
"""The loosest of the three clouds' rules: Google's with dots. The cloud itself refuses what is not its own."""
PART = re.compile(r"[A-Za-z0-9_.=+-]+")
"""Of a folder in a bucket: what means the same in every cloud, and to a shell."""
RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")
"""A public key of age (X25519). A typing mistake in it is found by pyrage (app/backup/transfer/encryption.py)."""
WEBHOOK = re.compile(r"https?://[!-~]+", re.IGNORECASE)
"""What urllib sends as it stands: no blanks, no control characters, ASCII only."""


def time_zone(name: str) -> str:
    """POSIX lets a colon stand in front, and the file of a zone for its name, as in TZ=:/etc/localtime."""
    zone = name.removeprefix(":")
    try:
        zone_named(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("There is no such time zone. It is a name like the one below, or the file of one.") from None
    return zone


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    if not name.startswith("/"):
        return zoneinfo.ZoneInfo(name)
    with Path(name).open("rb") as file:
        return zoneinfo.ZoneInfo.from_file(file, key=name)


def origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("It is http:// or https:// and a host, without a path.")
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_email(text: str) -> bool:
    """One that can be shown: no control characters, which a terminal obeys, and none that can't be seen."""
    return len(text) <= EMAIL_LENGTH and text.isprintable() and EMAIL.fullmatch(text) is not None


def is_encodable(text: str) -> bool:
    """False with half a character of UTF-16 (a lone surrogate), which JSON can hold, and Python for a stray byte."""
    return all(category(character) != "Cs" for character in text)


def own_secret(secret: SecretStr) -> SecretStr:
    if not is_encodable(secret.get_secret_value()):
        raise ValueError("It has bytes in it that are no text.")
    if secret.get_secret_value().startswith("<"):
        raise ValueError("This is the sample's placeholder.")
    return secret


def is_reference(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower().startswith(REFERENCES)


def header_name(name: str) -> str:
    if not HEADER_NAME.fullmatch(name):
        raise ValueError("A header's name: letters, digits and hyphens.")
    return name


def email(address: str) -> str:
    if not is_email(address):
        raise ValueError("An email address, please.")
    return address


@dataclass(frozen=True)
class StoreUrl:
    """`bucket` is empty for file:, and `path` then the folder; else it is what stands before each name, or empty."""

    scheme: Literal["file", "s3", "az", "gs"]
    bucket: str
    path: str

    def __str__(self) -> str:
        if self.scheme == "file":
            return Path(self.path).as_uri()
        return f"{self.scheme}://{'/'.join(filter(None, (self.bucket, self.path)))}"


def store_url(text: str) -> StoreUrl:
    """Raises ValueError with a sentence for a person. No secret that may stand in `text` is in it."""
    if not text.isprintable() or text != text.strip():
        raise ValueError("It has blanks around it, or characters in it that can't be seen.")
    parts = urlsplit(text)
    if parts.scheme not in SCHEMES or "://" not in text:
        raise ValueError(f"It is one of {STORES}.")
    if "@" in parts.netloc:
        raise ValueError("No user or password belongs into it: keys are in their own settings (docs/backups.md).")
    if "?" in text or "#" in text:
        raise ValueError("Nothing may follow the folder: no ? and no #.")
    if parts.scheme == "file":
        return StoreUrl("file", "", _folder(parts.netloc, parts.path))
    return StoreUrl(parts.scheme, _bucket(parts.netloc), _prefix(parts.path))  # pyright: ignore[reportArgumentType]


def _folder(host: str, path: str) -> str:
    if host not in ("", "localhost") or not path.strip("/"):
        raise ValueError("After file: come three slashes and the folder, as in file:///backups.")
    folder = unquote(path, errors="surrogateescape")
    if "\0" in folder or ".." in folder.split("/"):
        raise ValueError("The folder is a whole path, without .. in it.")
    return str(Path(folder))


def _bucket(name: str) -> str:
    if not BUCKET.fullmatch(name):
        raise ValueError(f'"{name}" is no name of a bucket or container: small letters, digits and hyphens.')
    return name


def _prefix(path: str) -> str:
    parts = [part for part in path.split("/") if part]
    if any(not PART.fullmatch(part) or part in (".", "..") for part in parts):
        raise ValueError("A folder in a bucket has letters, digits and _ . = + - only.")
    return "/".join(parts)


def place_for_backups(text: str) -> str:
    """As it was typed; what it means is told by `store_url`, which no library does for us: they ignore what they can't
    use, a password among it."""
    store_url(text)
    return text


def is_private_key(text: str) -> bool:
    """Of age, or of another kind that age takes too, such as ssh's."""
    return any(sign in text.upper() for sign in ("AGE-SECRET-KEY-", "PRIVATE KEY"))


def holds_key(name: str, value: str) -> bool:
    """One that somebody has put into an address, or in the place of a public key: it goes to no log."""
    return is_private_key(value) or (name.endswith("_url") and any(sign in value for sign in "@?#;"))


def public_keys(text: str) -> str:
    if is_private_key(text):
        raise ValueError(
            "That is a private key: with it, whoever gets this server reads all backups. Make a new one elsewhere, and"
            " put its public key here."
        )
    keys = text.replace(",", " ").split()
    if not keys or any(not RECIPIENT.fullmatch(key) for key in keys):
        raise ValueError("Public keys of age, as age-keygen prints them, with blanks between them.")
    return " ".join(keys)


def schedule(text: str) -> str:
    """Five fields of cron that come at some time, or off."""
    from cronsim import CronSim, CronSimError

    if text == "off":
        return text
    fields = text.split()
    if len(fields) != 5:
        raise ValueError("Five fields of cron: minute, hour, day, month, day of the week. Or off.")
    try:
        next(CronSim(text, datetime.now(UTC)))
    except (CronSimError, StopIteration) as error:
        if all(map(_is_cron, (" ".join([*fields[:3], "*", fields[4]]), f"0 0 * {fields[3]} *"))):
            raise ValueError("It never comes: no month that it names has such a day.") from None
        raise ValueError(f"Five fields of cron, or off. cronsim says: {error}.") from None
    return text


def _is_cron(text: str) -> bool:
    from cronsim import CronSim, CronSimError

    try:
        CronSim(text, datetime.now(UTC))
    except CronSimError:
        return False
    return True


def keep_rules(text: str) -> dict[str, int]:
    """For example {"last": 3, "daily": 7}. Raises ValueError."""
    rules: dict[str, int] = {}
    for part in text.split():
        rule, equals, number = part.partition("=")
        if rule not in ("last", "daily", "weekly", "monthly") or not equals or not re.fullmatch(r"[0-9]{1,4}", number):
            raise ValueError("Some of last=N daily=N weekly=N monthly=N, with blanks between them.")
        if rule in rules:
            raise ValueError(f"{rule} stands in it twice.")
        rules[rule] = int(number)
    return rules


def retention(text: str) -> str:
    keep_rules(text)
    return text


def webhook(secret: SecretStr) -> SecretStr:
    """Of an error's own text nothing: the address is in it."""
    url = secret.get_secret_value()
    with suppress(ValueError):
        parts = urlsplit(url)
        if WEBHOOK.fullmatch(url) and parts.hostname and "@" not in parts.netloc and parts.port != 0:
            return secret
    raise ValueError("It is http:// or https:// and what follows, without a blank, a user or a password in it.")
