"""Who the site is: an identity of its own, made first. Each room that it may use grants it one role, and no more."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, managedidentity

from contract import TAGS
from kit.azure.earlier import HOSTING, IDENTITY, urn

# Azure's own roles: learn.microsoft.com/azure/role-based-access-control/built-in-roles
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
KEY_VAULT_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"


@dataclass(frozen=True)
class IdentityArgs:
    """The resource group."""

    group: pulumi.Input[str]


class Identity(pulumi.ComponentResource):
    """The identity, by its resource's, its client's and its principal's ID."""

    id: pulumi.Output[str]
    client_id: pulumi.Output[str]
    principal_id: pulumi.Output[str]

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            IDENTITY,
            name,
            opts=pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(aliases=[urn(f"{HOSTING}${IDENTITY}", "identity")])
            ),
        )
        user = managedidentity.UserAssignedIdentity(
            f"{name}-user",
            resource_group_name=args.group,
            tags=TAGS,
            opts=pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name="task-assist")]),
        )
        self.id, self.client_id, self.principal_id = user.id, user.client_id, user.principal_id
        self.register_outputs({"id": self.id, "client_id": self.client_id, "principal_id": self.principal_id})


def may(
    name: str,
    role: pulumi.Input[str],
    principal_id: pulumi.Input[str],
    scope: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Resource:
    """The assignment of a role, by its GUID, on one resource; who uses the role has to wait for it."""
    subscription = authorization.get_client_config_output().subscription_id
    return authorization.RoleAssignment(
        name,
        scope=scope,
        principal_id=principal_id,
        principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
        role_definition_id=pulumi.Output.concat(
            "/subscriptions/", subscription, "/providers/Microsoft.Authorization/roleDefinitions/", role
        ),
        opts=opts,
    )
