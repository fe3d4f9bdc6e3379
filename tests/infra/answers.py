"""What the clouds would answer: the outputs that the programs read, and nothing else."""

import hashlib
from collections.abc import Mapping
from typing import Any

from tests.infra.names import name_property, physical_name

DIGEST = "sha256:" + "d1" * 32
READY = "registry.example.org/team/task-assist@sha256:" + "ab" * 32

RESOURCES: Mapping[str, Mapping[str, Any]] = {
    "random:index/randomPassword:RandomPassword": {"result": "the-admin-password"},
    "random:index/randomString:RandomString": {"result": "x7k2p9"},
    "docker:index/image:Image": {"repoDigest": "sha256:" + "ef" * 32},
    "docker-build:index:Image": {"digest": DIGEST},
    "azure-native:containerregistry:Registry": {"loginServer": "taskassist1a2b.azurecr.example"},
    "azure-native:keyvault:Secret": {"properties": {"secretUriWithVersion": "https://vault.example/secrets/one/1"}},
    "azure-native:managedidentity:UserAssignedIdentity": {"clientId": "client-1", "principalId": "principal-1"},
    "azure-native:web:WebApp": {"customDomainVerificationId": "VERIFY-ME", "identity": {"type": "UserAssigned"}},
    "azure-native:web:Certificate": {"thumbprint": "AB12"},
    "gcp:projects/service:Service": {"project": "my-project"},
    "gcp:artifactregistry/repository:Repository": {"registryUri": "europe-west1-docker.example/my-project/task-assist"},
    "gcp:secretmanager/secretVersion:SecretVersion": {
        "name": "projects/1/secrets/task-assist-admin-password/versions/1"
    },
    "gcp:serviceaccount/account:Account": {"email": "sa@example", "member": "serviceAccount:sa@example"},
    "gcp:compute/instance:Instance": {"instanceId": "1234567890"},
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": {"uptimeCheckId": "check-1"},
    "gcp:compute/address:Address": {"address": "10.30.0.2"},
    "gcp:filestore/instance:Instance": {"networks": [{"network": "n", "modes": [], "ipAddresses": ["10.40.0.2"]}]},
    "gcp:cloudrun/domainMapping:DomainMapping": {
        "statuses": [{"resourceRecords": [{"type": "CNAME", "rrdata": "ghs.example.", "name": ""}]}]
    },
    "aws:ecr/repository:Repository": {
        "repositoryUrl": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/task-assist",
        "registryId": "123456789012",
    },
    "aws:apigatewayv2/api:Api": {"apiEndpoint": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com"},
    "aws:acm/certificate:Certificate": {
        "domainValidationOptions": [
            {
                "domainName": "tasks.example.org",
                "resourceRecordName": "_prove.tasks.example.org.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_value.acm-validations.aws.",
            }
        ]
    },
    "aws:apigatewayv2/domainName:DomainName": {
        "domainNameConfiguration": {
            "certificateArn": "arn:certificate",
            "endpointType": "REGIONAL",
            "securityPolicy": "TLS_1_2",
            "targetDomainName": "d-1.execute-api.eu-central-1.amazonaws.com",
        }
    },
}
CALLS: Mapping[str, Mapping[str, Any]] = {
    "gcp:organizations/getProject:getProject": {"number": "123456789"},
    "gcp:organizations/getClientConfig:getClientConfig": {"accessToken": "registry-password"},
    "aws:index/getPartition:getPartition": {"partition": "aws"},
    "aws:index/getRegion:getRegion": {"region": "eu-central-1"},
    "aws:ec2/getVpcs:getVpcs": {"ids": ["vpc-1"]},
    "aws:ec2/getSubnets:getSubnets": {"ids": ["subnet-b", "subnet-a"]},
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": {
        "proxyEndpoint": "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com",
        "userName": "AWS",
        "password": "registry-password",
    },
    "azure-native:authorization:getClientConfig": {"tenantId": "tenant-1", "subscriptionId": "subscription-1"},
    "azure-native:storage:listStorageAccountKeys": {
        "keys": [
            {"keyName": f"key{n}", "value": f"account-key-{n}", "permissions": "Full", "creationTime": ""}
            for n in (1, 2)
        ]
    },
    "azure-native:containerregistry:listRegistryCredentials": {
        "username": "taskassist1a2b",
        "passwords": [{"name": "password", "value": "registry-password"}],
    },
}


def answer_resource(stack: str, type_: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The resource's state: its inputs, the name that its provider makes, an ARN, and what only the cloud knows."""
    known = RESOURCES.get(type_, {})
    if type_ == "docker:index/remoteImage:RemoteImage":
        known = {"imageId": "sha256:" + hashlib.sha256(inputs["name"].encode()).hexdigest()}
    physical = physical_name(stack, type_, name, inputs)
    named = {name_property(type_) or "name": physical, "name": physical}
    return {"arn": f"arn:aws:test::123456789012:{name}", **named, **inputs, **known}


def answer_call(token: str, args: Mapping[str, Any]) -> dict[str, Any]:
    if token == "aws:ec2/getSubnet:getSubnet":
        return {"id": args["id"], "availabilityZoneId": f"euc1-az{'abc'.index(args['id'][-1]) + 1}"}
    return {**args, **CALLS[token]}
