"""The Docker host's plan: a volume, an image, a container, and Caddy where there is a domain."""

from collections.abc import Sequence

import pulumi

from config import StackConfig
from contract import PASSWORD_VARIABLE, App, Site, environment, stem
from kit import backups, caddy
from kit.docker.hosting import Hosting, HostingArgs
from kit.docker.image import image_id
from kit.docker.network import Network
from kit.docker.proxy import Proxy, ProxyArgs
from kit.docker.secret import Secret, SecretArgs
from kit.docker.storage import Storage, StorageArgs
from kit.docker.store import VOLUME, Store, StoreArgs
from kit.password import admin_password


def plan(config: StackConfig) -> Site:
    """Plans everything on the Docker host and answers what to export."""
    url = f"https://{config.domain}" if config.domain else f"http://localhost:{config.port}"
    password = admin_password()
    store = Store("store", StoreArgs(config.backup_store or VOLUME, config.backup_credentials))
    plain = environment(url, 1 if config.domain else 0, config.admin_email)
    app = App(
        plain={**plain, **backups.settings(config, store.url), **store.settings},
        secrets={PASSWORD_VARIABLE: password, **backups.secrets(config)},
    )
    storage = Storage("storage", StorageArgs(config.storage))
    image = image_id(config.image)
    secret = Secret("secret", SecretArgs(app.secrets, image))
    network, caddy_ready = gateway(config.domain)
    Hosting(
        "hosting",
        HostingArgs(
            image=image,
            app=app,
            mounts=[storage.mount, *store.mounts],
            network=network,
            port=config.port,
            secrets=secret.volume_name,
            after=[secret.ready, *caddy_ready],
        ),
    )
    return Site(
        url=url,
        storage=storage.description,
        image=image,
        backup_url=store.url,
        admin_password=password,
        costs=[],
        priced_in="on a host you have",
        kept=[*storage.kept, *store.kept],
        notes=[how_to_reach(config)],
    )


def gateway(domain: str | None) -> tuple[pulumi.Output[str] | None, Sequence[pulumi.Resource]]:
    """Caddy for the domain: the network that the app must be in to be reached by it, and what the app waits for."""
    if not domain:
        return None, ()
    network = Network("network").name
    return network, [Proxy("proxy", ProxyArgs(domain, network, upstream=stem())).ready]


def how_to_reach(config: StackConfig) -> str:
    """What to type or set up before the URL answers."""
    host = pulumi.Config("docker").get("host") or ""
    where = host.rpartition("@")[2].rpartition("://")[2].partition(":")[0]
    if config.domain:
        return how_to_reach_by_name(config.domain, where or "this machine")
    if host.startswith("ssh://"):
        return f"Reach it through a tunnel:  ssh -N -L {config.port}:127.0.0.1:{config.port} {host}"
    return f"Open http://localhost:{config.port}" + (f" on {where}" if host.startswith("tcp://") else "")


def how_to_reach_by_name(domain: str, where: str) -> str:
    """What a domain needs: a record, or trust in Caddy's own authority where no other one signs."""
    if domain.endswith(caddy.UNSIGNED):
        root = f"docker cp {stem()}-caddy:{caddy.ROOT_CERTIFICATE} ."
        return f"DNS: {domain} must lead to {where}. Caddy signs its certificate itself; to trust it:  {root}"
    return f"DNS: point {domain} at {where}, with ports 80 and 443 open; Caddy gets the certificate."
