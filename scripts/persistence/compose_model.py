"""A Compose file as `docker compose config` resolves it, turned into a project of its own beside the person's real one.

Names, ports, volumes and images become the proof's; all that decides where the data lies stays as it is.
"""

from copy import deepcopy
from typing import Any

from .engine import DATA
from .settings import STORE, names_a_folder, of_the_proof
from .stop import Misused

Model = dict[str, Any]
APP = "app"


def of_its_own(model: Model, name: str, port: int) -> Model:
    """Raises Misused where the person's own data could not be kept out of it."""
    own = deepcopy(model)
    services = own.get("services", {})
    if APP not in services:
        raise Misused(
            "no_app",
            f"The Compose file has no service {APP}: it has {', '.join(services) or 'none'}.",
            "Name another file.",
        )
    own["name"] = name
    for key, service in services.items():
        _rename(service, f"{name}-{key}")
        _keep_out(service, own.setdefault("volumes", {}))
    services[APP]["ports"] = [{"target": 8000, "published": str(port), "host_ip": "127.0.0.1", "protocol": "tcp"}]
    settings = services[APP].get("environment") or {}
    services[APP]["environment"] = of_the_proof(settings)
    if not names_a_folder(settings):
        _mount_store(services[APP], own["volumes"])
    for key, volume in own["volumes"].items():
        own["volumes"][key] = _own_volume(key, volume or {}, name)
    for key, network in own.get("networks", {}).items():
        own["networks"][key] = {**(network or {}), "name": f"{name}-{key}", "external": False}
    return own


def built_as(model: Model, number: int) -> Model:
    """The same, whose images are others than those of another number: a label alone makes them so."""
    own = deepcopy(model)
    for service in own["services"].values():
        if build := service.get("build"):
            build["labels"] = {**(build.get("labels") or {}), "task-assist.proof": str(number)}
    return own


def _rename(service: Model, image: str) -> None:
    for key in ("container_name", "env_file", "ports", "profiles"):
        service.pop(key, None)
    if "build" in service:
        service["image"] = image


def _keep_out(service: Model, volumes: Model) -> None:
    """What a service mounts from the host becomes a volume of the proof's, but for the data."""
    path = (service.get("environment") or {}).get("DATABASE_PATH") or f"{DATA}/task_manager.db"
    for number, mount in enumerate(service.get("volumes", [])):
        if mount["type"] != "bind":
            continue
        if path.startswith(mount["target"].rstrip("/") + "/"):
            raise Misused(
                "own_data",
                f"The Compose file keeps the database in {mount['source']} here, and a proof must not touch it.",
                "Prove the running app instead:  python scripts/verify_persistence.py http://localhost:8000",
            )
        key = f"bind-{number}"
        volumes[key] = None
        service["volumes"][number] = {"type": "volume", "source": key, "target": mount["target"]}


def _mount_store(service: Model, volumes: Model) -> None:
    """Where the backups go that the set-up itself does not make, unless something is mounted there already."""
    folder = STORE.removeprefix("file://")
    mounts = service.setdefault("volumes", [])
    if not any(mount["target"].rstrip("/") == folder for mount in mounts):
        mounts.append({"type": "volume", "source": "backups", "target": folder})
        volumes["backups"] = None


def _own_volume(key: str, volume: Model, name: str) -> Model:
    options = volume.get("driver_opts") or {}
    if options.get("device") and options.get("type") not in ("tmpfs", "ramfs"):
        raise Misused(
            "own_data",
            f"The volume {key} is {options['device']}, whatever it is called, and a proof must not touch it.",
            "Prove the running app instead:  python scripts/verify_persistence.py http://localhost:8000",
        )
    return {**{each: volume[each] for each in ("driver", "driver_opts") if each in volume}, "name": f"{name}-{key}"}
