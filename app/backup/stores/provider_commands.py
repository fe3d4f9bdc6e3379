"""How a person gets at a store without Task Assist: where it is, and the commands of each place's own tool."""

import shlex
from collections.abc import Iterator
from pathlib import Path

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


def listing(url: StoreUrl) -> Iterator[str]:
    """Commands that list it."""
    if url.scheme == "s3":
        yield f"aws s3 ls {url}/"
    elif url.scheme == "gs":
        yield f"gcloud storage ls {url}/"
    elif url.scheme == "az":
        only = f" --prefix {url.path}/" if url.path else ""
        yield (
            f"az storage blob list {_account(url)} --container-name {url.bucket}{only} "
            "--query '[].name' --output tsv --auth-mode login"
        )
    else:
        yield f"FROM={_folder(url.path)}"
        yield 'sudo ls -l "$FROM"'


def taking_out(url: StoreUrl) -> Iterator[str]:
    """Commands that fetch the two files of the backup $NAME to the folder where they are typed."""
    if url.scheme == "s3":
        yield f"aws s3 cp {url}/ . --recursive --exclude '*' --include \"$NAME.*\""
    elif url.scheme == "gs":
        yield f'gcloud storage cp "{url}/$NAME.*" .'
    elif url.scheme == "az":
        prefix = f"{url.path}/" if url.path else ""
        yield (
            f"az storage blob download-batch {_account(url)} --source {url.bucket} --destination . "
            f'--pattern "{prefix}$NAME.*" --auth-mode login'
        )
        if prefix:
            yield f'mv {prefix}"$NAME".* .'
    else:
        yield 'sudo find "$FROM" -name "$NAME.*" -exec cp {} . \';\''
        yield 'sudo chown "$(id -u)" "$NAME".*'


def taking_away(url: StoreUrl, name: str) -> str:
    """A command that removes the backup of that name with all that belongs to it."""
    if url.scheme == "s3":
        return f"aws s3 rm {url}/ --recursive --exclude '*' --include '{name}.*'"
    if url.scheme == "gs":
        return f"gcloud storage rm '{url}/{name}.*'"
    if url.scheme == "az":
        pattern = "/".join(filter(None, (url.path, f"{name}.*")))
        return (
            f"az storage blob delete-batch {_account(url)} --source {url.bucket} --pattern '{pattern}'"
            " --auth-mode login"
        )
    return f"sudo find {_folder(url.path)} -name '{name}.*' -delete"


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


def _account(url: StoreUrl) -> str:
    return f"--account-name {_setting(url, 'AZURE_STORAGE_ACCOUNT_NAME')}"


def _setting(url: StoreUrl, name: str) -> str:
    """One of the provider's variables that is no secret; empty where it is not set."""
    from app.backup.stores.bucket import provided

    return provided(url).get(name, "")
