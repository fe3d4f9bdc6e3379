"""What the clouds would answer: the outputs that the programs read, and nothing else."""

from collections.abc import Mapping
from typing import Any

DIGEST = "sha256:" + "d1" * 32
READY = "registry.example.org/team/task-assist@sha256:" + "ab" * 32

RESOURCES: Mapping[str, Mapping[str, Any]] = {
    "random:index/randomPassword:RandomPassword": {"result": "the-admin-password"},
    "random:index/randomString:RandomString": {"result": "x7k2p9"},
    "docker:index/remoteImage:RemoteImage": {"imageId": "sha256:" + "cd" * 32},
    "docker:index/image:Image": {"repoDigest": "sha256:" + "ef" * 32},
    "docker-build:index:Image": {"digest": DIGEST},
    "azure-native:storage:StorageAccount": {"name": "taskassistdata1a2b3c4d"},
    "azure-native:storage:FileShare": {"name": "task-manager-data"},
    "azure-native:containerregistry:Registry": {"loginServer": "taskassist1a2b.azurecr.example"},
    "azure-native:keyvault:Secret": {"properties": {"secretUriWithVersion": "https://vault.example/secrets/one/1"}},
    "azure-native:managedidentity:UserAssignedIdentity": {"clientId": "client-1", "principalId": "principal-1"},
    "azure-native:web:WebApp": {"customDomainVerificationId": "VERIFY-ME", "identity": {"type": "UserAssigned"}},
    "azure-native:web:Certificate": {"thumbprint": "AB12"},
}
CALLS: Mapping[str, Mapping[str, Any]] = {
    "azure-native:authorization:getClientConfig": {"tenantId": "tenant-1", "subscriptionId": "subscription-1"},
    "azure-native:storage:listStorageAccountKeys": {
        "keys": [{"keyName": f"key{n}", "value": f"account-key-{n}", "permissions": "Full", "creationTime": ""} for n in (1, 2)]
    },
    "azure-native:containerregistry:listRegistryCredentials": {
        "username": "taskassist1a2b",
        "passwords": [{"name": "password", "value": "registry-password"}],
    },
}


def answer_resource(type_: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The resource's state: its inputs, a name and an ARN, and what only the cloud knows."""
    return {"name": name, "arn": f"arn:aws:test::123456789012:{name}", **inputs, **RESOURCES.get(type_, {})}


def answer_call(token: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return {**args, **CALLS[token]}
