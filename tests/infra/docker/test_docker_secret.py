"""Secrets on a Docker host: each in a file of its own."""

from kit.docker import secret
from tests.infra.plans import plan


def test_each_secret_setting_has_a_file_of_its_own_name():
    assert secret.by_file(["ADMIN_PASSWORD", "DATABASE_URL"]) == {
        "ADMIN_PASSWORD_FILE": "/run/secrets/admin_password",
        "DATABASE_URL_FILE": "/run/secrets/database_url",
    }


def test_the_app_waits_for_its_secrets_and_an_upgrade_leaves_them_alone():
    found = plan("docker-volume")
    files = found.one("Container", "secret-files")
    assert files.urn in found.one("Container", "hosting-container").depends_on
    assert files.options["ignoreChanges"] == ["image"]
