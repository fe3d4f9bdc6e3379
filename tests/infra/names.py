"""The names that providers make where the program gives none.

pulumi-terraform-bridge (pkg/tfbridge/info/autonaming.go, SetAutonaming and AutoName): a resource with an input `name`
gets its logical name, "-" and 7 hex digits. pulumi-aws, -gcp and -docker are built on it.
pulumi-azure-native (provider/pkg/resources/resources.go, AutoNamer, and provider.go, getDefaultName): the last name in
the resource's path is the logical name with 8 hex digits behind it, without a separator, if it is the only one after
the provider's namespace; the logical name itself if there is a parent; a UUID for role assignments and definitions.
"""

import hashlib
import importlib.util
import re
import uuid
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

# The bridged resources whose name is another property: pulumi-gcp's provider/resources.go and secret_manager.go,
# pulumi-aws's provider/resources.go.
BRIDGED = {
    "gcp:serviceaccount/account:Account": "accountId",
    "gcp:secretmanager/secret:Secret": "secretId",
    "aws:s3/bucket:Bucket": "bucket",
}
# Here the property `name` is the parent's, and the binding's own name is the host's; a role's `roleName` is for people.
AZURE = {
    "azure-native:web:WebAppHostNameBinding": "hostName",
    "azure-native:authorization:RoleDefinition": "roleDefinitionId",
}
UUIDS = ("azure-native:authorization:RoleAssignment", "azure-native:authorization:RoleDefinition")

# The arguments of a resource's class in its SDK's file, and one of them with its default.
SIGNATURE = re.compile(r"^class \w+Args:\n    def __init__\(__self__, \*,(.*?)\):\n", re.DOTALL | re.MULTILINE)
PARAMETER = re.compile(r"^ +(\w+): .*?( = None)?,?$", re.MULTILINE)


def physical_name(stack: str, type_: str, name: str, inputs: Mapping[str, Any]) -> str:
    """What the cloud calls the resource: the name that the program gives, or else the one that the provider makes."""
    property_ = name_property(type_)
    return inputs.get(property_) or made_name(stack, type_, name) or name


def made_name(stack: str, type_: str, name: str) -> str | None:
    """The provider's own name for an unnamed resource, or None if it makes none. The same in each run."""
    if name_property(type_) is None:
        return None
    chance = hashlib.sha256(f"{stack} {type_} {name}".encode()).hexdigest()
    if not type_.startswith("azure-native:"):
        return f"{name}-{chance[:7]}"
    if type_ in UUIDS:
        return str(uuid.UUID(chance[:32]))
    return name if azure_parents(type_) else name + chance[:8]


@cache
def name_property(type_: str) -> str | None:
    """The input that the provider fills in with a name, such as `accountName`; None if there is none."""
    if type_.startswith(("aws:", "gcp:", "docker:")):
        property_ = BRIDGED.get(type_, "name")
        return property_ if property_ in set().union(*parameters(type_)) else None
    if type_.startswith("azure-native:"):
        return AZURE.get(type_) or azure_name(type_)
    return None


def azure_name(type_: str) -> str | None:
    _, optional = parameters(type_)
    if "name" in optional:
        return "name"
    return next((key for key in sorted(optional) if key.endswith("Name")), None)


def azure_parents(type_: str) -> set[str]:
    """The parents that an Azure resource's path names, such as `accountName` for a file share."""
    required, _ = parameters(type_)
    return {key for key in required if key.endswith("Name") or key == "name"} - {"resourceGroupName"}


@cache
def parameters(type_: str) -> tuple[set[str], set[str]]:
    """The inputs of a resource that its SDK asks for, and those that it takes. Read, since an import takes seconds."""
    [signature] = SIGNATURE.findall(sdk_file(type_).read_text())
    known = [(camel_case(name), not default) for name, default in PARAMETER.findall(signature)]
    return {name for name, needed in known if needed}, {name for name, needed in known if not needed}


def sdk_file(type_: str) -> Path:
    """The SDK's file with the resource's class."""
    package, module, class_ = type_.split(":")
    spec = importlib.util.find_spec(f"pulumi_{package.replace('-', '_')}")
    assert spec and spec.origin, f"The SDK of {package} is not installed: scripts/install dev infra"
    folder = Path(spec.origin).parent / module.partition("/")[0].removeprefix("index")
    [found] = [file for file in folder.glob("[a-z]*.py") if file.stem.replace("_", "") == class_.lower()]
    return found


def camel_case(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)
