"""Region and zone of the stack. The config check has seen that both are set."""

import pulumi


def region() -> str:
    return pulumi.Config("gcp").require("region")


def zone() -> str:
    return pulumi.Config("gcp").require("zone")
