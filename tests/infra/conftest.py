"""tests/infra needs the clouds' SDKs; where they are missing, every test here says so by name."""

import importlib.util

import pytest

SDKS = ("pulumi", "pulumi_aws", "pulumi_azure_native", "pulumi_docker", "pulumi_gcp", "pulumi_policy", "botocore")
MISSING = [name for name in SDKS if importlib.util.find_spec(name) is None]

if MISSING:
    pytest.skip(f"{', '.join(MISSING)} not installed: scripts/install dev infra", allow_module_level=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-plans", action="store_true", help="write tests/infra/plans/*.yaml anew")
