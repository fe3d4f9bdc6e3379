"""The container registry, and the image in it."""

import json
import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import NAME, TAGS, stem
from kit import earlier
from kit import image as kit_image
from kit.aws.identity import grant
from kit.aws.policy import Statement, allow

VERSIONS_KEPT = 20
PRIVATE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^@:]+)[@:].*")
EARLIER = "task-assist:aws:Registry"


@dataclass(frozen=True)
class ImageArgs:
    """`ready` is an image with its digest, or None to build one; `puller` the role that pulls it."""

    ready: str | None
    puller: pulumi.Input[str]


class Image(pulumi.ComponentResource):
    """What the task runs. The registry stays when a ready image is set: it holds the versions to roll back to."""

    reference: pulumi.Output[str]
    # None when the image needs no permission.
    granted: pulumi.Resource | None

    def __init__(self, name: str, args: ImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Image", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        repository = aws.ecr.Repository(
            f"{name}-versions",
            name=stem(),
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            # Images can be built again, and a repository with images in it would stop `destroy`.
            force_delete=True,
            tags=TAGS,
            opts=pulumi.ResourceOptions.merge(
                self.was("aws:ecr/repository:Repository", NAME), pulumi.ResourceOptions(ignore_changes=["name"])
            ),
        )
        aws.ecr.LifecyclePolicy(
            f"{name}-versions",
            repository=repository.name,
            policy=json.dumps(keep_versions()),
            # A second one of the same repository would end with the first one's deletion.
            opts=self.was("aws:ecr/lifecyclePolicy:LifecyclePolicy", "versions"),
        )
        self.reference = pulumi.Output.from_input(args.ready) if args.ready else built(repository, child)
        pull_from = private_repository(args.ready) if args.ready else repository.arn
        self.granted = grant(f"{name}-pull", args.puller, pull(pull_from), child) if pull_from else None
        self.register_outputs({"reference": self.reference})

    def was(self, type_: str, name: str) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, aliases=[earlier.urn(f"{EARLIER}${type_}", name)])


def built(repository: aws.ecr.Repository, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """This repository's image, pushed with a token that lasts for 12 hours."""
    token = aws.ecr.get_authorization_token_output(registry_id=repository.registry_id)
    url = repository.repository_url
    target = kit_image.Registry(host=url, repository=url, username=token.user_name, password=token.password)
    return kit_image.built(target, opts)


def private_repository(reference: str) -> pulumi.Output[str] | None:
    """The ARN of the private ECR repository that an image reference names, or None for another registry."""
    found = PRIVATE.fullmatch(reference)
    if not found:
        return None
    partition = aws.get_partition_output().partition
    return pulumi.Output.concat(
        "arn:", partition, f":ecr:{found['region']}:{found['account']}:repository/{found['repository']}"
    )


def pull(repository: pulumi.Output[str]) -> list[Statement]:
    """What pulling takes. The token is for all of ECR: AWS knows no narrower resource for it."""
    layers = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
    return [allow(["ecr:GetAuthorizationToken"], "*"), allow(layers, repository)]


def keep_versions() -> dict[str, object]:
    """An ECR life-cycle policy that keeps the newest images, tagged or not."""
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": VERSIONS_KEPT}
    rule = {
        "rulePriority": 1,
        "description": f"keep {VERSIONS_KEPT} versions",
        "selection": selection,
        "action": {"type": "expire"},
    }
    return {"rules": [rule]}
