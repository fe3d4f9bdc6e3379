"""A Compose file as `docker compose config` resolves it, turned into a project of its own beside the person's real one.

It has the app alone, with those of its keys that decide where the data lies and how it runs. Names, the port and the
volumes become the proof's. Other services are left out: a second one that sends backups away or renews a certificate
would do so with the person's keys.
"""

from copy import deepcopy
from typing import Any

from .engine import DATA
from .own import LABEL
from .settings import STORE, folder_of, names_a_folder, of_the_proof, replaced
from .stop import Failed, Misused

Model = dict[str, Any]
APP = "app"
KEPT = frozenset(
    "build cap_add cap_drop command cpus entrypoint environment group_add healthcheck image init mem_limit "
    "memswap_limit pids_limit platform pull_policy read_only restart security_opt shm_size stop_grace_period "
    "stop_signal tmpfs ulimits user volumes working_dir".split()
)
"""Of the app's keys. No other may reach beyond the proof: networks, devices, the host's namespaces, secrets."""
NEEDLESS = frozenset("container_name depends_on expose hostname labels logging networks ports scale".split())
"""Of the others those that say nothing of where the data lies; networks of the file's own are named all the same."""
ELSEWHERE = ("tags", "cache_to")
"""Of a build's keys: what they name is the person's, and would be overwritten with the proof's image."""
RUNNING = "Prove the running app instead:  python scripts/verify_persistence.py http://localhost:8000"


def of_its_own(model: Model, name: str, port: int) -> Model:
    """Raises Misused where the person's own data could not be kept out of it, Failed for two writers."""
    services = model.get("services") or {}
    if APP not in services:
        raise Misused(
            "no_app",
            f"The Compose file has no service {APP}: it has {', '.join(services) or 'none'}.",
            "Name another file.",
        )
    if services[APP].get("volumes_from"):
        raise _own_data(f"The app takes its volumes from {services[APP]['volumes_from'][0]}")
    _refuse_replicas(services[APP])
    _refuse_second_writer(services, model.get("volumes") or {})
    app = {key: value for key, value in deepcopy(services[APP]).items() if key in KEPT}
    if "build" in app:
        app["image"] = f"{name}-{APP}"
        app["build"] = {key: value for key, value in app["build"].items() if key not in ELSEWHERE}
    app["ports"] = [{"target": 8000, "published": str(port), "host_ip": "127.0.0.1", "protocol": "tcp"}]
    given = app.get("environment") or {}
    app["environment"] = of_the_proof(given)
    mounts = app["volumes"] = [_kept_out(mount, number, app) for number, mount in enumerate(app.get("volumes") or [])]
    if not names_a_folder(given):
        _mount_store(mounts)
    declared = model.get("volumes") or {}
    sources = [mount["source"] for mount in mounts if mount["type"] == "volume" and mount.get("source")]
    first: dict[str, str] = {}  # of the keys of one and the same volume, which is to be one in the proof, too
    own = {source: f"{name}-{first.setdefault(_real(source, declared), source)}" for source in sources}
    volumes = {source: _own_volume(source, declared.get(source) or {}, own[source]) for source in sources}
    return {"name": name, "services": {APP: app}, "volumes": volumes}


def left_out(model: Model) -> list[str]:
    """The person's services and settings that the proof does without: what they do is not proven."""
    services = model["services"]
    others = sorted(f"service {name}" for name in services if name != APP)
    keys = services[APP].keys() - KEPT - NEEDLESS
    networks = sorted(f"network {name}" for name in services[APP].get("networks") or {} if name != "default")
    return others + sorted(keys) + networks + replaced(services[APP].get("environment") or {})


def built_as(model: Model, name: str, number: int) -> Model:
    """The same, whose image is another than that of another number: a label alone makes it so."""
    own = deepcopy(model)
    if build := own["services"][APP].get("build"):
        build["labels"] = {**(build.get("labels") or {}), LABEL: name, f"{LABEL}.deployment": str(number)}
    return own


def _refuse_replicas(app: Model) -> None:
    """Raises Failed where the file starts more than one of it: the proof's own would be one, and prove that."""
    count = app.get("scale") or (app.get("deploy") or {}).get("replicas") or 1
    if int(count) > 1:
        raise Failed(
            "two_writers",
            f"The Compose file starts {count} of {APP} on the same data, and only one of them can write.",
            f"Run one: take scale and deploy.replicas out of {APP}.",
        )


def _refuse_second_writer(services: Model, volumes: Model) -> None:
    """Raises Failed where another service has the data's volume and may write to it."""
    data = _holder(services[APP], database_of(services[APP]))
    if data is None or not data.get("source"):
        return
    volume = _real(data["source"], volumes)
    for name, service in services.items():
        if name != APP and (mend := _read_only_instead(volume, service, volumes)):
            raise Failed(
                "two_writers",
                f"{APP} and {name} run on the same volume, {data['source']}, and both may write to it.",
                f"Give {name} a volume of its own, or mount it there to read only:  {mend}",
            )


def _read_only_instead(volume: str, service: Model, volumes: Model) -> str | None:
    """What the line should be of a service that may write to that volume: by a mount, or with all of the app's."""
    for mount in service.get("volumes") or []:
        if _real(mount.get("source", ""), volumes) == volume and not mount.get("read_only"):
            return f"{mount['source']}:{mount['target']}:ro"
    taken = {APP, f"{APP}:rw"}.intersection(service.get("volumes_from") or [])
    return f'volumes_from: ["{APP}:ro"]' if taken else None


def _real(source: str, volumes: Model) -> str:
    """The volume's own name: two keys of the file may have the same."""
    return (volumes.get(source) or {}).get("name") or source


def database_of(service: Model) -> str:
    return (service.get("environment") or {}).get("DATABASE_PATH") or f"{DATA}/task_manager.db"


def _holder(service: Model, path: str) -> Model | None:
    """The mount that holds `path`: the longest target above it."""
    holding = [
        mount for mount in service.get("volumes") or [] if f"{path}/".startswith(mount["target"].rstrip("/") + "/")
    ]
    return max(holding, key=lambda mount: len(mount["target"].rstrip("/")), default=None)


def _kept_out(mount: Model, number: int, app: Model) -> Model:
    """What it mounts from the host becomes a volume of the proof's, but for the data."""
    if mount["type"] in ("volume", "tmpfs"):
        return mount
    if mount == _holder(app, database_of(app)) or mount["type"] != "bind":
        raise _own_data(f"The Compose file mounts {mount.get('source', 'something')} here at {mount['target']}")
    return {"type": "volume", "source": f"bind-{number}", "target": mount["target"]}


def _mount_store(mounts: list[Model]) -> None:
    """Where the backups go that the set-up itself does not make, unless something is mounted there already."""
    folder = folder_of(STORE)
    if not any(mount["target"].rstrip("/") == folder for mount in mounts):
        mounts.append({"type": "volume", "source": "backups", "target": folder})


def _own_volume(key: str, volume: Model, name: str) -> Model:
    """One like it, called `name`. Raises Misused where it is the person's own, or nobody knows what it is made of."""
    options = volume.get("driver_opts") or {}
    if volume.get("external"):
        raise _own_data(f"The volume {key} is external, so the file doesn't say what it is")
    if volume.get("driver", "local") != "local":
        raise _own_data(f"The volume {key} is one of the driver {volume['driver']}")
    if options.get("device") and options.get("type") not in ("tmpfs", "ramfs"):
        raise _own_data(f"The volume {key} is {options['device']}, whatever it is called")
    return {**({"driver_opts": options} if options else {}), "name": name}


def _own_data(what: str) -> Misused:
    return Misused("own_data", f"{what}, and a proof must not touch it.", RUNNING)
