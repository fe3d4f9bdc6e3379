"""IAM's documents: what is allowed to whom."""

import json
from collections.abc import Mapping, Sequence

import pulumi

Statement = Mapping[str, object]


def allow(actions: Sequence[str], resource: pulumi.Input[str]) -> Statement:
    """A statement that lets whoever has the policy do `actions` on `resource`."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """The whole policy."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def assumed_by(service: str) -> str:
    """The trust document of a role that only an AWS service may take on."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
