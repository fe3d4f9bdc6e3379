"""The Google APIs that the stack needs, switched on by the stack itself."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

ALWAYS = ("artifactregistry", "cloudresourcemanager", "compute", "iam", "run", "secretmanager")
FOR_FILESTORE = ("cloudscheduler", "file")


@dataclass(frozen=True)
class ApisArgs:
    """Whether Filestore's are wanted too."""

    filestore: bool


class Apis(pulumi.ComponentResource):
    """The project, known once its APIs are on: whoever names it this way waits for them."""

    project: pulumi.Output[str]

    def __init__(self, name: str, args: ApisArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Apis", name, opts=opts)
        wanted = ALWAYS + (FOR_FILESTORE if args.filestore else ())
        on = [
            gcp.projects.Service(
                api,
                service=f"{api}.googleapis.com",
                # Others in the project may use it too.
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for api in wanted
        ]
        self.project = pulumi.Output.all(*(service.project for service in on)).apply(lambda projects: str(projects[0]))
        self.register_outputs({})
