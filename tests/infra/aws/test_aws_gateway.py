"""The gateway tells the app who asks, sends nobody to a task that does not listen, and writes down what it did."""

import json
import re

import pytest

from kit.aws.gateway import CLIENT_HEADER
from tests.infra.plans import CONFIGS, app_container, plan
from tests.infra.recording import Plan

AWS = [name for name in CONFIGS if name.startswith("aws")]
# *Transforming API requests and responses for HTTP APIs*, reserved headers: these can't be written.
RESERVED = re.compile(
    r"access-control-.*|apigw-.*|authorization|connection|content-(encoding|length|location)|forwarded|keep-alive|origin"
    r"|proxy-authenticat.*|te|trailers?|transfer-encoding|upgrade|x-amz-.*|x-amzn-.*|x-forwarded-(for|host|proto)|via",
    re.IGNORECASE,
)
# *Customize HTTP API access logs*, the variables that this uses.
VARIABLES = {
    "$context.requestTime",
    "$context.requestId",
    "$context.identity.sourceIp",
    "$context.httpMethod",
    "$context.path",
    "$context.status",
    "$context.responseLength",
    "$context.responseLatency",
    "$context.integrationErrorMessage",
}


@pytest.fixture(params=AWS)
def found(request: pytest.FixtureRequest) -> Plan:
    return plan(request.param)


def test_the_app_learns_the_clients_address_from_a_header_that_no_client_can_write(found: Plan):
    mapping = found.one("apigatewayv2/integration:Integration").inputs["requestParameters"]
    assert mapping == {"overwrite:header.clientaddress": "$context.identity.sourceIp"}
    settings = app_container(found).environment
    assert settings["CLIENT_ADDRESS_HEADER"] == "clientaddress"
    # The app believes the header only behind a proxy.
    assert settings["TRUSTED_PROXIES"] == "1"


def test_the_header_is_not_reserved_and_has_no_twin_with_an_underscore():
    assert not RESERVED.fullmatch(CLIENT_HEADER)
    assert re.fullmatch("[a-z]+", CLIENT_HEADER)


def test_the_app_takes_the_setting(found: Plan):
    from app import settings

    loaded = settings.load({"ADMIN_PASSWORD": "a-password-of-24-letters", **app_container(found).environment})
    assert loaded.client_address_header == CLIENT_HEADER


def test_cloud_map_knows_the_tasks_health_and_is_not_made_anew_at_each_up(found: Plan):
    service = found.one("servicediscovery/service:Service").inputs
    assert service["healthCheckCustomConfig"] == {"failureThreshold": 1}
    # The service without health had "app" in the same namespace, and both are there for a moment.
    assert service["name"] != "app"


def test_no_warning_of_the_sdk_reaches_the_person(found: Plan):
    assert [line for line in found.log if "deprecated" in line] == []


def test_each_request_is_logged_for_as_long_as_logs_stay():
    found = plan("aws-efs-full")
    log = found.one("cloudwatch/logGroup:LogGroup", "gateway-access").inputs
    assert log["retentionInDays"] == 90
    # The prefix spares the account's one resource policy of logs (*Enable logging from AWS services*).
    assert log["name"].startswith("/aws/vendedlogs/")
    written = json.loads(found.one("apigatewayv2/stage:Stage").inputs["accessLogSettings"]["format"])
    assert set(written.values()) == VARIABLES
