"""Runs the whole program without a cloud and records what it would make, with the options that Pulumi's mocks drop."""

import asyncio
import gc
import logging
import runpy
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc, settings

from tests.infra.answers import answer_call, answer_resource

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "infra" / "__main__.py"
# How Pulumi marks a secret, and another special value, inside a resource's inputs.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"


@dataclass(frozen=True)
class Resource:
    """One planned resource. `inputs` still has its secrets in envelopes; `plain` hasn't."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    parent: str
    custom: bool
    protect: bool
    options: Mapping[str, Any] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()

    @property
    def plain(self) -> dict[str, Any]:
        return unwrapped(self.inputs)

    @property
    def secret_paths(self) -> set[str]:
        return set(secrets(self.inputs))


@dataclass(frozen=True)
class Plan:
    """All that one run of the program planned, exported and said."""

    resources: list[Resource]
    outputs: Mapping[str, Any]
    log: list[str]

    def of(self, type_: str) -> list[Resource]:
        """The resources whose type ends so, such as "Container" or "efs/fileSystem:FileSystem"."""
        return [resource for resource in self.resources if resource.type.endswith(type_)]

    def one(self, type_: str, name: str | None = None) -> Resource:
        found = [resource for resource in self.of(type_) if name in (None, resource.name)]
        assert len(found) == 1, f"{len(found)} of {type_} {name or ''}: {[resource.name for resource in found]}"
        return found[0]


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def unwrapped(value: Any) -> Any:
    """The value without envelopes."""
    if is_secret(value):
        return unwrapped(value["value"])
    if isinstance(value, Mapping):
        return {key: unwrapped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unwrapped(item) for item in value]
    return value


def secrets(value: Any, path: str = "") -> Iterator[str]:
    """The dotted paths of everything that is in an envelope."""
    if is_secret(value):
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from secrets(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from secrets(item, f"{path}.{number}")


class Stand(mocks.Mocks):
    """Answers for the clouds."""

    def __init__(self, stack: str) -> None:
        self.stack = stack

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", answer_resource(self.stack, args.typ, args.name, args.inputs)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return answer_call(args.token, args.args), []


class Recorder(mocks.MockMonitor):
    """Keeps every registration whole."""

    def __init__(self, stack: str) -> None:
        super().__init__(Stand(stack))
        self.planned: list[Resource] = []
        self.outputs: Mapping[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.planned.append(resource_of(request, response.urn))
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if request.urn.split("::")[2] == "pulumi:pulumi:Stack":
            self.outputs = rpc.deserialize_properties(request.outputs) or self.outputs
        return empty_pb2.Empty()


def resource_of(request: Any, urn: str) -> Resource:
    options = {
        "deleteBeforeReplace": request.deleteBeforeReplace,
        "retainOnDelete": request.retainOnDelete,
        "ignoreChanges": sorted(request.ignoreChanges),
        "replaceOnChanges": sorted(request.replaceOnChanges),
        "additionalSecretOutputs": sorted(request.additionalSecretOutputs),
        "deletedWith": request.deletedWith.rpartition("::")[2],
    }
    return Resource(
        urn=urn,
        type=request.type,
        name=request.name,
        inputs=rpc.deserialize_properties(request.object),
        parent=request.parent,
        custom=request.custom,
        protect=request.protect,
        options={key: value for key, value in options.items() if value},
        depends_on=tuple(sorted(urn for urn in request.dependencies if urn)),
        depends={key: tuple(sorted(value.urns)) for key, value in request.propertyDependencies.items() if value.urns},
        aliases=(*request.aliasURNs, *(alias.urn or alias.spec.type or alias.spec.name for alias in request.aliases)),
    )


class Lines(logging.Handler):
    """Gathers what the program said."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname.lower()}: {record.getMessage()}")


def own_loop() -> asyncio.AbstractEventLoop:
    """The loop that Pulumi's mocks need in each thread, made here so that somebody closes it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def record(config: Mapping[str, str], stack: str = "") -> Plan:
    """Runs the program with this config, bare keys or a provider's own. Raises what the program raises.

    The stack is the one that is shipped for the cloud, if none is named.
    """
    stack = stack or config.get("cloud", "test")
    # In a thread of its own: in this one the browser of other tests may keep an event loop running.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(run_program, config, stack).result()


def run_program(config: Mapping[str, str], stack: str) -> Plan:
    """Runs the program on an event loop that it makes and closes; this thread must have none running."""
    debug = pulumi.log.debug
    full = {key if ":" in key else f"task-assist:{key}": value for key, value in config.items()}
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=4, initializer=lambda: loops.append(own_loop())))
    loops = [loop]
    recorder, lines = Recorder(stack), Lines()
    logger = logging.Logger("pulumi", logging.INFO)
    logger.addHandler(lines)
    try:
        pulumi.runtime.set_all_config(full)
        mocks.set_mocks(
            Stand(stack), project="task-assist", stack=stack, preview=False, logger=logger, monitor=recorder
        )
        settings.set_root_resource(None)
        run = pulumi.runtime.run_in_stack(lambda: runpy.run_path(str(PROGRAM), run_name="__main__") and None)
        with warnings.catch_warnings():
            # The SDKs import resources that they themselves have deprecated.
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="pulumi_")
            loop.run_until_complete(run)
    finally:
        # What the program does for its own short life must not last for the tests'.
        gc.enable()
        pulumi.log.debug = debug
        pulumi.runtime.set_all_config({})
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        for made in loops:
            made.close()
    return Plan(recorder.planned, recorder.outputs, lines.lines)
