"""How a backup comes back into Task Assist: on a Docker host, and in the cloud whose store it lies in.

The commands are those of the project's pages (docs/deploy/, docs/backups.md), which the page for the drawer repeats
for a person who has no more than that; a test holds the two together.
"""

from collections.abc import Iterator

from app.setting_values import StoreUrl

ONCE = "once"
"""The folder, beside the backups, of the one copy that a key for once opens."""

AFTERWARDS = "rm -r once.txt opened.db*"
NAMES_ON_AZURE = (
    "GROUP=$(az group list --tag app=task-assist --query '[0].name' -o tsv)",
    "ACCOUNT=$(az storage account list -g $GROUP --query '[?allowSharedKeyAccess != `false`].name | [0]' -o tsv)",
    "KEY=$(az storage account keys list -g $GROUP -n $ACCOUNT --query '[0].value' -o tsv)",
    "BACKUPS=$(az storage account list -g $GROUP --query '[?allowSharedKeyAccess == `false`].name | [0]' -o tsv)",
    "IDENTITY=$(az identity list -g $GROUP --query '[0].id' -o tsv)",
    "CLIENT=$(az identity list -g $GROUP --query '[0].clientId' -o tsv)",
)
TASK_ON_AZURE = (
    'az container create -g $GROUP -n task-assist-restore --image "$(pulumi stack output image)" --os-type Linux'
    " --cpu 1 --memory 1 --restart-policy Never --acr-identity $IDENTITY --assign-identity $IDENTITY"
    ' --azure-file-volume-account-name $ACCOUNT --azure-file-volume-account-key "$KEY"'
    " --azure-file-volume-share-name task-manager-data --azure-file-volume-mount-path /app/data"
    " --environment-variables BACKUP_URL=az://backups AZURE_STORAGE_ACCOUNT_NAME=$BACKUPS AZURE_CLIENT_ID=$CLIENT"
)
LOG_ON_AZURE = (
    "az container logs -g $GROUP -n task-assist-restore --follow",
    "az container delete -g $GROUP -n task-assist-restore --yes",
)
TASK_ON_AWS = (
    "aws ecs run-task --cluster task-assist --task-definition task-assist --launch-type FARGATE"
    ' --network-configuration "$(aws ecs describe-services --cluster task-assist --services task-assist'
    " --query 'services[0].networkConfiguration' --output json)\""
)
LOG_ON_AWS = "aws logs tail /task-assist/task-assist --follow"


def in_container(command: str) -> Iterator[str]:
    for container in ("docker compose exec -T app", "docker exec -i task-assist"):
        yield f"{container} {command}"


def for_once(url: StoreUrl) -> Iterator[str]:
    """Commands, typed where key.txt lies, that put one copy for a new key beside the backups.

    Among the backups it would be another deployment's. Open, it would stay readable: what is removed from a cloud's
    store is in its versions for 30 days. For the real key, that key would have to go to the cloud.
    """
    yield "age-keygen -o once.txt"
    yield f"export DATABASE_PATH=opened.db BACKUP_URL={url}"
    yield "task-assist restore latest --identity key.txt"
    yield f'BACKUP_RECIPIENT=$(age-keygen -y once.txt) task-assist backup --store "$BACKUP_URL/{ONCE}"'


def in_cloud(url: StoreUrl, *, encrypted: bool) -> Iterator[str]:
    """Commands that put the newest backup back where the app runs beside this store; none where that is no cloud.

    `encrypted`: the copy of for_once(), whose key is in once.txt.
    """
    with_key = [f"ONCE=$(grep ^AGE-SECRET-KEY- once.txt) COPY={url}/{ONCE}/latest"] if encrypted else []
    if url.scheme == "az":
        yield from (*with_key, *NAMES_ON_AZURE)
        yield f"{TASK_ON_AZURE} {_on_azure(encrypted=encrypted)}"
        yield from LOG_ON_AZURE
    elif url.scheme == "s3":
        yield from with_key
        yield f"{TASK_ON_AWS} {_on_aws(encrypted=encrypted)}"
        yield LOG_ON_AWS
    elif url.scheme == "gs":
        yield _on_the_vm(encrypted=encrypted)
        yield from with_key
        yield f"gcloud run jobs execute task-assist-restore --region=REGION --wait{_on_cloud_run(encrypted=encrypted)}"


def _on_azure(*, encrypted: bool) -> str:
    if not encrypted:
        return '--command-line "task-assist restore latest"'
    return (
        '--secure-environment-variables ONCE="$ONCE" --command-line'
        " \"bash -c 'task-assist restore $COPY --identity /dev/stdin <<<\\$ONCE'\""
    )


def _on_aws(*, encrypted: bool) -> str:
    words = (
        '"bash","-c","task-assist restore \'"$COPY"\' --identity /dev/stdin <<<\'"$ONCE"\'"'
        if encrypted
        else '"task-assist","restore","latest"'
    )
    return f'--overrides \'{{"containerOverrides":[{{"name":"task-assist","command":[{words}]}}]}}\''


def _on_the_vm(*, encrypted: bool) -> str:
    there = "gcloud compute ssh --tunnel-through-iap VM --zone=ZONE --command="
    if not encrypted:
        return f'{there}"sudo docker exec task-assist task-assist restore latest"'
    # The one place that has standard input, so it takes the real key, and no copy.
    return f'{there}"sudo docker exec -i task-assist task-assist restore latest --identity /dev/stdin" <key.txt'


def _on_cloud_run(*, encrypted: bool) -> str:
    if not encrypted:
        return ""
    return ' --args="restore,$COPY,--identity,/dev/stdin" --update-env-vars="ONCE=$ONCE"'
