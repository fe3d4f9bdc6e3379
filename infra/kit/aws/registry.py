"""The container registry, and the image in it."""

import json
import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import NAME, TAGS
from kit import image

VERSIONS_KEPT = 20
PRIVATE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^@:]+)[@:].*")


@dataclass(frozen=True)
class RegistryArgs:
    """`ready` is an image with its digest, or None to build one."""

    ready: str | None


class Registry(pulumi.ComponentResource):
    """The registry stays when a ready image is set: it holds the versions to roll back to."""

    image: pulumi.Output[str]
    # The repository's ARN that the task pulls from; None when the image needs no permission.
    pull_from: pulumi.Output[str] | None

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Registry", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        repository = aws.ecr.Repository(
            NAME,
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            # Images can be built again, and a repository with images in it would stop `destroy`.
            force_delete=True,
            tags=TAGS,
            opts=child,
        )
        aws.ecr.LifecyclePolicy("versions", repository=repository.name, policy=json.dumps(keep_versions()), opts=child)
        if args.ready:
            self.image = pulumi.Output.from_input(args.ready)
            self.pull_from = private_repository(args.ready)
        else:
            token = aws.ecr.get_authorization_token_output(registry_id=repository.registry_id)
            target = image.Registry(
                host=repository.repository_url,
                repository=repository.repository_url,
                username=token.user_name,
                password=token.password,
            )
            self.image = image.built(target, child)
            self.pull_from = repository.arn
        self.register_outputs({})


def private_repository(reference: str) -> pulumi.Output[str] | None:
    """The ARN of the private ECR repository that an image reference names, or None for another registry."""
    found = PRIVATE.fullmatch(reference)
    if not found:
        return None
    partition = aws.get_partition_output().partition
    return pulumi.Output.concat(
        "arn:", partition, f":ecr:{found['region']}:{found['account']}:repository/{found['repository']}"
    )


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
