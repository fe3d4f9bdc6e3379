"""Drops the names that resources had under older API versions, because they cost each preview 0.4 s.

The SDK gives each resource its type under every older API version as an alias, over 400 in this stack, and Pulumi works
out a full name for each of them in every run. No stack of this project was made with one.
"""

import copy
import re

import pulumi

VERSIONED = re.compile(r"azure-native:\w+/v\d{8}\w*:\w+")


def current_names(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """A transformation that drops the aliases of older API versions, and leaves all others."""
    if not args.opts.aliases:
        return None
    opts = copy.copy(args.opts)
    opts.aliases = [alias for alias in args.opts.aliases if not versioned(alias)]
    return pulumi.ResourceTransformationResult(args.props, opts)


def versioned(alias: pulumi.Input[str | pulumi.Alias]) -> bool:
    return isinstance(alias, pulumi.Alias) and bool(VERSIONED.fullmatch(str(alias.type_)))
