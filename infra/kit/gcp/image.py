"""Artifact Registry: the app's images, and Docker Hub's by way of Google, for machines without a public address."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import NAME, TAGS, stem
from kit import image
from kit.gcp.region import region

VERSIONS_KEPT = 20


@dataclass(frozen=True)
class ImageArgs:
    """`ready` is an image with its digest, or None to build one. `readers` are accounts by a name for the grant."""

    project: pulumi.Output[str]
    ready: str | None
    readers: Mapping[str, pulumi.Output[str]]


class Image(pulumi.ComponentResource):
    """The image, and the registry, which stays when a ready image is set: it holds the versions to roll back to."""

    image: pulumi.Output[str]
    # Docker Hub's official images begin with this.
    docker_hub: pulumi.Output[str]
    host: pulumi.Output[str]
    # What has to be there before the readers pull.
    grants: list[pulumi.Resource]

    def __init__(self, name: str, args: ImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        opts = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(aliases=[pulumi.Alias(name="registry")]), opts)
        super().__init__("task-assist:gcp:Registry", name, opts=opts)
        own, hub = self.own(name, args.project), self.docker_hub_by_way_of_google(name, args.project)
        self.docker_hub = pulumi.Output.concat(hub.registry_uri, "/library/")
        self.host = own.registry_uri.apply(lambda uri: uri.partition("/")[0])
        self.grants = [
            self.readable(f"{who}-{number}", f"{name}-{who}-{number}", repository, member)
            for who, member in args.readers.items()
            for number, repository in enumerate((own, hub), start=1)
        ]
        self.image = pulumi.Output.from_input(args.ready) if args.ready else self.build(own)
        self.register_outputs({"image": self.image})

    def own(self, name: str, project: pulumi.Output[str]) -> gcp.artifactregistry.Repository:
        return gcp.artifactregistry.Repository(
            f"{name}-own",
            project=project,
            location=region(),
            repository_id=stem(),
            format="DOCKER",
            cleanup_policies=cleanup(),
            labels=TAGS,
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name=NAME)]),
        )

    def docker_hub_by_way_of_google(self, name: str, project: pulumi.Output[str]) -> gcp.artifactregistry.Repository:
        return gcp.artifactregistry.Repository(
            f"{name}-docker-hub",
            project=project,
            location=region(),
            repository_id=f"{stem()}-docker-hub",
            format="DOCKER",
            mode="REMOTE_REPOSITORY",
            remote_repository_config=gcp.artifactregistry.RepositoryRemoteRepositoryConfigArgs(
                docker_repository=gcp.artifactregistry.RepositoryRemoteRepositoryConfigDockerRepositoryArgs(
                    public_repository="DOCKER_HUB"
                )
            ),
            labels=TAGS,
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name="docker-hub")]),
        )

    def build(self, own: gcp.artifactregistry.Repository) -> pulumi.Output[str]:
        target = image.Registry(
            host=self.host,
            repository=pulumi.Output.concat(own.registry_uri, f"/{NAME}"),
            username="oauth2accesstoken",
            password=gcp.organizations.get_client_config_output().access_token,
        )
        return image.built(target, pulumi.ResourceOptions(parent=self))

    def readable(
        self, earlier: str, name: str, repository: gcp.artifactregistry.Repository, member: pulumi.Output[str]
    ) -> pulumi.Resource:
        return gcp.artifactregistry.RepositoryIamMember(
            name,
            project=repository.project,
            location=repository.location,
            repository=repository.name,
            role="roles/artifactregistry.reader",
            member=member,
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name=earlier)]),
        )


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
