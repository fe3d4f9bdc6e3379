"""Every environment variable of the app: one table, which also writes .env.sample and finds all faults at once."""

import os
import textwrap
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from app.errors import DOCKERS_FOLDER, CannotStart, sentence
from app.setting_values import (
    email,
    header_name,
    holds_key,
    is_reference,
    origin,
    own_secret,
    place_for_backups,
    public_keys,
    retention,
    schedule,
    time_zone,
    webhook,
    zone_named,
)

READ_THREADS, WRITE_THREADS, SIGN_IN_THREADS = 4, 2, 2
"""How many requests of each kind run at once at most: what only reads, what may change something, what hashes."""
CONNECTIONS = READ_THREADS + 2 * WRITE_THREADS + SIGN_IN_THREADS + 4
"""To the database: for requests that run, or wait for their commit; for a check, a copy, a command, checkpoints."""
PASSWORD_LENGTH, LONGEST_PASSWORD = 12, 1000
FROM_FILES = ("admin_password", "notify_url")  # secrets that can stand in the file that their NAME_FILE names


class Settings(BaseModel):
    """The table. A field's name in capitals is the variable; its examples[0] is the line to put into .env."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    app_env: Literal["development", "production"] = Field(
        "development",
        description="production refuses to start where the database would not survive. The image sets it.",
        examples=["production"],
    )
    database_path: Path = Field(
        Path("task_manager.db"),
        description="The SQLite file. In a container it must lie on a mount of its own: the image and every stack set"
        " /app/data/task_manager.db and mount a volume or share at /app/data. Change it only for a run without a"
        " container; without it the file is task_manager.db in the working folder.",
        examples=["/app/data/task_manager.db"],
    )
    database_storage: Literal["auto", "shared", "exclusive"] = Field(
        "auto",
        description="How SQLite locks its file: shared for local disks, exclusive for network mounts."
        " auto looks at the file system.",
        examples=["auto"],
    )
    auth_disabled: bool = Field(
        False,
        description="true switches sign-in off and answers only requests made on this machine to localhost. Docker"
        " Compose sets it to true unless it is set here.",
        examples=["false"],
    )
    admin_email: Annotated[str, AfterValidator(email)] | None = Field(
        None,
        description="Email and password of the first account (an admin), made at the first start. Without them the"
        " log shows a one-time set-up code.",
        examples=["you@example.com"],
    )
    admin_password: Annotated[SecretStr, AfterValidator(own_secret)] | None = Field(
        None,
        min_length=PASSWORD_LENGTH,
        max_length=LONGEST_PASSWORD,
        description=f"At least {PASSWORD_LENGTH} characters, none of them $ # ' or \": docker run and Compose read"
        " those differently. Only used while there is no account.",
        examples=["<a long password of your own>"],
    )
    admin_password_file: Path | None = Field(
        None,
        description="A file that holds the password, instead of ADMIN_PASSWORD: a container's settings are read by more"
        " people than its files. A line break at its end does not count.",
        examples=["/run/secrets/admin_password"],
    )
    secret_key: Annotated[SecretStr, AfterValidator(own_secret)] | None = Field(
        None,
        min_length=32,
        description="Signs the session cookies. Without it one is made at the first start and kept beside the"
        " database. To make one: openssl rand -hex 32",
        examples=["<the output of: openssl rand -hex 32>"],
    )
    public_url: Annotated[str, AfterValidator(origin)] | None = Field(
        None,
        description="The address people type, when something in front of the app rewrites it.",
        examples=["https://tasks.example.com"],
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="How many reverse proxies stand in front. 0 ignores X-Forwarded-For and X-Forwarded-Proto.",
        examples=["1"],
    )
    client_address_header: Annotated[str, AfterValidator(header_name)] | None = Field(
        None,
        description="The header in which the proxy in front passes the client's address, alone, whatever the client"
        " sent in it: for gateways that write no X-Forwarded-For, which is then not looked at. Needs TRUSTED_PROXIES.",
        examples=["clientaddress"],
    )
    tz: Annotated[str, AfterValidator(time_zone)] | None = Field(
        None,
        description="The time zone that decides what today is. Without it: the machine's, in the image UTC.",
        examples=["Europe/Berlin"],
    )
    backup_url: Annotated[str, AfterValidator(place_for_backups)] | None = Field(
        None,
        description="Where task-assist backup puts the backups: file:///FOLDER, s3://BUCKET/FOLDER,"
        " az://CONTAINER/FOLDER or gs://BUCKET/FOLDER. Keys never belong into it (docs/backups.md).",
        examples=["file:///backups"],
    )
    backup_credentials: Path | None = Field(
        None,
        description="A folder with a file for each of the bucket's provider's variables, called as it is.",
        examples=["/run/backup-credentials"],
    )
    backup_recipient: Annotated[str, AfterValidator(public_keys)] | None = Field(
        None,
        description="Public keys of age. The backups are encrypted for them, and this server can't read them any more:"
        " keep the private keys elsewhere. To make one: age-keygen -o key.txt",
        examples=["<age1... as age-keygen prints it>"],
    )
    backup_schedule: Annotated[str, AfterValidator(schedule)] = Field(
        "15 3 * * *",
        description="When the app backs itself up, where BACKUP_URL is set: five fields of cron in TZ's zone, or off.",
        examples=["15 3 * * *"],
    )
    backup_keep: Annotated[str, AfterValidator(retention)] = Field(
        "last=3 daily=7 weekly=4 monthly=12",
        description="Which backups stay when a new one has been made. The newest three, and the newest that a drill has"
        " proven, always do.",
        examples=["last=3 daily=7 weekly=4 monthly=12"],
    )
    notify_url: Annotated[SecretStr, AfterValidator(webhook)] | None = Field(
        None,
        description="A webhook that is told, as JSON, when a backup failed, is missing or works again.",
        examples=["https://hooks.example.com/task-assist"],
    )
    notify_url_file: Path | None = Field(
        None, description="A file that holds that address, instead of NOTIFY_URL.", examples=["/run/secrets/notify_url"]
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much the log says.", examples=["info"]
    )

    @field_validator("*", mode="before")
    @classmethod
    def _looked_up(cls, value: object) -> object:
        if is_reference(value):
            raise ValueError(
                "App Service could not look this up. The app's identity needs the role Key Vault Secrets User on the"
                " vault, and the secret must be there; then restart the app."
            )
        return value

    @field_validator("client_address_header")
    @classmethod
    def _only_behind_a_proxy(cls, name: str | None, given: ValidationInfo) -> str | None:
        if name and given.data.get("trusted_proxies") == 0:
            raise ValueError("A client could write it: only believed with TRUSTED_PROXIES=1 or more.")
        return name

    @property
    def zone(self) -> zoneinfo.ZoneInfo | None:
        """The time zone of "today", None for the machine's own."""
        return zone_named(self.tz) if self.tz else None


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `environment`; an empty value counts as not set. Raises CannotStart with every fault at once."""
    names = {name.upper(): name for name in Settings.model_fields}
    given = {name: environment[variable] for variable, name in names.items() if environment.get(variable)}
    passwords = [name for name in ("admin_password", "admin_password_file") if name in given]
    faults = [fault for name in FROM_FILES if (fault := _read_file(name, given))]
    settings = None
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        for fault in error.errors():
            name = str(fault["loc"][0])
            if name in FROM_FILES and f"{name}_file" in given:
                name = f"{name}_file"  # nobody looks for the value anywhere else
            faults.append(_fault(name, given[name], sentence(fault)))
    if "admin_email" in given and not passwords:
        faults.append(_fault("admin_password", "", "ADMIN_EMAIL is set and needs it."))
    if passwords and "admin_email" not in given:
        faults.append(_fault("admin_email", "", f"{passwords[0].upper()} is set and needs it."))
    if settings is None or faults:
        count = "One setting is" if len(faults) == 1 else f"{len(faults)} settings are"
        raise CannotStart(
            f"{count} wrong. Put lines like these into .env, or where the platform keeps settings:", "\n".join(faults)
        )
    return settings


def _read_file(name: str, given: dict[str, str]) -> str | None:
    """Puts what the file of `name` holds into `given`, and answers what was wrong with that."""
    file = given.get(f"{name}_file")
    if not file or is_reference(file):
        return None
    if name in given:
        return _fault(f"{name}_file", file, f"{name.upper()} is set too: keep one of them.")
    try:
        given[name] = Path(file).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except IsADirectoryError:
        return _fault(f"{name}_file", file, f"It is a folder. {DOCKERS_FOLDER}")
    except (OSError, UnicodeDecodeError) as error:
        return _fault(f"{name}_file", file, f"The file can't be read: {getattr(error, 'strerror', 'it is not text')}.")
    return None


def _fault(name: str, value: str, why: str) -> str:
    field = Settings.model_fields[name]
    hidden = "SecretStr" in str(field.annotation) or holds_key(name, value)
    shown = "" if not value else "=(hidden)" if hidden else f"={value}"
    return f"  {name.upper()}{shown} - {why}\n    {name.upper()}={(field.examples or [''])[0]}"


def sample() -> str:
    """The text of .env.sample. `docker --env-file` keeps quotes and comments behind a value, so there are none."""
    lines = ["# cp .env.sample .env, then take the # away from the lines you want to change.", ""]
    for name, field in Settings.model_fields.items():
        lines += textwrap.wrap(
            field.description or "", 110, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
        )
        lines += [f"#{name.upper()}={(field.examples or [''])[0]}", ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(sample(), end="")  # noqa: T201
