"""Every place keeps the one contract, in every combination of storage, image and domain."""

import json
import re
from typing import Any

import pytest

import contract
from rules.model import get
from rules.stores import PARTS
from tests.infra.plans import CONFIGS, app_container, plan
from tests.infra.recording import ROOT, Plan, is_secret

OUTPUTS = {
    "url",
    "health_url",
    "mount_path",
    "database_path",
    "storage",
    "image",
    "backup_url",
    "admin_password",
    "monthly_cost_estimate",
    "kept_on_destroy",
}
PASSWORD = "the-admin-password"


@pytest.fixture(params=CONFIGS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def found(name: str) -> Plan:
    return plan(name)


def test_the_container_with_the_database_has_it_under_the_mount(found: Plan):
    container = app_container(found)
    assert container.environment["DATABASE_PATH"] == "/app/data/task_manager.db"
    assert "/app/data" in container.mounts


def test_what_is_mounted_is_the_store_that_the_outputs_name(name: str, found: Plan):
    source = app_container(found).mounts["/app/data"]
    assert source
    share = {"aws": "data-id", "gcp": "task-assist-data"}.get(CONFIGS[name]["cloud"], source)
    assert share in found.outputs["storage"]


def test_the_outputs_are_the_same_everywhere(found: Plan):
    assert set(found.outputs) == OUTPUTS
    assert found.outputs["mount_path"] == "/app/data"
    assert found.outputs["database_path"] == "/app/data/task_manager.db"
    assert found.outputs["health_url"] == found.outputs["url"] + "/healthz"


def test_the_url_is_the_domain_where_there_is_one(name: str, found: Plan):
    local = name.startswith("docker") and "domain" not in name
    assert found.outputs["url"].startswith("http://localhost" if local else "https://")
    assert (found.outputs["url"] == "https://tasks.example.org") == ("domain" in name)


def test_the_app_knows_its_own_address_and_what_stands_in_front(name: str, found: Plan):
    environment = app_container(found).environment
    assert environment["PUBLIC_URL"] == found.outputs["url"]
    hops = 1
    if name.startswith("docker") and "domain" not in name:
        hops = 0
    if name.startswith("gcp-disk") and "domain" not in name:
        hops = 2
    assert environment["TRUSTED_PROXIES"] == str(hops)


def test_the_password_is_a_secret_wherever_it_goes(found: Plan):
    assert is_secret(found.outputs["admin_password"])
    for resource in found.resources:
        for path, value in leaves(resource.inputs):
            if PASSWORD in str(value):
                assert any(path.startswith(secret) for secret in resource.secret_paths), f"{resource.name} {path}"


def test_no_key_of_an_account_or_registry_is_in_clear(found: Plan):
    for resource in found.resources:
        for path, value in leaves(resource.inputs):
            if "account-key-" in str(value) or "registry-password" in str(value):
                assert any(path.startswith(secret) for secret in resource.secret_paths), f"{resource.name} {path}"
    assert "account-key-" not in json.dumps(dict(found.outputs))


def leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if is_secret(value):
        return leaves(value["value"], path)
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, f"{path}.{key}" if path else key)]
    if isinstance(value, list):
        return [leaf for number, item in enumerate(value) for leaf in leaves(item, f"{path}.{number}")]
    return [(path, value)]


def test_the_password_comes_by_reference(name: str, found: Plan):
    value = app_container(found).environment.get("ADMIN_PASSWORD", "")
    if name.startswith("docker"):
        file = app_container(found).environment["ADMIN_PASSWORD_FILE"]
        [upload] = found.one("Container", "secret-files").plain["uploads"]
        assert upload == {"file": file, "content": PASSWORD, "permissions": "0444"}
        [volume] = found.one("Container", "hosting-container").plain["volumes"]
        assert volume == {"volumeName": "task-assist-secrets", "containerPath": "/run/secrets", "readOnly": True}
        assert value == ""
    elif name.startswith("azure"):
        assert value.startswith("@Microsoft.KeyVault(SecretUri=https://")
    else:
        assert PASSWORD not in value


def test_two_instances_are_alive_at_once_only_where_one_can_hand_over(name: str, found: Plan):
    handover = name.startswith(("azure", "aws", "gcp-filestore")) and "ready" not in name
    container = app_container(found)
    if name.startswith("azure"):
        assert container.environment["WEBSITE_DISABLE_OVERLAPPED_RECYCLING"] == ("0" if handover else "1")
    elif name.startswith("aws"):
        service = found.one("ecs/service:Service").inputs
        limits = service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]
        assert limits == ((100, 200) if handover else (0, 100))
    else:
        assert container.resource.delete_before_replace == (not handover)


def test_cloud_run_sends_all_traffic_to_the_new_revision_of_one_instance(name: str, found: Plan):
    for service in found.of("cloudrunv2/service:Service"):
        if service.name == "hosting-service":
            assert service.inputs["traffics"] == [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]
            assert service.inputs["template"]["scaling"] == {"minInstanceCount": 1, "maxInstanceCount": 1}
            # The service's own limit counts the old revision too: at a hand-over the new one could not start.
            assert service.inputs["scaling"].get("maxInstanceCount") == (1 if "ready" in name else None)
            assert service.options.get("replaceOnChanges") == (["template"] if "ready" in name else None)


def test_a_ready_image_is_run_as_it_is_and_nothing_is_built(name: str, found: Plan):
    builds = found.of("docker-build:index:Image") + found.of("docker:index/image:Image")
    assert bool(builds) == ("ready" not in name)
    assert "sha256:" in app_container(found).image
    assert app_container(found).image == found.outputs["image"]


def test_a_built_image_is_pushed_for_the_clouds_and_never_in_a_preview(name: str, found: Plan):
    for build in found.of("docker-build:index:Image"):
        assert build.inputs["push"] is True
        assert build.inputs["buildOnPreview"] is False
        assert build.inputs["platforms"] == ["linux/amd64"]


def test_a_built_image_stays_in_the_registry_when_a_ready_one_takes_its_place(found: Plan):
    for build in found.of("docker-build:index:Image"):
        assert build.options["retainOnDelete"] is True


def test_everything_that_is_protected_is_among_what_is_kept(found: Plan):
    kept = "\n".join(found.outputs["kept_on_destroy"])
    named = {
        "azure-native:storage:StorageAccount": "storage account taskassistdata",
        "azure-native:storage:FileShare": "share task-manager-data",
        "azure-native:storage:FileServiceProperties": "14 days of soft delete",
        "azure-native:resources:ResourceGroup": "resource group",
        "azure-native:recoveryservices:Vault": "backup vault",
        "azure-native:recoveryservices:ProtectionContainer": "backup vault",
        "azure-native:recoveryservices:ProtectedItem": "backup vault",
        "azure-native:authorization:ManagementLockByScope": "a lock against deletion",
        "aws:efs/fileSystem:FileSystem": "EFS file system storage-data-id",
        "aws:backup/vault:Vault": "backup vault",
        "aws:backup/vaultLockConfiguration:VaultLockConfiguration": "locked and protected",
        "gcp:compute/disk:Disk": "persistent disk task-assist-data",
        "gcp:filestore/instance:Instance": "Filestore task-assist-data",
        "docker:index/volume:Volume": "Docker volume task-manager-",
        # Below the lock of the backups' account.
        "azure-native:authorization:RoleAssignment": "with the backups",
        "azure-native:authorization:RoleDefinition": "with the backups",
        **dict.fromkeys(PARTS, "with the backups"),
    }
    for resource in found.resources:
        if resource.protect:
            assert named[resource.type] in kept
        # An image goes with its registry.
        if resource.options.get("retainOnDelete") and resource.type != "docker-build:index:Image":
            assert "network and subnet" in kept


def test_nothing_is_protected_that_holds_no_data(found: Plan):
    for resource in found.resources:
        if resource.protect:
            assert (
                any(
                    word in resource.type
                    for word in (
                        "torage",
                        "FileS",
                        "olume",
                        "Disk",
                        "ault",
                        "Protect",
                        "ResourceGroup",
                        "filestore",
                        "Lock",
                        # The right to write to a store lies below a lock, and Azure takes none away there.
                        "RoleAssignment",
                        "RoleDefinition",
                    )
                )
                or resource.type in PARTS
            ), resource.type


def test_the_store_is_protected_by_itself_and_its_component_is_not(name: str, found: Plan):
    assert not any(resource.protect for resource in found.resources if not resource.custom)
    assert name.startswith("docker-bind") or any(resource.protect for resource in found.resources)


def test_the_user_the_port_and_the_health_path(name: str, found: Plan):
    resource = app_container(found).resource
    said = {"azure": azure_facts, "aws": aws_facts, "gcp": gcp_facts, "docker": docker_facts}[CONFIGS[name]["cloud"]]
    facts = said(found, resource.props)
    assert facts["port"] == contract.PORT == 8000
    assert contract.HEALTH_PATH == "/healthz"
    assert "/healthz" in facts["health"]
    assert facts.get("user", "1000:1000") == "1000:1000"
    assert facts["stop"] >= 60


def azure_facts(found: Plan, props: Any) -> dict[str, Any]:
    settings = {pair["name"]: pair["value"] for pair in props["siteConfig"]["appSettings"]}
    return {
        "port": int(settings["WEBSITES_PORT"]),
        "health": props["siteConfig"]["healthCheckPath"],
        "stop": int(settings["WEBSITES_CONTAINER_STOP_TIME_LIMIT"]),
    }


def aws_facts(found: Plan, props: Any) -> dict[str, Any]:
    [container] = json.loads(props["containerDefinitions"])
    point = found.one("efs/accessPoint:AccessPoint", "storage-app").inputs
    assert point["posixUser"] == {"uid": 1000, "gid": 1000}
    assert point["rootDirectory"]["creationInfo"]["ownerUid"] == 1000
    return {
        "port": container["portMappings"][0]["containerPort"],
        "health": container["healthCheck"]["command"][1],
        "user": container["user"],
        "stop": container["stopTimeout"],
    }


def gcp_facts(found: Plan, props: Any) -> dict[str, Any]:
    if "template" in props:
        [container] = props["template"]["containers"]
        job = found.one("cloudrunv2/job:Job", "storage-hand-over").inputs["template"]["template"]["containers"][0]
        assert "chown 1000:1000 /data" in job["commands"][2]
        return {
            "port": container["ports"]["containerPort"],
            "health": container["startupProbe"]["httpGet"]["path"],
            "stop": 60,  # Cloud Run decides: 10 s
        }
    text = props["metadata"]["user-data"]
    assert "--user 1000:1000" in text and "chown 1000:1000" in text
    # Past COS's firewall comes only what Docker publishes: the app's port, or Caddy's.
    [caddy] = [one for one in json.loads(props["metadata"]["containers"]) if one["name"] == "caddy"] or [None]
    assert ("--publish 8000:8000" in text) == (caddy is None)
    assert caddy is None or caddy["ports"] == ["80:80", "443:443", "443:443/udp"]
    return {"port": 8000, "health": "/healthz", "stop": 60 if "docker stop -t 60" in text else 0}


def docker_facts(found: Plan, props: Any) -> dict[str, Any]:
    if ports := props.get("ports"):
        assert ports == [{"ip": "127.0.0.1", "internal": 8000, "external": 8000}]
    else:
        caddy = found.one("container:Container", "proxy-container").inputs
        assert "reverse_proxy task-assist:8000" in caddy["envs"][0]
        assert {port["external"] for port in caddy["ports"]} == {80, 443}
    return {
        "port": 8000,
        "health": props["healthcheck"]["tests"][1],
        "user": props["user"],
        "stop": get(props, "destroyGraceSeconds"),
    }


def test_a_cost_is_given_and_what_is_dear_is_said_before_it_is_made(name: str, found: Plan):
    assert "a month" in found.outputs["monthly_cost_estimate"]
    warned = [line for line in found.log if line.startswith("warning:")]
    assert bool(warned) == name.startswith("gcp-filestore")
    assert all("Filestore" in line and "$205" in line for line in warned)


def test_a_domain_says_which_dns_records_to_set(name: str, found: Plan):
    said = [line for line in found.log if "DNS" in line]
    assert bool(said) == ("domain" in name)


def test_the_page_of_each_place_gives_the_same_prices(name: str, found: Plan):
    cloud = CONFIGS[name]["cloud"]
    page = (ROOT / "docs" / "deploy" / f"{cloud}.md").read_text()
    said = found.outputs["monthly_cost_estimate"]
    prices = re.findall(r"\$[\d.]+\d", said.partition(":")[2])
    assert bool(prices) == (cloud != "docker")
    assert [price for price in prices if price not in page] == []
    if prices:
        where = re.findall(r"\(list prices of ([^;]+);", said)[0]
        assert f"List prices of {where}" in page


def test_whatever_runs_on_google_cloud_has_an_account_of_its_own(found: Plan):
    emails = [one.inputs["template"]["serviceAccount"] for one in found.of("cloudrunv2/service:Service")]
    emails += [
        one.inputs["template"]["template"]["serviceAccount"]
        for one in found.of("cloudrunv2/job:Job")
        if one.name != "restore-job"
    ]
    emails += [one.inputs["serviceAccount"]["email"] for one in found.of("compute/instance:Instance")]
    assert len(emails) == len(found.of("serviceaccount/account:Account"))
