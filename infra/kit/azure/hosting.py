"""The Web App: one Linux container with the share mounted where the app wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import monitor, operationalinsights, web

from contract import HEALTH_PATH, PORT, STOP_SECONDS, TAGS, App
from kit.azure.place import PLANS

# The mount's name in the site, of the first deployments.
MOUNT_ID = "TaskManagerData"
LOGS = ("AppServiceConsoleLogs", "AppServiceHTTPLogs", "AppServicePlatformLogs")


@dataclass(frozen=True)
class Mount:
    """The share, and the setting whose value is the account's key."""

    account_name: pulumi.Output[str]
    share_name: pulumi.Output[str]
    key_variable: str


@dataclass(frozen=True)
class HostingArgs:
    """`name` is the site's and `machine` its plan; `references` say by setting where a secret is.

    `identity_id` and `client_id` are who the site is, `granted` are that one's roles: the site must not start before
    it may pull its image and read its secrets. `mount` is None for an app whose data is elsewhere.
    """

    group: pulumi.Input[str]
    name: pulumi.Output[str]
    app: App
    image: pulumi.Output[str]
    references: Mapping[str, pulumi.Output[str]]
    mount: Mount | None
    identity_id: pulumi.Output[str]
    client_id: pulumi.Output[str]
    granted: Sequence[pulumi.Resource]
    machine: str
    log_days: int
    handover: bool


class Hosting(pulumi.ComponentResource):
    """The site, its plan and its logs."""

    site_id: pulumi.Output[str]
    site_name: pulumi.Output[str]
    plan_id: pulumi.Output[str]
    location: pulumi.Output[str]
    logs_id: pulumi.Output[str]
    verification_id: pulumi.Output[str]

    def __init__(self, name: str, args: HostingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("task-assist:azure:Hosting", name, opts=opts)
        plan = web.AppServicePlan(
            f"{name}-plan",
            resource_group_name=args.group,
            kind="linux",
            reserved=True,
            sku=web.SkuDescriptionArgs(name=args.machine, tier=PLANS[args.machine], capacity=args.app.instances),
            tags=TAGS,
            opts=self.child("plan"),
        )
        site = web.WebApp(
            f"{name}-site",
            name=args.name,
            resource_group_name=args.group,
            kind="app,linux,container",
            server_farm_id=plan.id,
            https_only=True,
            client_affinity_enabled=False,
            identity=web.ManagedServiceIdentityArgs(
                type=web.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[args.identity_id]
            ),
            key_vault_reference_identity=args.identity_id,
            site_config=site_config(args),
            tags=TAGS,
            opts=pulumi.ResourceOptions.merge(self.child("site"), pulumi.ResourceOptions(depends_on=args.granted)),
        )
        self.site_id, self.site_name, self.plan_id, self.location = site.id, site.name, plan.id, plan.location
        self.verification_id = pulumi.Output.secret(site.custom_domain_verification_id).apply(lambda value: value or "")
        self.no_publishing(name, args.group, site.name)
        self.logs_id = self.logs(name, args, site.id)
        self.register_outputs({"site_id": self.site_id, "site_name": self.site_name})

    def child(self, earlier: str) -> pulumi.ResourceOptions:
        """`earlier` is the child's name in version 0.1: beside it Azure would make no second of the same name."""
        return pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name=earlier)])

    def no_publishing(self, name: str, group: pulumi.Input[str], site: pulumi.Output[str]) -> None:
        """Nobody puts code on the site with a name and a password: the image comes from the registry alone."""
        opts = pulumi.ResourceOptions(parent=self)
        web.WebAppScmAllowed(f"{name}-scm", name=site, resource_group_name=group, allow=False, opts=opts)
        web.WebAppFtpAllowed(f"{name}-ftp", name=site, resource_group_name=group, allow=False, opts=opts)

    def logs(self, name: str, args: HostingArgs, site_id: pulumi.Output[str]) -> pulumi.Output[str]:
        """Where the container's output, every request and the platform's own lines are kept; answers its ID."""
        workspace = operationalinsights.Workspace(
            f"{name}-logs",
            resource_group_name=args.group,
            sku=operationalinsights.WorkspaceSkuArgs(name=operationalinsights.WorkspaceSkuNameEnum.PER_GB2018),
            retention_in_days=args.log_days,
            tags=TAGS,
            opts=self.child("logs"),
        )
        monitor.DiagnosticSetting(
            f"{name}-site-logs",
            resource_uri=site_id,
            workspace_id=workspace.id,
            logs=[monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in LOGS],
            opts=self.child("site-logs"),
        )
        return workspace.id


def site_config(args: HostingArgs) -> web.SiteConfigArgs:
    """The site's configuration. The mount is inline, so that no start of the site is without it."""
    return web.SiteConfigArgs(
        linux_fx_version=pulumi.Output.concat("DOCKER|", args.image),
        acr_use_managed_identity_creds=True,
        acr_user_managed_identity_id=args.client_id,
        app_settings=[web.NameValuePairArgs(name=key, value=value) for key, value in settings(args).items()],
        azure_storage_accounts=mounts(args),
        number_of_workers=args.app.instances,
        always_on=True,
        health_check_path=HEALTH_PATH,
        ftps_state=web.FtpsState.DISABLED,
        min_tls_version=web.SupportedTlsVersions.SUPPORTED_TLS_VERSIONS_1_2,
        http20_enabled=True,
    )


def mounts(args: HostingArgs) -> Mapping[str, web.AzureStorageInfoValueArgs] | None:
    """The share at the app's mount. A reference keeps the account's key out of the site's configuration."""
    if not (args.mount and args.app.mount):
        return None
    share = web.AzureStorageInfoValueArgs(
        type=web.AzureStorageType.AZURE_FILES,
        protocol=web.AzureStorageProtocol.SMB,
        account_name=args.mount.account_name,
        share_name=args.mount.share_name,
        mount_path=args.app.mount,
        access_key=f"@AppSettingRef({args.mount.key_variable})",
    )
    return {MOUNT_ID: share}


def settings(args: HostingArgs) -> Mapping[str, pulumi.Input[str]]:
    """The site's settings, all of them: a second owner would replace these. Secrets are references, never values."""
    return {
        **args.app.plain,
        **args.references,
        "WEBSITES_PORT": str(PORT),
        "WEBSITES_ENABLE_APP_SERVICE_STORAGE": "false",
        "WEBSITES_CONTAINER_START_TIME_LIMIT": "600",
        "WEBSITES_CONTAINER_STOP_TIME_LIMIT": str(STOP_SECONDS),
        "WEBSITE_DISABLE_OVERLAPPED_RECYCLING": "0" if args.handover else "1",
        "WEBSITE_WARMUP_PATH": HEALTH_PATH,
    }
