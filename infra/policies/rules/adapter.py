"""Between Pulumi's policy SDK and the rules."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from rules.model import UNKNOWN, Planned, Rule


def policy(rule: Rule) -> Policy:
    """The rule as Pulumi wants it."""
    level = EnforcementLevel.MANDATORY if rule.mandatory else EnforcementLevel.ADVISORY

    def one(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for violation in rule.check([from_resource(args)]):
            report(violation.text, args.urn)

    def all_of(args: StackValidationArgs, report: ReportViolation) -> None:
        for violation in rule.check([from_stack(resource) for resource in args.resources]):
            report(violation.text, violation.resource.urn)

    if rule.alone:
        return ResourceValidationPolicy(rule.name, rule.text, one, enforcement_level=level)
    return StackValidationPolicy(rule.name, rule.text, all_of, enforcement_level=level)


def from_resource(args: ResourceValidationArgs) -> Planned:
    return Planned(
        urn=args.urn,
        type=args.resource_type,
        name=args.name,
        props=known(args.props),
        protect=args.opts.protect,
        delete_before_replace=bool(args.opts.delete_before_replace),
    )


def from_stack(resource: PolicyResource) -> Planned:
    return Planned(
        urn=resource.urn,
        type=resource.resource_type,
        name=resource.name,
        props=known(resource.props),
        protect=resource.opts.protect,
        delete_before_replace=bool(resource.opts.delete_before_replace),
        depends={key: tuple(found.urn for found in value) for key, value in resource.property_dependencies.items()},
    )


def known(value: Any) -> Any:
    """A plain copy, with UNKNOWN wherever the SDK would raise because a preview can't know the value."""
    if isinstance(value, Mapping):
        return {str(key): known_at(value, key) for key in cast(Mapping[str, Any], value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [known_at(value, number) for number in range(len(cast(Sequence[Any], value)))]
    return value


def known_at(container: Any, key: Any) -> Any:
    try:
        return known(container[key])
    except UnknownValueError:
        return UNKNOWN
