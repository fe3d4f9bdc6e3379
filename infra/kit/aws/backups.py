"""AWS Backup: daily, weekly and monthly recovery points of the file system."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from config import Keep, Schedule
from contract import NAME, TAGS, Kept


@dataclass(frozen=True)
class BackupsArgs:
    """What to back up, when, and how many to keep."""

    file_system_arn: pulumi.Input[str]
    schedule: Schedule
    keep: Keep


class Backups(pulumi.ComponentResource):
    """A vault, a plan, and the file system put under it."""

    kept: list[Kept]

    def __init__(self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Backups", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        # Deleting it would need every recovery point in it deleted first.
        vault = aws.backup.Vault(NAME, tags=TAGS, opts=pulumi.ResourceOptions(parent=self, protect=True))
        plan = aws.backup.Plan(NAME, rules=rules(vault.name, args.schedule, args.keep), tags=TAGS, opts=child)
        role = aws.iam.Role("backups", assume_role_policy=json.dumps(assumed_by_backup()), tags=TAGS, opts=child)
        partition = aws.get_partition_output().partition
        policy = aws.iam.RolePolicyAttachment(
            "backups",
            role=role.name,
            policy_arn=pulumi.Output.concat(
                "arn:", partition, ":iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
            ),
            opts=child,
        )
        aws.backup.Selection(
            "data",
            plan_id=plan.id,
            iam_role_arn=role.arn,
            resources=[args.file_system_arn],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.kept = [
            Kept(
                pulumi.Output.concat("backup vault ", vault.name), "protected with its recovery points, billed by size"
            )
        ]
        self.register_outputs({})


def rules(vault: pulumi.Input[str], schedule: Schedule, keep: Keep) -> list[aws.backup.PlanRuleArgs]:
    """One rule for each kind of backup that the config keeps, all at the same time of day."""
    at = f"{schedule.minute} {schedule.hour}"
    kinds = (
        ("daily", f"cron({at} * * ? *)", max(keep.daily, keep.last)),
        ("weekly", f"cron({at} ? * SUN *)", keep.weekly * 7),
        ("monthly", f"cron({at} 1 * ? *)", keep.monthly * 31),
    )
    return [
        aws.backup.PlanRuleArgs(
            rule_name=kind,
            target_vault_name=vault,
            schedule=cron,
            lifecycle=aws.backup.PlanRuleLifecycleArgs(delete_after=days),
        )
        for kind, cron, days in kinds
        if days
    ]


def assumed_by_backup() -> dict[str, object]:
    principal = {"Service": "backup.amazonaws.com"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }
