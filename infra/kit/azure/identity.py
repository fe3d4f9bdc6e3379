"""Who the site is: an identity that may pull images and read secrets, and nothing else."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, managedidentity

from contract import NAME, TAGS

# Azure's own roles: learn.microsoft.com/azure/role-based-access-control/built-in-roles
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
KEY_VAULT_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"


@dataclass(frozen=True)
class IdentityArgs:
    """What it may read from."""

    group: pulumi.Input[str]
    registry_id: pulumi.Input[str]
    vault_id: pulumi.Input[str]


class Identity(pulumi.ComponentResource):
    """The identity, and the role assignments that the site has to wait for."""

    id: pulumi.Output[str]
    client_id: pulumi.Output[str]
    roles: list[pulumi.Resource]

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Identity", name, opts=opts)
        user = managedidentity.UserAssignedIdentity(
            NAME, resource_group_name=args.group, tags=TAGS, opts=pulumi.ResourceOptions(parent=self)
        )
        self.id, self.client_id = user.id, user.client_id
        subscription = authorization.get_client_config_output().subscription_id
        self.roles = [
            authorization.RoleAssignment(
                role,
                scope=scope,
                principal_id=user.principal_id,
                principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
                role_definition_id=pulumi.Output.concat(
                    "/subscriptions/", subscription, "/providers/Microsoft.Authorization/roleDefinitions/", definition
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for role, scope, definition in (
                ("pull-images", args.registry_id, ACR_PULL),
                ("read-secrets", args.vault_id, KEY_VAULT_SECRETS_USER),
            )
        ]
        self.register_outputs({})
