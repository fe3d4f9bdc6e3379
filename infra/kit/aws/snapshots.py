"""AWS Backup: daily, weekly and monthly recovery points of the file system, and a copy of them in another region."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from config import Keep, Schedule
from contract import NAME, TAGS, Kept, stem
from kit import earlier
from kit.aws.policy import assumed_by

EARLIER = "task-assist:aws:Backups"
SERVICE = "backup.amazonaws.com"
MAKES = "AWSBackupServiceRolePolicyForBackup"


@dataclass(frozen=True)
class SnapshotsArgs:
    """What to back up, when (None: never), how many to keep, and the region of the copies ("": none)."""

    file_system_arn: pulumi.Input[str]
    schedule: Schedule | None
    keep: Keep
    copy_region: str


class Snapshots(pulumi.ComponentResource):
    """A locked vault, a plan, and the file system put under it.

    The vault stays where no more backups are made: it holds the earlier ones.
    """

    vault_name: pulumi.Output[str]
    kept: list[Kept]

    def __init__(self, name: str, args: SnapshotsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        was = pulumi.ResourceOptions(aliases=[earlier.urn(EARLIER, "backups")])
        super().__init__("task-assist:aws:Snapshots", name, opts=pulumi.ResourceOptions.merge(opts, was))
        self.name = name
        vault = self.vault("vault", None, [earlier.urn(f"{EARLIER}$aws:backup/vault:Vault", NAME)])
        copies = self.vault("copies", args.copy_region, []) if args.copy_region else None
        self.vault_name = vault.name
        if args.schedule:
            rules = rules_of(vault.name, args.schedule, args.keep, copies.arn if copies else None)
            self.put_under(args.file_system_arn, rules)
        self.kept = [kept("backup vault ", vault), *([kept("backup vault of the copies, ", copies)] if copies else [])]
        self.register_outputs({"vault_name": self.vault_name})

    def vault(self, name: str, region: str | None, was: list[str]) -> aws.backup.Vault:
        """A vault out of which nobody deletes a recovery point before its time, unless they take the lock off first.

        The lock is in governance mode, because it names no `changeable_for_days`: with those it would become one that
        nobody, AWS included, can ever take off (Backup's PutBackupVaultLockConfiguration). A change of the lock would
        be a new one, whose predecessor's deletion would take it off; so it is the same for every retention.
        """
        vault = aws.backup.Vault(
            f"{self.name}-{name}",
            name=stem(),
            region=region,
            tags=TAGS,
            # Deleting it would need every recovery point in it deleted first.
            opts=pulumi.ResourceOptions(parent=self, protect=True, aliases=[*was], ignore_changes=["name"]),
        )
        aws.backup.VaultLockConfiguration(
            f"{self.name}-{name}-lock",
            backup_vault_name=vault.name,
            region=region,
            min_retention_days=1,
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        return vault

    def put_under(self, file_system_arn: pulumi.Input[str], rules: list[aws.backup.PlanRuleArgs]) -> None:
        """Has AWS Backup make recovery points of the file system by these rules."""
        child = pulumi.ResourceOptions(parent=self)
        plan = aws.backup.Plan(f"{self.name}-plan", name=stem(), rules=rules, tags=TAGS, opts=child)
        role = aws.iam.Role(f"{self.name}-make", assume_role_policy=assumed_by(SERVICE), tags=TAGS, opts=child)
        may = may_do(f"{self.name}-make", role, MAKES, child)
        aws.backup.Selection(
            f"{self.name}-data",
            plan_id=plan.id,
            iam_role_arn=role.arn,
            resources=[file_system_arn],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[may]),
        )


def may_do(name: str, role: aws.iam.Role, policy: str, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """Lets AWS Backup's role do what one of its own policies, AWSBackupServiceRolePolicyFor…, lists."""
    partition = aws.get_partition_output().partition
    arn = pulumi.Output.concat("arn:", partition, ":iam::aws:policy/service-role/", policy)
    return aws.iam.RolePolicyAttachment(name, role=role.name, policy_arn=arn, opts=opts)


def kept(what: str, vault: aws.backup.Vault) -> Kept:
    return Kept(pulumi.Output.concat(what, vault.name), "locked and protected with its recovery points, billed by size")


def rules_of(
    vault: pulumi.Input[str], schedule: Schedule, keep: Keep, copies: pulumi.Input[str] | None
) -> list[aws.backup.PlanRuleArgs]:
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
            copy_actions=[copied(copies, days)] if copies else [],
        )
        for kind, cron, days in kinds
        if days
    ]


def daily(schedule: Schedule | None, keep: Keep) -> bool:
    """Whether a backup is made every day."""
    return schedule is not None and max(keep.daily, keep.last) > 0


def copied(vault_arn: pulumi.Input[str], days: int) -> aws.backup.PlanRuleCopyActionArgs:
    """A copy that lives as long as the recovery point itself."""
    lifecycle = aws.backup.PlanRuleCopyActionLifecycleArgs(delete_after=days)
    return aws.backup.PlanRuleCopyActionArgs(destination_vault_arn=vault_arn, lifecycle=lifecycle)
