"""Rules about the data: protected, mounted where the database is, written by one, backed up."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from rules.containers import DOCKER, RUN, VM, WEB_APP, Container, containers
from rules.model import UNKNOWN, Planned, Rule, Violation, get, of
from rules.stores import PARTS

SHARE = "azure-native:storage:FileShare"
EFS = "aws:efs/fileSystem:FileSystem"
DISK = "gcp:compute/disk:Disk"
FILESTORE = "gcp:filestore/instance:Instance"
VOLUME = "docker:index/volume:Volume"
VAULT = "aws:backup/vault:Vault"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
BUILD = "docker-build:index:Image"
STORES = (SHARE, EFS, DISK, FILESTORE, VOLUME)
# What goes with a store when it is deleted, or holds its backups.
HOLDERS = (
    "azure-native:resources:ResourceGroup",
    "azure-native:storage:StorageAccount",
    "azure-native:storage:FileServiceProperties",
    "azure-native:recoveryservices:Vault",
    "azure-native:recoveryservices:ProtectionContainer",
    "azure-native:recoveryservices:ProtectedItem",
    # A lock against deletion: without it the rest is open to everybody but Pulumi.
    "azure-native:authorization:ManagementLockByScope",
    VAULT,
    LOCK,
    *PARTS,
)


def data_protected(resources: Sequence[Planned]) -> Iterator[Violation]:
    mounted = {
        urn for container in containers(resources) for urn in stores_of(container.resource, container.mounted_by)
    }
    for resource in of(resources, *STORES, *HOLDERS):
        # Docker volumes hold other things too, such as Caddy's certificates.
        if not resource.protect and (resource.type != VOLUME or resource.urn in mounted):
            yield Violation(resource, "It holds data, and a destroy would delete it. Set protect=True.")


def stores_of(resource: Planned, mounted_by: str) -> tuple[str, ...]:
    """The URNs that a container's mount comes from."""
    return resource.depends.get(mounted_by, ())


def database_on_mount(resources: Sequence[Planned]) -> Iterator[Violation]:
    for vm in of(resources, VM):
        if get(vm.props, "metadata.containers") is None:
            yield Violation(vm, "Its metadata does not describe its containers, so that no rule can see them.")
    stores = {store.urn for store in of(resources, *STORES)}
    for container in containers(resources):
        path = PurePosixPath(container.environment["DATABASE_PATH"])
        mount = next((mount for mount in container.mounts if path.is_relative_to(mount) and str(path) != mount), None)
        if mount is None and UNKNOWN in container.mounts:
            continue
        if mount is None:
            yield Violation(
                container.resource,
                f"DATABASE_PATH={path} lies under none of its mounts ({', '.join(container.mounts) or 'it has none'}):"
                " it would be gone with the container.",
            )
            continue
        source = container.mounts[mount]
        on_the_host = source is not UNKNOWN and source.startswith("/") and not source.startswith("/subscriptions/")
        if not on_the_host and not stores.intersection(stores_of(container.resource, container.mounted_by)):
            yield Violation(container.resource, f"What is mounted at {mount} is not a store of this stack.")


def one_writer(resources: Sequence[Planned]) -> Iterator[Violation]:
    """Two instances may be alive at once only for a hand-over, which takes the lease that the image built here has."""
    hands_over = any(built_here(container, resources) for container in containers(resources))
    limits = {
        "aws:ecs/service:Service": {"desiredCount": 1, "deploymentMaximumPercent": 200 if hands_over else 100},
        "azure-native:web:WebApp": {"siteConfig.numberOfWorkers": 1},
        "azure-native:web:AppServicePlan": {"sku.capacity": 1},
    }
    for resource in resources:
        for path, limit in limits.get(resource.type, {}).items():
            value = get(resource.props, path, limit + 1)
            if value is not UNKNOWN and value > limit:
                yield Violation(resource, f"{path} is {value:g} or not set; more than {limit} lets two write at once.")
    for container in containers(resources):
        if not hands_over:
            yield from stops_first(container)
        yield from one_container(container.resource)


def built_here(container: Container, resources: Sequence[Planned]) -> bool:
    """Whether the image is this stack's own build; of a ready one nobody knows whether it has the lease."""
    builds = {build.urn for build in of(resources, BUILD)}
    return bool(builds.intersection(container.resource.depends.get(container.image_from, ())))


def stops_first(container: Container) -> Iterator[Violation]:
    """Without a lease the old instance must be gone before the new one comes."""
    overlap = container.environment.get("WEBSITE_DISABLE_OVERLAPPED_RECYCLING", "0")
    if container.resource.type == WEB_APP and overlap not in ("1", UNKNOWN):
        yield Violation(
            container.resource, "Two would run at each restart. Set WEBSITE_DISABLE_OVERLAPPED_RECYCLING=1."
        )
    if container.resource.type == RUN and not container.resource.delete_before_replace:
        yield Violation(container.resource, "Its next revision starts first. Set delete_before_replace=True.")


def one_container(resource: Planned) -> Iterator[Violation]:
    """Where two can't hand over, the old one stops first; and never more than one of a version runs."""
    if resource.type in (DOCKER, VM):
        if not resource.delete_before_replace:
            yield Violation(resource, "Its replacement starts first. Set delete_before_replace=True.")
    elif resource.type == RUN:
        most = get(resource.props, "template.scaling.maxInstanceCount", 100)
        if most is not UNKNOWN and most > 1:
            yield Violation(
                resource, f"It may run {most:g} instances; SQLite has one writer. Set max_instance_count=1."
            )


def snapshots_on(resources: Sequence[Planned]) -> Iterator[Violation]:
    """A store that its cloud can snapshot is snapshotted. Docker has no such service."""
    makers = {
        SHARE: "azure-native:recoveryservices:ProtectedItem",
        EFS: "aws:backup/selection:Selection",
        DISK: "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment",
        FILESTORE: "gcp:cloudscheduler/job:Job",
    }
    for store in of(resources, *makers):
        if not any(map(goes_on, of(resources, makers[store.type]))):
            yield Violation(store, "Nothing makes snapshots of it. Set backupSchedule.")


def goes_on(maker: Planned) -> bool:
    """Azure's item stays, with its snapshots, when no more are made: then it names no policy."""
    return get(maker.props, "properties.policyId") != ""


def vaults_locked(resources: Sequence[Planned]) -> Iterator[Violation]:
    """Each vault has a lock, and none that nobody can ever take off again: those name days to change them in."""
    locks = list(of(resources, LOCK))
    for lock in locks:
        if get(lock.props, "changeableForDays"):
            yield Violation(lock, "After some days nobody could take it off again. Leave changeable_for_days out.")
    for vault in of(resources, VAULT):
        if not any(vault.urn in lock.depends.get("backupVaultName", ()) for lock in locks):
            yield Violation(vault, "Whoever may delete backups can delete these. Give it a VaultLockConfiguration.")


RULES = (
    Rule("data-protected", "What holds data is protected on purpose.", data_protected),
    Rule("database-on-mount", "DATABASE_PATH lies under the mount of this stack's own store.", database_on_mount),
    Rule("one-writer", "Never more than one instance writes to the database.", one_writer),
    Rule("vaults-locked", "Backups in a vault are locked, and not for ever.", vaults_locked),
    Rule("snapshots-on", "The provider makes snapshots of the store.", snapshots_on, mandatory=False),
)
