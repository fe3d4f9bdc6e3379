"""What the app of a stack runs as, by the stack's state: how it is deployed anew, and where task-assist is typed in it.

`pulumi up` deploys nothing where nothing has changed. Each cloud has a command of its own that starts the same version
anew without changing what Pulumi knows. For Cloud Run there is none: whatever makes a new revision there is a change.
"""

import shlex
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RunsAs:
    """`anew`: a shell's line, None where there is none. `shell`: empty where nobody can type in it."""

    anew: str | None = None
    shell: list[str] = field(default_factory=list)


def runs_as(exported: dict[str, Any], up: list[str]) -> RunsAs:
    """`exported`: what `pulumi stack export` prints. `up`: the stack's `pulumi up`, in words."""
    resources = (exported.get("deployment") or {}).get("resources") or []
    for resource in resources:
        kind, outputs = resource["type"], resource.get("outputs") or {}
        if kind == "aws:ecs/service:Service":
            return RunsAs(anew_on_aws(outputs["cluster"], outputs["name"]))
        if kind == "azure-native:web:WebApp":
            return RunsAs(anew_on_azure(resource["id"]))
        if kind == "gcp:compute/instance:Instance":
            return RunsAs(anew_on_google(outputs["name"], outputs["zone"], outputs["project"]))
        if kind == "docker:index/container:Container" and resource["urn"].endswith("::hosting-container"):
            host = _docker_host(resources)
            shell = ["docker", *(["--host", host] if host else []), "exec", outputs["name"], "task-assist"]
            return RunsAs(shlex.join([*up, "--replace", resource["urn"]]), shell)
    return RunsAs()


def anew_on_aws(cluster: str, service: str) -> str:
    """docs.aws.amazon.com/cli/latest/reference/ecs/update-service.html. `cluster`: its ARN, which has the region."""
    where = ["--cluster", cluster, "--region", cluster.split(":")[3]]
    told = ["--query", "service.status", "--output", "text"]
    return shlex.join(["aws", "ecs", "update-service", *where, "--service", service, "--force-new-deployment", *told])


def anew_on_azure(site: str) -> str:
    """`site`: its ID, /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Web/sites/NAME."""
    parts = site.strip("/").split("/")
    which = ["--subscription", parts[1], "--resource-group", parts[3], "--name", parts[-1]]
    return shlex.join(["az", "webapp", "restart", *which])


def anew_on_google(vm: str, zone: str, project: str) -> str:
    """Stopped as at a redeploy, and started; a reset would do it as a power cut does."""
    which = [vm, "--zone", zone, "--project", project]
    return " && ".join(shlex.join(["gcloud", "compute", "instances", verb, *which]) for verb in ("stop", "start"))


def _docker_host(resources: list[dict[str, Any]]) -> str:
    """docker:host of the stack's config; empty for this machine's own."""
    providers = (each for each in resources if each["type"] == "pulumi:providers:docker")
    hosts = ((each.get("inputs") or {}).get("host") for each in providers)
    return next((host for host in hosts if isinstance(host, str) and host), "")
