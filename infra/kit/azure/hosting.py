"""The Web App: one Linux container with the share mounted at /app/data."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import monitor, operationalinsights, web

from contract import HEALTH_PATH, MOUNT_PATH, PASSWORD_VARIABLE, PORT, STOP_SECONDS, TAGS, environment
from kit.azure.identity import Identity, IdentityArgs
from kit.azure.storage import Storage

# The mount's name in the site, of the first deployments.
MOUNT_ID = "TaskManagerData"
KEY_VARIABLE = "STORAGE_ACCOUNT_KEY"
LOG_DAYS = 30
LOGS = ("AppServiceConsoleLogs", "AppServiceHTTPLogs", "AppServicePlatformLogs")


@dataclass(frozen=True)
class HostingArgs:
    """`name` is the site's, `…_uri` are the secrets' addresses in the vault, `subnet_id` is set for an NFS share."""

    group: pulumi.Input[str]
    name: pulumi.Output[str]
    image: pulumi.Output[str]
    registry_id: pulumi.Input[str]
    vault_id: pulumi.Input[str]
    password_uri: pulumi.Output[str]
    storage_key_uri: pulumi.Output[str]
    storage: Storage
    subnet_id: pulumi.Input[str] | None
    domain: str | None
    admin_email: str
    handover: bool


class Hosting(pulumi.ComponentResource):
    """The site, its plan and its logs."""

    url: pulumi.Output[str]
    site_name: pulumi.Output[str]
    plan_id: pulumi.Output[str]
    verification_id: pulumi.Output[str]

    def __init__(self, name: str, args: HostingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Hosting", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        own = pulumi.Output.concat("https://", args.name, ".azurewebsites.net")
        self.url = pulumi.Output.from_input(f"https://{args.domain}") if args.domain else own
        identity = Identity("identity", IdentityArgs(args.group, args.registry_id, args.vault_id), opts=child)
        plan = web.AppServicePlan(
            "plan",
            resource_group_name=args.group,
            kind="linux",
            reserved=True,
            sku=web.SkuDescriptionArgs(name="B1", tier="Basic", capacity=1),
            tags=TAGS,
            opts=child,
        )
        site = web.WebApp(
            "site",
            name=args.name,
            resource_group_name=args.group,
            kind="app,linux,container",
            server_farm_id=plan.id,
            https_only=True,
            client_affinity_enabled=False,
            identity=web.ManagedServiceIdentityArgs(
                type=web.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            key_vault_reference_identity=identity.id,
            virtual_network_subnet_id=args.subnet_id,
            outbound_vnet_routing=web.OutboundVnetRoutingArgs(application_traffic=True, content_share_traffic=True)
            if args.subnet_id
            else None,
            site_config=site_config(args, self.url, identity.client_id),
            tags=TAGS,
            # The site must not start before it may pull its image and read its secrets.
            opts=pulumi.ResourceOptions(parent=self, depends_on=identity.roles),
        )
        self.site_name, self.plan_id = site.name, plan.id
        self.verification_id = pulumi.Output.secret(site.custom_domain_verification_id).apply(lambda value: value or "")
        logs(args.group, site.id, child)
        self.register_outputs({})


def site_config(args: HostingArgs, url: pulumi.Output[str], client_id: pulumi.Input[str]) -> web.SiteConfigArgs:
    """The site's configuration. The mount is inline, so that no start of the site is without it."""
    smb = args.storage.protocol == "Smb"
    mount = web.AzureStorageInfoValueArgs(
        type=web.AzureStorageType.AZURE_FILES,
        protocol=args.storage.protocol,
        account_name=args.storage.account_name,
        share_name=args.storage.share_name,
        mount_path=MOUNT_PATH,
        # A reference keeps the key out of the configuration; for NFS the platform documents the key alone.
        access_key=f"@AppSettingRef({KEY_VARIABLE})" if smb else args.storage.key,
    )
    return web.SiteConfigArgs(
        linux_fx_version=pulumi.Output.concat("DOCKER|", args.image),
        acr_use_managed_identity_creds=True,
        acr_user_managed_identity_id=client_id,
        app_settings=[web.NameValuePairArgs(name=key, value=value) for key, value in settings(args, url, smb).items()],
        azure_storage_accounts={MOUNT_ID: mount},
        number_of_workers=1,
        always_on=True,
        health_check_path=HEALTH_PATH,
        ftps_state=web.FtpsState.DISABLED,
        min_tls_version=web.SupportedTlsVersions.SUPPORTED_TLS_VERSIONS_1_2,
        http20_enabled=True,
    )


def settings(args: HostingArgs, url: pulumi.Output[str], smb: bool) -> Mapping[str, pulumi.Input[str]]:
    """The site's settings, all of them: a second owner would replace these."""
    plain = environment(url, proxies=1, admin_email=args.admin_email)
    key = {KEY_VARIABLE: from_vault(args.storage_key_uri)} if smb else {}
    return {
        **plain,
        PASSWORD_VARIABLE: from_vault(args.password_uri),
        **key,
        "WEBSITES_PORT": str(PORT),
        "WEBSITES_ENABLE_APP_SERVICE_STORAGE": "false",
        "WEBSITES_CONTAINER_START_TIME_LIMIT": "600",
        "WEBSITES_CONTAINER_STOP_TIME_LIMIT": str(STOP_SECONDS),
        "WEBSITE_DISABLE_OVERLAPPED_RECYCLING": "0" if args.handover else "1",
        "WEBSITE_WARMUP_PATH": HEALTH_PATH,
    }


def from_vault(uri: pulumi.Output[str]) -> pulumi.Output[str]:
    return pulumi.Output.concat("@Microsoft.KeyVault(SecretUri=", uri, ")")


def logs(group: pulumi.Input[str], site_id: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
    """The container's output and the platform's own lines, kept for LOG_DAYS."""
    workspace = operationalinsights.Workspace(
        "logs",
        resource_group_name=group,
        sku=operationalinsights.WorkspaceSkuArgs(name=operationalinsights.WorkspaceSkuNameEnum.PER_GB2018),
        retention_in_days=LOG_DAYS,
        tags=TAGS,
        opts=opts,
    )
    monitor.DiagnosticSetting(
        "site-logs",
        resource_uri=site_id,
        workspace_id=workspace.id,
        logs=[monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in LOGS],
        opts=opts,
    )
