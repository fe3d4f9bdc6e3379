"""A mail, and an alarm that sends it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from contract import TAGS


@dataclass(frozen=True)
class Metric:
    """What CloudWatch measures: namespace and name, of which resource, and what is taken of the values of a period."""

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str


@dataclass(frozen=True)
class Limit:
    """When it is too much or too little: `comparison` is ">" or "<", for `periods` periods of `seconds` in a row.

    `silence_is_bad`: a metric without values is a sign of the trouble itself.
    """

    comparison: str
    value: float
    seconds: int
    periods: int = 1
    silence_is_bad: bool = False


COMPARISONS = {">": "GreaterThanThreshold", "<": "LessThanThreshold"}


def mail(
    name: str, physical_name: str, email: str, region: str | None, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """A topic whose messages go to one address, once its owner has clicked the link in AWS's first mail."""
    topic = aws.sns.Topic(name, name=physical_name, region=region, tags=TAGS, opts=opts)
    aws.sns.TopicSubscription(name, topic=topic.arn, protocol="email", endpoint=email, region=region, opts=opts)
    return topic.arn


def alarm(
    name: str,
    physical_name: str,
    says: str,
    metric: Metric,
    limit: Limit,
    topic_arn: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
    region: str | None = None,
) -> None:
    """Mails when the limit is passed, and again when all is well. The topic must be in the alarm's region."""
    aws.cloudwatch.MetricAlarm(
        name,
        name=physical_name,
        alarm_description=says,
        namespace=metric.namespace,
        metric_name=metric.name,
        dimensions=metric.dimensions,
        statistic=metric.statistic,
        comparison_operator=COMPARISONS[limit.comparison],
        threshold=limit.value,
        period=limit.seconds,
        evaluation_periods=limit.periods,
        treat_missing_data="breaching" if limit.silence_is_bad else "notBreaching",
        alarm_actions=[topic_arn],
        ok_actions=[topic_arn],
        region=region,
        tags=TAGS,
        opts=opts,
    )
