"""Stand-in providers: small gRPC servers that play a cloud for the real engine, and write down what it asks of them."""

from collections.abc import Mapping
from concurrent import futures
from dataclasses import dataclass, field
from threading import Event as Signal
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.infra.answers import answer_call, answer_resource
from tests.infra.replacements import replaced

PACKAGES = ("aws", "azure-native", "docker", "docker-build", "gcp", "random")
# How the engine writes a string that is not known yet.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
# The inputs that Azure's provider takes from the state where the program leaves them open: names and places.
STAYS = ("accountName", "location", "resourceGroupName")


@dataclass(frozen=True)
class Event:
    """One thing that the engine asked for: create, update or delete."""

    verb: str
    type: str
    name: str


@dataclass
class Log:
    """All that was asked of all stand-ins, in order."""

    events: list[Event] = field(default_factory=list)

    def add(self, verb: str, urn: str) -> None:
        qualified, name = urn.split("::")[2:4]
        self.events.append(Event(verb, qualified.rpartition("$")[2], name))

    def taken(self) -> list[Event]:
        """What came since the last look."""
        events, self.events = self.events, []
        return events


@dataclass
class Faults:
    """What goes wrong: the next create of a type in `refuse` fails, and one of a type in `hang` waits for `go_on`."""

    refuse: set[str] = field(default_factory=set)
    hang: set[str] = field(default_factory=set)
    hanging: Signal = field(default_factory=Signal)
    go_on: Signal = field(default_factory=Signal)

    def meet(self, type_: str, context: grpc.ServicerContext) -> None:
        if type_ in self.refuse:
            self.refuse.remove(type_)
            context.abort(grpc.StatusCode.UNKNOWN, f"the cloud refuses {type_}")
        if type_ in self.hang:
            self.hang.remove(type_)
            self.hanging.set()
            self.go_on.wait(60)


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """One package's provider. It knows no schema: it keeps what it is given and answers as the mocks do.

    `existing` is what was there before: inputs by ID, for an import.
    """

    def __init__(self, log: Log, existing: Mapping[str, Mapping[str, Any]], faults: Faults) -> None:
        self.log, self.existing, self.faults = log, existing, faults

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="99.0.0")

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=False)

    def Check(self, request: Any, context: Any) -> Any:
        for key in STAYS:
            if key in request.olds and key not in request.news:
                request.news[key] = request.olds[key]
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = plain(request.old_inputs), plain(request.news)
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=replaced(request.type, old, new),
        )

    def Create(self, request: Any, context: Any) -> Any:
        if request.preview:
            return provider_pb2.CreateResponse(
                properties=not_yet(state(request, request.properties), request.properties)
            )
        self.faults.meet(request.type, context)
        self.log.add("create", request.urn)
        return provider_pb2.CreateResponse(id=f"{request.name}-id", properties=state(request, request.properties))

    def Update(self, request: Any, context: Any) -> Any:
        if not request.preview:
            self.log.add("update", request.urn)
        after = state(request, request.news)
        # What the cloud once named keeps its name.
        after.update({"name": plain(request.olds)["name"]})
        return provider_pb2.UpdateResponse(properties=after)

    def Delete(self, request: Any, context: Any) -> Any:
        self.log.add("delete", request.urn)
        return empty_pb2.Empty()

    def Read(self, request: Any, context: Any) -> Any:
        if request.id in self.existing:
            inputs = self.existing[request.id]
            known = struct({**inputs, "name": request.id.rpartition("/")[2]})
            return provider_pb2.ReadResponse(id=request.id, properties=known, inputs=struct(inputs))
        known = request.properties if request.properties.fields else state(request, request.inputs)
        return provider_pb2.ReadResponse(id=request.id, properties=known, inputs=request.inputs)

    def Invoke(self, request: Any, context: Any) -> Any:
        return provider_pb2.InvokeResponse(**{"return": struct(answer_call(request.tok, plain(request.args)))})


def plain(message: struct_pb2.Struct) -> dict[str, Any]:
    return MessageToDict(message)


def struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(value)
    return message


def state(request: Any, inputs: struct_pb2.Struct) -> struct_pb2.Struct:
    stack = request.urn.split(":")[2]
    return struct(answer_resource(stack, request.type, request.name, plain(inputs)))


def not_yet(after: struct_pb2.Struct, inputs: struct_pb2.Struct) -> struct_pb2.Struct:
    """A preview's answer: what only the cloud knows is unknown."""
    return struct({key: value if key in inputs else UNKNOWN for key, value in plain(after).items()})


class StandIns:
    """A server for each package. `environment` attaches them to `pulumi`."""

    def __init__(self, packages: tuple[str, ...] = PACKAGES) -> None:
        self.log, self.faults = Log(), Faults()
        self.existing: dict[str, Mapping[str, Any]] = {}
        self.servers: list[grpc.Server] = []
        ports: list[str] = []
        for package in packages:
            server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(
                StandIn(self.log, self.existing, self.faults), server
            )
            ports.append(f"{package}:{server.add_insecure_port('127.0.0.1:0')}")
            server.start()
            self.servers.append(server)
        self.environment = {"PULUMI_DEBUG_PROVIDERS": ",".join(ports)}

    def stop(self) -> None:
        for server in self.servers:
            server.stop(grace=None)
