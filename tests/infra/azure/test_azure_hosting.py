"""The site: who gets at it, what it is told, and how large it is."""

import pytest

from rules.access import REFERENCE
from tests.infra.plans import REGIONS, plan
from tests.infra.recording import is_secret, record

NAMES = ("azure-smb", "azure-smb-ready", "azure-smb-domain")


@pytest.mark.parametrize("name", NAMES)
def test_nobody_uploads_code_with_a_name_and_a_password(name: str):
    found = plan(name)
    for door in ("WebAppScmAllowed", "WebAppFtpAllowed"):
        assert found.one(door).plain["allow"] is False
        assert found.one(door).plain["name"] == found.one("web:WebApp").plain["name"]


@pytest.mark.parametrize("name", NAMES)
def test_no_setting_has_a_secret_in_clear(name: str):
    site = plan(name).one("web:WebApp")
    settings = {pair["name"]: pair["value"] for pair in site.inputs["siteConfig"]["appSettings"]}
    assert REFERENCE.match(settings["ADMIN_PASSWORD"])
    assert REFERENCE.match(settings["STORAGE_KEY"])
    assert not [key for key, value in settings.items() if is_secret(value)]
    assert site.plain["siteConfig"]["azureStorageAccounts"]["TaskManagerData"]["accessKey"] == (
        "@AppSettingRef(STORAGE_KEY)"
    )


def test_the_site_waits_until_it_may_pull_and_read():
    found = plan("azure-smb")
    roles = {found.one("RoleAssignment", "image-pull").urn, found.one("RoleAssignment", "vault-read").urn}
    assert roles <= set(found.one("web:WebApp").depends_on)


def test_a_secret_is_not_deleted_by_itself():
    """Only the vault can delete it, and an owner of the subscription has no rights in there."""
    for secret in plan("azure-smb").of("keyvault:Secret"):
        assert secret.options["deletedWith"] == "vault-secrets"


def test_one_front_end_stands_in_front():
    settings = plan("azure-smb").one("web:WebApp").plain["siteConfig"]["appSettings"]
    assert {"name": "TRUSTED_PROXIES", "value": "1"} in settings


def test_machine_size_and_retention_are_the_configs():
    config = {"machine": "P0v3", "storageGb": "64", "logDays": "90"}
    found = record({"cloud": "azure", **REGIONS["azure"], **config})
    assert found.one("AppServicePlan").plain["sku"] == {"name": "P0v3", "tier": "Premium0V3", "capacity": 1}
    assert found.one("storage:FileShare").plain["shareQuota"] == 64
    assert found.one("operationalinsights:Workspace").plain["retentionInDays"] == 90
    assert "App Service P0v3" in found.outputs["monthly_cost_estimate"]


def test_every_request_is_in_the_log():
    logs = plan("azure-smb").one("DiagnosticSetting", "hosting-site-logs").plain["logs"]
    assert {"category": "AppServiceHTTPLogs", "enabled": True} in logs
