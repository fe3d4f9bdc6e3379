"""The Docker host's plan: a volume, an image, a container, and Caddy where there is a domain."""

import pulumi

from config import StackConfig
from contract import PORT, Site
from kit.docker.hosting import Hosting, HostingArgs
from kit.docker.image import image_id
from kit.docker.proxy import Proxy, ProxyArgs
from kit.docker.secret import Secret, SecretArgs
from kit.docker.storage import Storage, StorageArgs
from kit.password import admin_password


def plan(config: StackConfig) -> Site:
    """Plans everything on the Docker host and answers what to export."""
    storage = Storage("storage", StorageArgs(config.storage))
    image = image_id(config.image)
    password = admin_password()
    proxy = Proxy("proxy", ProxyArgs(config.domain)) if config.domain else None
    url = f"https://{config.domain}" if config.domain else f"http://localhost:{PORT}"
    Hosting(
        "hosting",
        HostingArgs(
            image=image,
            mount=storage.mount,
            url=url,
            network=proxy.network if proxy else None,
            admin_email=config.admin_email,
            secret=Secret("secret", SecretArgs(image, password)),
        ),
    )
    return Site(
        url=url,
        storage=storage.description,
        image=image,
        admin_password=password,
        costs=[],
        priced_in="on a host you have",
        kept=storage.kept,
        notes=[how_to_reach(config)],
    )


def how_to_reach(config: StackConfig) -> str:
    """What to type or set up before the URL answers."""
    host = pulumi.Config("docker").get("host") or ""
    if config.domain:
        where = host.rpartition("@")[2].removeprefix("ssh://").partition(":")[0] or "this machine"
        return f"DNS: point {config.domain} at {where}, with ports 80 and 443 open; Caddy gets the certificate."
    if host.startswith("ssh://"):
        return f"Reach it through a tunnel:  ssh -N -L {PORT}:127.0.0.1:{PORT} {host}"
    return f"Open http://localhost:{PORT}"
