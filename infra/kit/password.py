"""The one secret that the program makes: the first account's password."""

import pulumi
import pulumi_random as random


def admin_password() -> pulumi.Output[str]:
    """A password of 24 letters and digits, made once and kept as a secret in the stack's state."""
    return pulumi.Output.secret(random.RandomPassword("admin-password", length=24, special=False).result)
