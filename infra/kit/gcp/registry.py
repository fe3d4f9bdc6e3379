"""Artifact Registry: the app's images, and Docker Hub's by way of Google, for machines without a public address."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import NAME, TAGS
from kit import image
from kit.gcp.region import region

VERSIONS_KEPT = 20


@dataclass(frozen=True)
class RegistryArgs:
    """`ready` is an image with its digest, or None to build one."""

    project: pulumi.Output[str]
    ready: str | None


class Registry(pulumi.ComponentResource):
    """The registry stays when a ready image is set: it holds the versions to roll back to."""

    image: pulumi.Output[str]
    # Docker Hub's official images begin with this.
    docker_hub: pulumi.Output[str]
    host: pulumi.Output[str]
    repositories: list[gcp.artifactregistry.Repository]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Registry", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        own = gcp.artifactregistry.Repository(
            NAME,
            project=args.project,
            location=region(),
            repository_id=NAME,
            format="DOCKER",
            cleanup_policies=cleanup(),
            labels=TAGS,
            opts=child,
        )
        hub = gcp.artifactregistry.Repository(
            "docker-hub",
            project=args.project,
            location=region(),
            repository_id=f"{NAME}-docker-hub",
            format="DOCKER",
            mode="REMOTE_REPOSITORY",
            remote_repository_config=gcp.artifactregistry.RepositoryRemoteRepositoryConfigArgs(
                docker_repository=gcp.artifactregistry.RepositoryRemoteRepositoryConfigDockerRepositoryArgs(
                    public_repository="DOCKER_HUB"
                )
            ),
            labels=TAGS,
            opts=child,
        )
        self.repositories = [own, hub]
        self.docker_hub = pulumi.Output.concat(hub.registry_uri, "/library/")
        self.host = own.registry_uri.apply(lambda uri: uri.partition("/")[0])
        if args.ready:
            self.image = pulumi.Output.from_input(args.ready)
        else:
            target = image.Registry(
                host=self.host,
                repository=pulumi.Output.concat(own.registry_uri, f"/{NAME}"),
                username="oauth2accesstoken",
                password=gcp.organizations.get_client_config_output().access_token,
            )
            self.image = image.built(target, child)
        self.register_outputs({})

    def readable_by(self, member: pulumi.Input[str], name: str) -> list[pulumi.Resource]:
        """Lets one account pull from both repositories."""
        return [
            gcp.artifactregistry.RepositoryIamMember(
                f"{name}-{number}",
                project=repository.project,
                location=repository.location,
                repository=repository.name,
                role="roles/artifactregistry.reader",
                member=member,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for number, repository in enumerate(self.repositories, start=1)
        ]


def cleanup() -> list[gcp.artifactregistry.RepositoryCleanupPolicyArgs]:
    """Deletes what is older than a month, but never the newest versions."""
    args = gcp.artifactregistry
    return [
        args.RepositoryCleanupPolicyArgs(
            id="old",
            action="DELETE",
            condition=args.RepositoryCleanupPolicyConditionArgs(tag_state="ANY", older_than="2592000s"),
        ),
        args.RepositoryCleanupPolicyArgs(
            id="newest",
            action="KEEP",
            most_recent_versions=args.RepositoryCleanupPolicyMostRecentVersionsArgs(keep_count=VERSIONS_KEPT),
        ),
    ]
