"""What the value of a setting may be, where pydantic's own types don't say it: each function gives it as it is kept.

Each raises ValueError with a sentence for a person.
"""

import re
import zoneinfo
from pathlib import Path
from unicodedata import category
from urllib.parse import urlsplit

from pydantic import SecretStr

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
EMAIL_LENGTH = 254
"""RFC 5321, 4.5.3.1.3, without the angle brackets."""
HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
"""No underscore: in WSGI a name with one is the same as a name with a hyphen."""
REFERENCES = ("@microsoft.keyvault(", "@microsoft.appconfiguration(", "@appsettingref(")
"""How a value begins that App Service could not look up, in lower case: it hands the reference over as it stands.
https://learn.microsoft.com/azure/app-service/app-service-key-vault-references"""


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
