"""The Google APIs that the stack needs, switched on by the stack itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from config import StackConfig

ALWAYS = (
    "artifactregistry",
    "cloudresourcemanager",
    "cloudscheduler",
    "compute",
    "iam",
    "run",
    "secretmanager",
    "storage",
)


def wanted(config: StackConfig) -> tuple[str, ...]:
    """The APIs of everything that the config asks for."""
    filestore = ("file",) if config.storage == "filestore" else ()
    alerts = ("logging", "monitoring") if config.alert_email else ()
    budget = ("billingbudgets",) if config.monthly_budget else ()
    return ALWAYS + filestore + alerts + budget


@dataclass(frozen=True)
class ApisArgs:
    """The APIs' names, without `.googleapis.com`."""

    wanted: Sequence[str]


class Apis(pulumi.ComponentResource):
    """The project, known once its APIs are on: whoever names it this way waits for them."""

    project: pulumi.Output[str]

    def __init__(self, name: str, args: ApisArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Apis", name, opts=opts)
        on = [
            gcp.projects.Service(
                f"{name}-{api}",
                service=f"{api}.googleapis.com",
                # Others in the project may use it too.
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name=api)]),
            )
            for api in args.wanted
        ]
        # Of the others the URN, which a preview knows too. Their project it doesn't know of an API that is new:
        # it would say that all which holds data is made anew in another project, and refuse.
        rest = [service.urn for service in on[1:]]
        self.project = pulumi.Output.all(on[0].project, *rest).apply(lambda known: str(known[0]))
        self.register_outputs({"project": self.project})
