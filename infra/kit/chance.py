"""Names that nobody else in a cloud may have."""

import pulumi
import pulumi_random as random


def random_part(name: str) -> pulumi.Output[str]:
    """Six letters and digits, made once, that tell a name apart from everybody else's."""
    return random.RandomString(name, length=6, special=False, upper=False).result
