"""The names that providers make where the program gives none.

pulumi-terraform-bridge (pkg/tfbridge/info/autonaming.go, SetAutonaming and AutoName): a resource with an input `name`
gets its logical name, "-" and 7 hex digits. pulumi-aws, -gcp and -docker are built on it.
pulumi-azure-native (provider/pkg/resources/resources.go, AutoNamer, and provider.go, getDefaultName): the last name in
the resource's path is the logical name with 8 hex digits behind it, without a separator, if it is the only one after
the provider's namespace; the logical name itself if there is a parent; a UUID for role assignments.
"""

import hashlib
import importlib
import inspect
import re
import threading
import uuid
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

# The bridged resources whose name is another property: pulumi-gcp's provider/resources.go and secret_manager.go.
BRIDGED = {
    "gcp:serviceaccount/account:Account": "accountId",
    "gcp:secretmanager/secret:Secret": "secretId",
}
# Here the property `name` is the parent's, and the binding's own name is the host's.
AZURE = {"azure-native:web:WebAppHostNameBinding": "hostName"}

# The SDKs import each other in circles, so a second thread could be given one that is half there.
IMPORTING = threading.Lock()


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
    if type_ == "azure-native:authorization:RoleAssignment":
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
    """The inputs of a resource that its SDK asks for, and those that it takes."""
    package, module, class_ = type_.split(":")
    path = f"pulumi_{package.replace('-', '_')}.{module.partition('/')[0]}"
    with IMPORTING, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = importlib.import_module(path.removesuffix(".index"))
    # A class with Init in its name is a resource's where a nested type has the plain one.
    args = getattr(module, f"{class_}InitArgs", None) or getattr(module, f"{class_}Args")
    known = inspect.signature(args.__init__).parameters.values()
    named = [(camel_case(one.name), one.default is inspect.Parameter.empty) for one in known]
    return {key for key, needed in named if needed}, {key for key, needed in named if not needed}


def camel_case(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)
