"""What holds data on a Docker host: where it stands, its name, its protection. Changed on purpose only."""

from tests.infra.plans import plan
from tests.infra.recording import record

VOLUME = "urn:pulumi:docker::task-assist::task-assist:docker:Storage$docker:index/volume:Volume::storage-volume"


def test_the_volume_stands_where_it_stood_and_is_called_what_it_was():
    volume, backups = sorted((one for one in plan("docker-volume").resources if one.protect), key=lambda one: one.urn)
    assert volume.urn == VOLUME
    assert backups.urn == VOLUME.replace("Storage", "Store").replace("storage", "store")
    assert backups.plain["name"] == "task-manager-backups"
    assert backups.options["ignoreChanges"] == ["labels", "name"]
    assert volume.plain["name"] == "task-manager-db"
    assert "name" in volume.options["ignoreChanges"]
    assert volume.aliases == ("data",)


def test_another_stacks_volume_is_not_the_one_that_compose_and_the_first_stack_have():
    protected = [one.plain["name"] for one in record({"cloud": "docker"}, stack="blue").resources if one.protect]
    assert sorted(protected) == ["task-assist-blue-backups", "task-assist-blue-db"]


def test_certificates_stay_with_a_stack_that_is_called_otherwise_since():
    certificates = plan("docker-volume-domain").one("volume:Volume", "proxy-certificates")
    assert certificates.options["ignoreChanges"] == ["name"]
    assert certificates.aliases == ("certificates",)


def test_what_docker_admits_only_once_has_the_name_of_before_or_goes_first():
    """Docker refuses a second container or network of a name: `up` would make the new one before the old one goes."""
    earlier = {
        "hosting-container": "task-assist",
        "secret-files": "secrets",
        "secret-volume": "secrets",
        "proxy-container": "caddy",
        "network-bridge": "network",
    }
    found = plan("docker-volume-domain")
    for name, alias in earlier.items():
        [resource] = [resource for resource in found.resources if resource.name == name]
        assert resource.aliases == (alias,)
        assert resource.type.endswith(("Volume", "Network")) or resource.options["deleteBeforeReplace"]
