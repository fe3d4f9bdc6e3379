"""Getting a backup back: what AWS Backup needs to restore, and a task that puts the restored database in its place."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import DATABASE_PATH, MOUNT_PATH, TAGS, stem
from kit.aws.identity import Role
from kit.aws.policy import assumed_by
from kit.aws.snapshots import SERVICE, may_do
from kit.aws.storage import DIRECTORY
from kit.aws.task import TaskArgs, task

ROOT = "/restored"
BRINGS_BACK = "AWSBackupServiceRolePolicyForRestores"
# Exit codes of `task-assist verify` and `restore`, as their --help lists them: sound without a manifest; and an app
# that does not hand the database over, or a file that can't be read or has no room.
UNPROVEN, STILL_IN_USE = 3, 1
# Each try waits 20 s for an app to hand over, and the next one follows after 10: five minutes for one to be stopped.
TRIES = 10
FILE = DATABASE_PATH.rpartition("/")[2]
# What AWS Backup restored is files as they lay on the disk, so the log beside the database belongs to it. The copy is
# made in the app's directory, through the app's own access point: what is written there belongs to the image's user.
SCRIPT = f"""set -eu
say() {{ echo "restore: $*"; }}
found=$(find {ROOT} -mindepth 1 -maxdepth 1 -type d -name 'aws-backup-restore_*' | sort | tail -n 1)
[ -n "$found" ] || {{ say "AWS Backup has restored nothing into this file system yet."; exit 1; }}
from="$found{DIRECTORY}"
copy={MOUNT_PATH}/.from-backup
say "checking what lies in $from"
rm -rf "$copy"; mkdir -m 700 "$copy"
for file in {FILE} {FILE}-wal; do [ ! -e "$from/$file" ] || cp "$from/$file" "$copy/$file"; done
task-assist verify --fold "$copy/{FILE}" || [ $? = {UNPROVEN} ]
say "putting it in the place of the present database, which is kept beside it"
tries={TRIES}
until task-assist restore "$copy/{FILE}"; do
  code=$? tries=$((tries - 1))
  [ $code = {STILL_IN_USE} ] && [ $tries -gt 0 ] || {{ say "nothing was replaced (exit code $code)"; exit $code; }}
  sleep 10
done
rm -rf "$copy" "$found"
say "done: start the app again"
"""


@dataclass(frozen=True)
class RestoreArgs:
    """The app's image, the roles and the log of its tasks, and the doors of the file system."""

    image: pulumi.Input[str]
    machine: str
    start: Role
    role: Role
    file_system_id: pulumi.Input[str]
    app_point_id: pulumi.Input[str]
    root_point_id: pulumi.Input[str]
    log_group: pulumi.Input[str]


class Restore(pulumi.ComponentResource):
    """A role and a task definition with names that docs/deploy/aws.md can type. Nothing runs until somebody does."""

    def __init__(self, name: str, args: RestoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:aws:Restore", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        own_name = f"{stem()}-restore"
        role = aws.iam.Role(
            f"{name}-backup", name=own_name, assume_role_policy=assumed_by(SERVICE), tags=TAGS, opts=child
        )
        may_do(f"{name}-backup", role, BRINGS_BACK, child)
        definition = task(
            f"{name}-task",
            TaskArgs(
                family=own_name,
                machine=args.machine,
                image=args.image,
                start=args.start,
                role=args.role,
                file_system_id=args.file_system_id,
                mounts={MOUNT_PATH: args.app_point_id, ROOT: args.root_point_id},
                log_group=args.log_group,
                container={"command": ["sh", "-c", SCRIPT]},
            ),
            child,
        )
        self.register_outputs({"role_arn": role.arn, "definition_arn": definition.arn})
