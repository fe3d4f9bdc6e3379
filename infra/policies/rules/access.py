"""Rules about who gets at what: encryption in transit, closed ports, HTTPS, secrets, public blobs, pinned images."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from rules.containers import DOCKER, TASK, containers, images
from rules.model import UNKNOWN, Planned, Rule, Violation, get, items, of

ACCOUNT = "azure-native:storage:StorageAccount"
# All that a mount may do, as a policy of EFS names it.
MOUNTS = ("*", "elasticfilesystem:*", "elasticfilesystem:Client*")
WORLD = {"0.0.0.0/0", "::/0", "*", "Internet"}
STORAGE_PORTS = (445, 2049)
TODAYS_TLS = ("TLS1_2", "TLS1_3", UNKNOWN)
# A name that ends in _FILE says where a secret is, not what it is.
SECRET_NAME = re.compile(r"(PASSWORD|SECRET|TOKEN|_KEY$|PASSPHRASE)(?!.*_FILE$)")
REFERENCE = re.compile(r"@Microsoft\.KeyVault\(|@AppSettingRef\(")


def smb_and_efs_encrypted(resources: Sequence[Planned]) -> Iterator[Violation]:
    for account in of(resources, ACCOUNT):
        if get(account.props, "enableHttpsTrafficOnly") is False:
            yield Violation(account, "SMB without encryption is let in. Set enable_https_traffic_only=True.")
        if get(account.props, "minimumTlsVersion") not in TODAYS_TLS:
            yield Violation(account, "It answers TLS that is broken. Set minimum_tls_version=TLS1_2.")
    for task in of(resources, "aws:ecs/taskDefinition:TaskDefinition"):
        for volume in items(task.props, "volumes"):
            efs = get(volume, "efsVolumeConfiguration")
            if efs and get(efs, "transitEncryption") not in ("ENABLED", UNKNOWN):
                yield Violation(
                    task, f"Volume {get(volume, 'name')} is mounted in clear. Set transit_encryption=ENABLED."
                )
    for system in of(resources, "aws:efs/fileSystem:FileSystem"):
        yield from efs_refuses_clear(system, resources)


def efs_refuses_clear(system: Planned, resources: Sequence[Planned]) -> Iterator[Violation]:
    """The file system itself must refuse: whoever else reaches it could mount it in clear."""
    policies = [
        get(policy.props, "policy", "{}") for policy in of(resources, "aws:efs/fileSystemPolicy:FileSystemPolicy")
    ]
    if not any(text is UNKNOWN or denies_clear(json.loads(text), MOUNTS) for text in policies):
        yield Violation(system, "It has no policy that denies mounts without TLS: EFS admits whoever reaches it.")


def denies_clear(policy: Mapping[str, Any], actions: Collection[str], on: Callable[[list[str]], bool] = bool) -> bool:
    """Whether one statement refuses everybody whatever comes without TLS: one of these `actions`, `on` its resources,
    and under no other condition."""
    return any(
        denies_everybody(statement)
        and not set(actions).isdisjoint(each(statement, "Action"))
        and on(each(statement, "Resource"))
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in policy.get("Statement", [])
    )


def denies_everybody(statement: Mapping[str, Any]) -> bool:
    return statement["Effect"] == "Deny" and statement.get("Principal") in ("*", {"AWS": "*"})


def each(statement: Mapping[str, Any], key: str) -> list[str]:
    """AWS takes one value, or a list of them."""
    value = statement.get(key, [])
    return [value] if isinstance(value, str) else list(value)


def nfs_encrypted(resources: Sequence[Planned]) -> Iterator[Violation]:
    text = "NFS goes through the private network without encryption; the provider offers none for this mount."
    for instance in of(resources, "gcp:filestore/instance:Instance"):
        yield Violation(instance, text)


def storage_ports_closed(resources: Sequence[Planned]) -> Iterator[Violation]:
    for resource in resources:
        for sources, first, last in openings(resource):
            opened = [str(port) for port in STORAGE_PORTS if covers(first, last, port)]
            if opened and WORLD.intersection(sources):
                yield Violation(resource, f"Port {' and '.join(opened)} is open to the world. Name who may reach it.")


def covers(first: Any, last: Any, port: int) -> bool:
    """Whether a range of ports has this one; a preview may not know the range."""
    return UNKNOWN not in (first, last) and first <= port <= last


def openings(resource: Planned) -> Iterator[tuple[set[str], Any, Any]]:
    """Who is let in to which ports, by security groups and firewalls of every kind."""
    props = resource.props
    if resource.type == "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
        sources = {get(props, "cidrIpv4", ""), get(props, "cidrIpv6", "")}
        yield sources, get(props, "fromPort", 0), get(props, "toPort", 65535)
    elif resource.type == "aws:ec2/securityGroup:SecurityGroup":
        for rule in items(props, "ingress"):
            sources = {*items(rule, "cidrBlocks"), *items(rule, "ipv6CidrBlocks")}
            everything = get(rule, "protocol") == "-1"
            yield (
                sources,
                0 if everything else get(rule, "fromPort", 0),
                65535 if everything else get(rule, "toPort", 0),
            )
    elif resource.type == "gcp:compute/firewall:Firewall":
        sources = {str(source) for source in get(props, "sourceRanges", ["0.0.0.0/0"])}
        for allow in items(props, "allows"):
            for ports in items(allow, "ports") or [get(allow, "ports", "0-65535")]:
                yield sources, *bounds(ports)
    elif resource.type == "azure-native:network:NetworkSecurityGroup":
        for rule in items(props, "securityRules"):
            if get(rule, "access") == "Allow" and get(rule, "direction") == "Inbound":
                yield {get(rule, "sourceAddressPrefix", "*")}, *bounds(get(rule, "destinationPortRange", "*"))


def bounds(ports: str) -> tuple[Any, Any]:
    """The first and last port of "443", "2000-3000" or "*"."""
    if ports is UNKNOWN:
        return UNKNOWN, UNKNOWN
    first, _, last = ports.replace("*", "0-65535").partition("-")
    return int(first), int(last or first)


def https_only(resources: Sequence[Planned]) -> Iterator[Violation]:
    for site in of(resources, "azure-native:web:WebApp"):
        if get(site.props, "httpsOnly") not in (True, UNKNOWN):
            yield Violation(site, "It answers plain HTTP. Set https_only=True.")
    for firewall in of(resources, "gcp:compute/firewall:Firewall"):
        for sources, first, last in openings(firewall):
            if WORLD.intersection(sources) and covers(first, last, 8000):
                yield Violation(firewall, "The app's own port is open to the world, without HTTPS in front.")
    for container in of(resources, DOCKER):
        for port in items(container.props, "ports"):
            inside, where = get(port, "internal"), get(port, "ip", "every address")
            if inside not in (80, 443, UNKNOWN) and where not in ("127.0.0.1", "::1", UNKNOWN):
                yield Violation(container, f"Port {inside:g} is published without HTTPS. Set ip=127.0.0.1.")


def no_publishing(resources: Sequence[Planned]) -> Iterator[Violation]:
    """A Web App is open for uploads with a name and a password, through two doors, until both are shut."""
    for site in of(resources, "azure-native:web:WebApp"):
        for way in ("Scm", "Ftp"):
            doors = [
                door
                for door in of(resources, f"azure-native:web:WebApp{way}Allowed")
                if site.urn in door.depends.get("name", ())
            ]
            if not any(get(door.props, "allow") in (False, UNKNOWN) for door in doors):
                yield Violation(site, f"Code can be put on it with a password. Set WebApp{way}Allowed(allow=False).")


def no_plain_secrets(resources: Sequence[Planned]) -> Iterator[Violation]:
    for container in containers(resources):
        for name, value in container.environment.items():
            if not value or value is UNKNOWN or not SECRET_NAME.search(name) or REFERENCE.match(value):
                continue
            yield Violation(container.resource, f"{name} stands in clear in its settings. Hand it over by reference.")


def no_public_blobs(resources: Sequence[Planned]) -> Iterator[Violation]:
    for account in of(resources, ACCOUNT):
        if get(account.props, "allowBlobPublicAccess") not in (False, UNKNOWN):
            yield Violation(account, "Anybody could be let in to its blobs. Set allow_blob_public_access=False.")
    for bucket in of(resources, "gcp:storage/bucket:Bucket"):
        if get(bucket.props, "publicAccessPrevention") not in ("enforced", UNKNOWN):
            yield Violation(bucket, "Anybody could be let in. Set public_access_prevention=enforced.")


def image_pinned(resources: Sequence[Planned]) -> Iterator[Violation]:
    for resource in resources:
        for image in images(resource):
            if image is not UNKNOWN and "sha256:" not in image:
                yield Violation(resource, f"Its image {image or '(none)'} is a tag, which can move. Name the digest.")


def read_only_root(resources: Sequence[Planned]) -> Iterator[Violation]:
    """What the app may write is its mounts and memory. Web Apps and Cloud Run have no such setting."""
    for task in of(resources, TASK):
        definitions = get(task.props, "containerDefinitions", "[]")
        known: list[Mapping[str, Any]] = [] if definitions is UNKNOWN else json.loads(definitions)
        for container in known:
            if container.get("readonlyRootFilesystem") is not True:
                yield Violation(task, f"{container['name']} may change its image. Set readonlyRootFilesystem.")
    for container in of(resources, DOCKER):
        # One that never runs is how files get into a volume: Docker copies none into a read-only root.
        runs = get(container.props, "start", True) is True
        if runs and get(container.props, "readOnly") not in (True, UNKNOWN):
            yield Violation(container, "It may change its image. Set read_only=True.")


RULES = (
    Rule("smb-and-efs-encrypted", "SMB and EFS are encrypted on their way.", smb_and_efs_encrypted),
    Rule("nfs-encrypted", "NFS inside a private network is not encrypted.", nfs_encrypted, mandatory=False),
    Rule("storage-ports-closed", "2049 and 445 are never open to the world.", storage_ports_closed, alone=True),
    Rule("https-only", "The app is reached through HTTPS only.", https_only, alone=True),
    Rule("no-publishing", "No Web App takes code with a name and a password.", no_publishing),
    Rule("read-only-root", "The app can't change its image.", read_only_root, alone=True),
    Rule("no-plain-secrets", "No secret stands in clear in a container's settings.", no_plain_secrets, alone=True),
    Rule("no-public-blobs", "No blob or object can be made public.", no_public_blobs, alone=True),
    Rule("image-pinned", "Every container runs an image by its digest, proxies too.", image_pinned, alone=True),
)
