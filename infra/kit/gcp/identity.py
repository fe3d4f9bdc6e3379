"""Who runs what: a service account for each, made first, so that whoever has something to give grants it to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from contract import stem
from kit.gcp import earlier

# What each may do in the whole project. What belongs to one secret, registry or job is granted there.
ROLES: Mapping[str, Sequence[str]] = {
    "vm": ("roles/logging.logWriter", "roles/monitoring.metricWriter"),
    # The proxy, the app on Cloud Run and the job that hands the share over may do nothing there.
    "front": (),
    "app": (),
    "hand-over": (),
    "backups": ("roles/file.editor",),
    # Stops and starts the VM, makes and swaps its boot disk: Google has no role for one VM and its disks.
    "renewal": ("roles/compute.instanceAdmin.v1",),
}


@dataclass(frozen=True)
class IdentityArgs:
    """`who` are keys of ROLES."""

    project: pulumi.Output[str]
    who: Sequence[str]


@dataclass(frozen=True)
class Account:
    """`ready` is what has to be there before the account can do its work."""

    email: pulumi.Output[str]
    member: pulumi.Output[str]
    name: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]


class Identity(pulumi.ComponentResource):
    """The service accounts, by what they are for."""

    accounts: Mapping[str, Account]

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:gcp:Identity", name, opts=opts)
        self.accounts = {who: self.account(name, who, args.project) for who in args.who}
        self.register_outputs({"emails": {who: account.email for who, account in self.accounts.items()}})

    def account(self, name: str, who: str, project: pulumi.Output[str]) -> Account:
        made = gcp.serviceaccount.Account(
            f"{name}-{who}",
            project=project,
            account_id=f"{stem()}-{who}",
            opts=pulumi.ResourceOptions(parent=self, aliases=list(earlier.account(who))),
        )
        grants = [
            gcp.projects.IAMMember(
                f"{name}-{who}-{role.partition('/')[2]}",
                project=project,
                role=role,
                member=made.member,
                opts=pulumi.ResourceOptions(parent=self, aliases=list(earlier.grant(who, role))),
            )
            for role in ROLES[who]
        ]
        return Account(made.email, made.member, made.name, grants)
