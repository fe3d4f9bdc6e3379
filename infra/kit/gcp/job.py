"""A job on a schedule: Google's command line in a container of Cloud Run's, started by Cloud Scheduler."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import TAGS, stem
from kit.gcp.identity import Account
from kit.gcp.region import region

# 578.0.0-stable; its registry's index of 2026-08-02. From Google's own registry, which needs no credential.
GCLOUD = (
    "gcr.io/google.com/cloudsdktool/google-cloud-cli"
    "@sha256:39f4c48c083fb1d8d182eedc7de97545980afb646b1afdfec61a3f560969bc96"
)


@dataclass(frozen=True)
class JobArgs:
    """A bash script, the cron line (UTC) that starts it, who it runs as, and after how many seconds it is stopped.

    `runs_as` is another service account's full name: one that the script starts machines with.
    """

    project: pulumi.Output[str]
    script: pulumi.Input[str]
    cron: str
    account: Account
    seconds: int
    runs_as: pulumi.Output[str] | None = None


class ScheduledJob(pulumi.ComponentResource):
    """The job, the schedule, and the right to start the one by way of the other."""

    def __init__(self, name: str, args: JobArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:ScheduledJob", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        job = self.job(name, args)
        gcp.cloudrunv2.JobIamMember(
            f"{name}-start",
            project=args.project,
            location=region(),
            name=job.name,
            role="roles/run.invoker",
            member=args.account.member,
            opts=child,
        )
        if args.runs_as:
            gcp.serviceaccount.IAMMember(
                f"{name}-runs-as",
                service_account_id=args.runs_as,
                role="roles/iam.serviceAccountUser",
                member=args.account.member,
                opts=child,
            )
        gcp.cloudscheduler.Job(
            f"{name}-schedule",
            name=f"{stem()}-{name}",
            project=args.project,
            region=region(),
            schedule=args.cron,
            time_zone="Etc/UTC",
            http_target=gcp.cloudscheduler.JobHttpTargetArgs(
                http_method="POST",
                uri=pulumi.Output.concat("https://run.googleapis.com/v2/", job.id, ":run"),
                oauth_token=gcp.cloudscheduler.JobHttpTargetOauthTokenArgs(service_account_email=args.account.email),
            ),
            opts=child,
        )
        self.register_outputs({"job": job.name})

    def job(self, name: str, args: JobArgs) -> gcp.cloudrunv2.Job:
        run = gcp.cloudrunv2
        return run.Job(
            f"{name}-job",
            name=f"{stem()}-{name}",
            project=args.project,
            location=region(),
            deletion_protection=False,
            template=run.JobTemplateArgs(
                template=run.JobTemplateTemplateArgs(
                    service_account=args.account.email,
                    # What failed half-way is for a person to look at: a second try would begin from the start.
                    max_retries=0,
                    timeout=f"{args.seconds}s",
                    containers=[
                        run.JobTemplateTemplateContainerArgs(image=GCLOUD, commands=["bash", "-c", args.script])
                    ],
                )
            ),
            labels=TAGS,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.account.ready)),
        )
