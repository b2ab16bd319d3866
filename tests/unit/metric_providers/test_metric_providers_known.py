"""Which providers there are, and what is said of a configuration that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from contracts.shapes import MetricProvider
from libs.metric_providers import KNOWN, problems, provider_of
from libs.metric_providers.access_tokens import OAuth2
from libs.metric_providers.durations import go_seconds
from libs.metric_providers.port import SECRET
from libs.metric_providers.prometheus import Authentication, Basic
from libs.metric_providers.sleep import PROVIDER as SLEEP
from libs.metric_providers.sleep import SleepConfig
from libs.metric_providers.sql import SqlConfig
from tests.unit.metric_providers.asking_scene import asking

PROMETHEUS = {"address": "http://prometheus:9090", "query": "up"}
SQL = {"dsn": "postgresql://reader@db/shop", "query": "SELECT 1"}


def told(type: str, **given: Any) -> list[tuple[str, str]]:
    return list(problems(MetricProvider.model_validate({"type": type, **given})))


def test_providers_are_found_by_their_files() -> None:
    assert {"http", "prometheus", "sleep", "sql"} <= set(KNOWN)
    assert all(provider.name == name for name, provider in KNOWN.items())
    assert provider_of(MetricProvider(type="http")) is KNOWN["http"]


def test_a_type_that_nobody_knows_is_told_with_those_that_are_known() -> None:
    ((path, message),) = told("newrelic")
    assert path == "type"
    assert message.startswith("there is no provider 'newrelic'; there are ")
    assert all(name in message for name in KNOWN)
    assert provider_of(MetricProvider(type="newrelic")) is None


@pytest.mark.parametrize(
    "type,given",
    [
        ("http", {"url": "http://x"}),
        ("http", {"url": "{{.resource.config.url}}", "timeout": "1m30s", "headers": {"A": "b"}, "unknown": 1}),
        ("sleep", {}),
        ("prometheus", PROMETHEUS),
        ("prometheus", {**PROMETHEUS, "timeout": 0, "rangeQuery": {"step": "1m", "start": "1h", "end": "0s"}}),
        ("prometheus", {**PROMETHEUS, "authentication": {"bearerToken": "${secret:env:SIGNALBOX_SECRET_A}"}}),
        ("prometheus", {**PROMETHEUS, "headers": [{"key": "authorization", "value": "x"}]}),
        ("sql", SQL),
        ("sql", {"url": "${secret:sealed:abc}", "query": "SELECT {{.variables.n}}", "timeoutSeconds": 300}),
    ],
)
def test_what_is_right_has_no_problems(type: str, given: dict[str, Any]) -> None:
    assert told(type, **given) == []


@pytest.mark.parametrize(
    "type,given,path,message",
    [
        ("http", {}, "url", "is missing"),
        ("http", {"url": "http://x", "timeout": "soon"}, "timeout", "'soon' is no duration above 0"),
        ("http", {"url": "http://x", "timeout": "0s"}, "timeout", "'0s' is no duration above 0"),
        ("http", {"url": "http://x", "method": "TRACE"}, "method", "must be 'GET'"),
        ("sleep", {"durationSeconds": 0}, "durationSeconds", "greater than or equal to 1"),
        ("sleep", {"durationSeconds": 3601}, "durationSeconds", "less than or equal to 3600"),
        ("prometheus", {"query": "up"}, "address", "is missing"),
        ("prometheus", {**PROMETHEUS, "query": ""}, "query", "at least 1 character"),
        ("prometheus", {**PROMETHEUS, "timeout": 601}, "timeout", "less than or equal to 600"),
        ("prometheus", {**PROMETHEUS, "headers": [{"key": "a"}]}, "headers/0/value", "is missing"),
        ("prometheus", {**PROMETHEUS, "rangeQuery": {}}, "rangeQuery/step", "is missing"),
        ("prometheus", {**PROMETHEUS, "rangeQuery": {"step": "5x"}}, "rangeQuery/step", "'5x' is no duration above 0"),
        ("prometheus", {**PROMETHEUS, "rangeQuery": {"step": "1us"}}, "rangeQuery", "shorter than a millisecond"),
        ("prometheus", {**PROMETHEUS, "rangeQuery": {"step": "1s", "end": "-1s"}}, "rangeQuery/end", "'-1s' is no duration"),
        ("prometheus", {**PROMETHEUS, "rangeQuery": {"step": "1s", "start": "1m", "end": "2m"}}, "rangeQuery", "starts 1m ago"),
        (
            "prometheus",
            {**PROMETHEUS, "authentication": {"bearerToken": "a", "basic": {"username": "a", "password": "b"}}},
            "authentication",
            "give one of bearerToken, oauth2 and basic",
        ),
        (
            "prometheus",
            {**PROMETHEUS, "authentication": {"oauth2": {"tokenUrl": "http://x", "clientId": "a"}}},
            "authentication/oauth2/clientSecret",
            "is missing",
        ),
        (
            "prometheus",
            {**PROMETHEUS, "headers": [{"key": "Authorization", "value": "x"}], "authentication": {"bearerToken": "a"}},
            "",
            "there are an Authorization header and an authentication",
        ),
        ("sql", {"query": "SELECT 1"}, "", "give the connection string, as dsn or as url"),
        ("sql", {**SQL, "url": SQL["dsn"]}, "", "give the connection string, as dsn or as url"),
        ("sql", {**SQL, "query": ""}, "query", "at least 1 character"),
        ("sql", {**SQL, "timeoutSeconds": 0}, "timeoutSeconds", "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(type: str, given: dict[str, Any], path: str, message: str) -> None:
    ((where, said),) = told(type, **given)
    assert where == path
    assert message in said


def secret_fields(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items() if field.json_schema_extra == SECRET}


def test_what_holds_secrets_says_so() -> None:
    assert secret_fields(Authentication) == {"bearerToken"}
    assert secret_fields(OAuth2) == {"clientSecret"}
    assert secret_fields(Basic) == {"password"}
    assert secret_fields(SqlConfig) == {"dsn", "url"}


async def test_a_sleep_is_over_when_it_is_asked_for() -> None:
    config = SleepConfig.model_validate({"durationSeconds": 45})
    async with asking() as one:
        assert await SLEEP.measure(config, one) == {"ok": True, "value": 45, "duration": 45_000}
    assert SLEEP.delay_s is not None
    assert SLEEP.delay_s(config) == 45
    assert SleepConfig().duration_seconds == 30


@pytest.mark.parametrize(
    "text,seconds",
    [
        ("30s", 30), ("1m30s", 90), ("1.5h", 5400), ("250ms", 0.25), (".5s", 0.5), ("0s", 0), ("10us", 1e-5), ("2µs", 2e-6), ("7ns", 7e-9),
        ("", None), ("5", None), ("5 s", None), ("-5s", None), ("s", None), ("5sx", None),
    ],
)  # fmt: skip
def test_durations_are_read_as_go_writes_them(text: str, seconds: float | None) -> None:
    assert go_seconds(text) == pytest.approx(seconds)
