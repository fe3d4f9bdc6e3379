"""Settings: one table, every fault at once, and a sample that every tool reads the same way."""

import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.domain.schemas import NewAccount
from app.errors import CannotStart
from app.settings import Settings, load, sample

ROOT = Path(__file__).parents[2]


def refusal(**environment: str) -> str:
    with pytest.raises(CannotStart) as refused:
        load(environment)
    return str(refused.value)


def test_nothing_set_is_fine_and_an_empty_value_counts_as_not_set():
    assert load({}) == load({"ADMIN_EMAIL": "", "TZ": "", "TRUSTED_PROXIES": ""})
    assert load({}).database_path == Path("task_manager.db")
    assert load({}).auth_disabled is False


def test_all_faults_come_at_once_each_with_the_line_to_put_into_env():
    message = refusal(
        TZ="Mars", TRUSTED_PROXIES="many", PUBLIC_URL="tasks", APP_ENV="prod", ADMIN_EMAIL="ann@example.com"
    )
    for name in ("TZ", "TRUSTED_PROXIES", "PUBLIC_URL", "APP_ENV", "ADMIN_PASSWORD"):
        assert re.search(rf"^    {name}=.+", message, re.MULTILINE), f"{name} has no line to paste in:\n{message}"
    assert "TZ=Mars" in message
    assert "5 settings are wrong" in message


@pytest.mark.parametrize("colon", ["", ":"])
def test_a_time_zone_is_a_name_or_a_file_as_posix_has_it(tmp_path: Path, colon: str):
    file = tmp_path / "Berlin"
    file.write_bytes(files("tzdata").joinpath("zoneinfo/Europe/Berlin").read_bytes())
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    for name in ("Europe/Berlin", str(file)):
        zone = load({"TZ": colon + name}).zone
        assert summer.astimezone(zone).utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("name", [":Mars", ":/etc/nowhere", "/etc/passwd", ":/etc", ":", "CET-1CEST"])
def test_what_is_no_time_zone_is_refused(name: str):
    assert f"TZ={name} - There is no such time zone." in refusal(TZ=name)


@pytest.mark.parametrize("name", ["SECRET_KEY", "ADMIN_PASSWORD"])
def test_a_wrong_secret_is_not_shown(name: str):
    assert "hush" not in refusal(**{name: "hush", "ADMIN_EMAIL": "ann@example.com"})


@pytest.mark.parametrize(
    "url", ["s3://u:hush@b", "s3://b/x?key=hush", "s3://b/x#hush", "AccountName=b;AccountKey=hush"]
)
def test_a_key_in_the_address_of_the_backups_is_not_shown(url: str):
    assert "BACKUP_URL=(hidden) - " in refusal(BACKUP_URL=url) and "hush" not in refusal(BACKUP_URL=url)


def test_a_private_key_in_the_place_of_a_public_one_is_refused_and_not_shown():
    for key in ("AGE-SECRET-KEY-1HUSH", "age1x age-secret-key-1hush", "-----BEGIN OPENSSH PRIVATE KEY----- hush"):
        message = refusal(BACKUP_RECIPIENT=key)
        assert "BACKUP_RECIPIENT=(hidden) - That is a private key" in message and "hush" not in message.lower()


@pytest.mark.parametrize("name", ["SECRET_KEY", "ADMIN_PASSWORD"])
def test_the_placeholder_of_the_sample_is_no_secret(name: str):
    placeholder = re.search(rf"^#{name}=(.*)$", sample(), re.MULTILINE)
    assert placeholder
    assert "placeholder" in refusal(**{name: placeholder[1], "ADMIN_EMAIL": "ann@example.com"})


@pytest.mark.parametrize("text", ["a long enough one", "a long enough one\n", "a long enough one\r\n"])
def test_the_admins_password_can_stand_in_a_file(tmp_path: Path, text: str):
    file = tmp_path / "password"
    file.write_bytes(text.encode())
    settings = load({"ADMIN_EMAIL": "ann@example.com", "ADMIN_PASSWORD_FILE": str(file)})
    assert settings.admin_password
    assert settings.admin_password.get_secret_value() == "a long enough one"


def test_a_password_file_that_cannot_be_used_is_one_fault_with_its_name(tmp_path: Path):
    short, binary = tmp_path / "short", tmp_path / "binary"
    short.write_text("hush\n")
    binary.write_bytes(b"\xff" * 20)
    for file, why in (
        (tmp_path / "nowhere", "No such file"),
        (tmp_path, "Docker makes a folder"),
        (binary, "not text"),
        (short, "12"),
    ):
        message = refusal(ADMIN_EMAIL="ann@example.com", ADMIN_PASSWORD_FILE=str(file))
        assert f"ADMIN_PASSWORD_FILE={file} - " in message
        assert why in message
        assert "One setting is wrong" in message
        assert "hush" not in message


def test_the_webhooks_address_can_stand_in_a_file_too(tmp_path: Path):
    file = tmp_path / "notify_url"
    file.write_text("https://hooks.example.com/hush\n")
    settings = load({"NOTIFY_URL_FILE": str(file)})
    assert settings.notify_url and settings.notify_url.get_secret_value() == "https://hooks.example.com/hush"
    both = refusal(NOTIFY_URL="https://hooks.example.com/other", NOTIFY_URL_FILE=str(file))
    assert "NOTIFY_URL is set too: keep one of them" in both
    file.write_text("hooks.example.com/hush")
    wrong = refusal(NOTIFY_URL_FILE=str(file))
    assert f"NOTIFY_URL_FILE={file} - " in wrong and "hush" not in wrong


def test_the_password_is_set_once_and_with_its_email(tmp_path: Path):
    file = tmp_path / "password"
    file.write_text("a long enough one")
    both = refusal(ADMIN_EMAIL="ann@example.com", ADMIN_PASSWORD="another long one", ADMIN_PASSWORD_FILE=str(file))
    assert "keep one of them" in both
    assert "ADMIN_PASSWORD_FILE is set and needs it" in refusal(ADMIN_PASSWORD_FILE=str(file))


def test_the_gateways_header_is_only_believed_behind_a_proxy_and_told_with_all_other_faults():
    message = refusal(CLIENT_ADDRESS_HEADER="clientaddress", TZ="Mars")
    assert "CLIENT_ADDRESS_HEADER=clientaddress - " in message and "TRUSTED_PROXIES=1" in message
    assert "2 settings are wrong" in message
    assert load({"CLIENT_ADDRESS_HEADER": "clientaddress", "TRUSTED_PROXIES": "1"}).client_address_header


@pytest.mark.parametrize("name", ["client_address", "client address", "clientaddress:", "clientäddress", "a\n"])
def test_the_gateways_header_has_a_name_that_no_other_header_can_stand_in_for(name: str):
    assert "letters, digits and hyphens" in refusal(CLIENT_ADDRESS_HEADER=name, TRUSTED_PROXIES="1")


REFERENCES = [
    "@Microsoft.KeyVault(SecretUri=https://a.vault.azure.net/secrets/a-long-name/)",
    "@microsoft.keyvault(VaultName=a;SecretName=a-long-name)",
    "@Microsoft.AppConfiguration(Endpoint=https://a.azconfig.io; Key=a-long-name)",
    "@AppSettingRef(ADMIN_PASSWORD_OF_ANOTHER_NAME)",
]


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields])
def test_a_reference_that_app_service_could_not_look_up_is_no_value(name: str, reference: str):
    others = {"ADMIN_EMAIL": "ann@example.com", "ADMIN_PASSWORD": "a long enough one", "TRUSTED_PROXIES": "1"}
    if name == "ADMIN_PASSWORD_FILE":
        del others["ADMIN_PASSWORD"]
    message = refusal(**{**others, name: reference})
    assert "One setting is wrong" in message
    assert f"  {name}" in message and "Key Vault Secrets User" in message and "restart" in message
    if name in ("ADMIN_PASSWORD", "SECRET_KEY"):
        assert "a-long-name" not in message and "OF_ANOTHER_NAME" not in message


def test_nor_is_it_one_in_the_file_of_the_password(tmp_path: Path):
    file = tmp_path / "password"
    file.write_text(REFERENCES[0])
    message = refusal(ADMIN_EMAIL="ann@example.com", ADMIN_PASSWORD_FILE=str(file))
    assert f"ADMIN_PASSWORD_FILE={file} - App Service could not" in message
    assert "a-long-name" not in message and "One setting is wrong" in message


def test_what_is_secret_stays_out_of_every_text_that_is_made_of_the_settings(tmp_path: Path):
    secrets = {"ADMIN_PASSWORD": "hush " * 4, "SECRET_KEY": "hush" * 10}
    loaded = load({"ADMIN_EMAIL": "ann@example.com", **secrets})
    assert "hush" not in f"{loaded} {loaded!r} {loaded.model_dump()} {loaded.model_dump_json()}"
    with pytest.raises(ValidationError) as error:
        Settings.model_validate({"admin_password": ["hush"], "secret_key": {"hush": 1}})
    assert "hush" not in str(error.value)
    with pytest.raises(ValidationError) as error:
        NewAccount.model_validate({"email": "ann", "password": ["hush"]})
    assert "hush" not in str(error.value)


@pytest.mark.parametrize("url", ["https://tasks.example.com", "http://localhost:8000", "https://Tasks.example.com/"])
def test_a_public_url_is_kept_as_an_origin(url: str):
    assert load({"PUBLIC_URL": url}).public_url == url.lower().rstrip("/")


def test_env_sample_is_written_from_the_table():
    assert (ROOT / ".env.sample").read_text() == sample(), "run: python -m app.settings > .env.sample"


def test_env_sample_means_the_same_to_docker_and_to_compose():
    for line in sample().splitlines():
        assert not line or line.startswith("#"), f"{line!r} changes something without being asked"
        assert "'" not in line.split("=")[-1] or line.startswith("# "), line
    variables = re.findall(r"^#([A-Z_]+)=", sample(), re.MULTILINE)
    assert variables == [name.upper() for name in Settings.model_fields]
    for name, value in re.findall(r"^#([A-Z_]+)=(.*)$", sample(), re.MULTILINE):
        assert '"' not in value and " #" not in value, f"{name}: docker --env-file keeps quotes and comments"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADMIN_EMAIL", "a\x1b[2J@b.example"),
        ("ADMIN_EMAIL", f"{'a' * 250}@b.example"),
        ("ADMIN_PASSWORD", "x" * 1001),
        ("ADMIN_PASSWORD", "long enough, but \udcff"),
        ("SECRET_KEY", "\udcff" * 40),
    ],
)
def test_what_could_not_be_kept_or_hashed_later_is_told_at_the_start(name: str, value: str):
    given = {"ADMIN_EMAIL": "ann@example.com", "ADMIN_PASSWORD": "a long enough password", name: value}
    with pytest.raises(CannotStart, match=name):
        load(given)
