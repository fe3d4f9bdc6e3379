"""How a person gets at a store without Task Assist: where it is, and the commands of each place's own tool."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.setting_values import StoreUrl
from app.storage.mounts import mount_of, outside, read_mounts


def where(url: StoreUrl) -> Iterator[str]:
    """What an address does not say: what lies under a folder, an account, a region, another service than Amazon's."""
    if url.scheme == "file":
        yield _under(url.path)
    if url.scheme == "az":
        yield f"in the storage account {_setting(url, 'AZURE_STORAGE_ACCOUNT_NAME')}"
    if url.scheme == "s3" and (region := _setting(url, "AWS_REGION")):
        yield f"in the region {region}: first type  export AWS_REGION={shlex.quote(region)}"
    if url.scheme == "s3" and (endpoint := _setting(url, "AWS_ENDPOINT_URL")):
        yield f"at {endpoint}, not at Amazon's: first type  export AWS_ENDPOINT_URL={shlex.quote(endpoint)}"


class ProviderCommands(Protocol):
    """For one address. Those of listing() come first: what they set is used by the others."""

    def listing(self) -> list[str]: ...

    def fetching(self) -> list[str]:
        """The two files of the backup $NAME, to the folder where it is typed."""
        ...

    def removing(self, name: str) -> str:
        """The backup of that name with all that belongs to it."""
        ...


def provider_commands(url: StoreUrl) -> ProviderCommands:
    return {"file": _InFolder, "s3": _OnAws, "gs": _OnGoogleCloud, "az": _OnAzure}[url.scheme](url)


@dataclass(frozen=True)
class _OnAws:
    url: StoreUrl

    def listing(self) -> list[str]:
        return [f"aws s3 ls {self.url}/"]

    def fetching(self) -> list[str]:
        return [f"aws s3 cp {self.url}/ . --recursive --exclude '*' --include \"$NAME.*\""]

    def removing(self, name: str) -> str:
        return f"aws s3 rm {self.url}/ --recursive --exclude '*' --include '{name}.*'"


@dataclass(frozen=True)
class _OnGoogleCloud:
    url: StoreUrl

    def listing(self) -> list[str]:
        return [f"gcloud storage ls {self.url}/"]

    def fetching(self) -> list[str]:
        return [f'gcloud storage cp "{self.url}/$NAME.*" .']

    def removing(self, name: str) -> str:
        return f"gcloud storage rm '{self.url}/{name}.*'"


@dataclass(frozen=True)
class _OnAzure:
    url: StoreUrl

    def listing(self) -> list[str]:
        only = f" --prefix {self._prefix}" if self._prefix else ""
        return [
            f"az storage blob list {self._account} --container-name {self.url.bucket}{only} "
            "--query '[].name' --output tsv --auth-mode login"
        ]

    def fetching(self) -> list[str]:
        fetch = (
            f"az storage blob download-batch {self._account} --source {self.url.bucket} --destination . "
            f'--pattern "{self._prefix}$NAME.*" --auth-mode login'
        )
        return [fetch, f'mv {self._prefix}"$NAME".* .'] if self._prefix else [fetch]

    def removing(self, name: str) -> str:
        return (
            f"az storage blob delete-batch {self._account} --source {self.url.bucket} "
            f"--pattern '{self._prefix}{name}.*' --auth-mode login"
        )

    @property
    def _prefix(self) -> str:
        return f"{self.url.path}/" if self.url.path else ""

    @property
    def _account(self) -> str:
        return f"--account-name {_setting(self.url, 'AZURE_STORAGE_ACCOUNT_NAME')}"


@dataclass(frozen=True)
class _InFolder:
    url: StoreUrl

    def listing(self) -> list[str]:
        return [f"FROM={_folder(self.url.path)}", 'sudo ls -l "$FROM"']

    def fetching(self) -> list[str]:
        return ['sudo find "$FROM" -name "$NAME.*" -exec cp {} . \';\'', 'sudo chown "$(id -u)" "$NAME".*']

    def removing(self, name: str) -> str:
        return f"sudo find {_folder(self.url.path)} -name '{name}.*' -delete"


def _under(folder: str) -> str:
    mount = mount_of(Path(folder).resolve(), read_mounts())
    if mount.volume:
        return f"the Docker volume {mount.volume} on this host"
    if mount.source.startswith("/dev/") or mount.point == "/":
        return f"on this machine: the folder {outside(Path(folder))}"
    return f"{mount.source} ({mount.filesystem}), mounted at {mount.point}"


def _folder(folder: str) -> str:
    volume = mount_of(Path(folder).resolve(), read_mounts()).volume
    if volume:
        return f"\"$(docker volume inspect --format '{{{{.Mountpoint}}}}' {volume})\""
    return shlex.quote(outside(Path(folder)))


def _setting(url: StoreUrl, name: str) -> str:
    """One of the provider's variables that is no secret; empty where it is not set."""
    from app.backup.stores.bucket import provided

    return provided(url).get(name, "")
