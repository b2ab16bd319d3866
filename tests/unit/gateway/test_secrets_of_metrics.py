"""Which fields of whom a metric asks are secret, and what a mask in them stands for."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.policy.policies import RuleInput
from contracts.shapes import Verification
from libs.metric_providers import fields_of_provider
from libs.secrets.problem import SecretProblem
from services.gateway.configs.keeping import kept
from services.gateway.configs.metrics import KnownProviders, metrics_of, templates_of, with_texts
from tests.unit.gateway.readmodel_scenes import metric


@pytest.mark.parametrize(
    "provider_type,path,siblings",
    [
        ("datadog", ("apiKey",), None),
        ("datadog", ("appKey",), None),
        ("prometheus", ("authentication", "bearerToken"), None),
        ("prometheus", ("authentication", "oauth2", "clientSecret"), None),
        ("prometheus", ("authentication", "basic", "password"), None),
        ("prometheus", ("headers", 0, "value"), {"key": "Authorization"}),
        ("terraformCloudRun", ("token",), None),
        ("sql", ("dsn",), None),
        ("sql", ("url",), None),
        ("kubernetes", ("token",), None),
        ("http", ("headers", "Authorization"), None),
        ("http", ("headers", "X-API-Key"), None),
        ("nobody's", ("password",), None),
    ],
)
def test_a_secret_is_known_by_its_type_or_by_its_name(provider_type: str, path: Any, siblings: Any) -> None:
    assert fields_of_provider(provider_type).has(path, siblings)


@pytest.mark.parametrize(
    "provider_type,path",
    [
        ("http", ("url",)),
        ("http", ("headers", "Accept")),
        ("prometheus", ("address",)),
        ("prometheus", ("authentication", "oauth2", "tokenUrl")),
        ("prometheus", ("query",)),
        ("datadog", ("queries", "errors")),
        ("sleep", ("durationSeconds",)),
    ],
)
def test_what_is_no_secret_stays_in_clear(provider_type: str, path: Any) -> None:
    assert not fields_of_provider(provider_type).has(path)


def test_a_template_in_a_secret_field_is_no_secret() -> None:
    config = {
        "type": "datadog", "apiKey": "{{ .variables.datadog_key }}", "appKey": "s3cret {{ brace", "queries": {"a": "{{ .version.tag }}"},
        "headers": [{"key": "Authorization", "value": "Bearer {{.variables.token}}"}],
    }  # fmt: skip
    found = templates_of(config, fields_of_provider("datadog"))
    assert found == {
        ("apiKey",): "{{ .variables.datadog_key }}",
        ("headers", 0, "value"): "Bearer {{.variables.token}}",
    }
    hollow = with_texts(config, dict.fromkeys(found, ""))
    assert (hollow["apiKey"], hollow["appKey"], hollow["headers"][0]["value"]) == ("", "s3cret {{ brace", "")
    assert with_texts(hollow, found) == config


def test_a_secret_full_of_openings_is_read_in_no_time() -> None:
    config = {"type": "datadog", "apiKey": "{{" * 300_000}
    assert templates_of(config, fields_of_provider("datadog")) == {}


def _rule(*names: str, rule_id: str | None = None) -> RuleInput:
    return RuleInput(id=rule_id, verification=Verification(metrics=tuple(metric(one) for one in names)))


def _document(*rules: tuple[str, list[tuple[str, str]]]) -> dict[str, Any]:
    def verification(metrics: list[tuple[str, str]]) -> Any:
        return {"metrics": [{"name": name, "provider": {"type": "http", "url": url}} for name, url in metrics]}

    return {"rules": [{"id": "plain"}, *({"id": rule, "verification": verification(of)} for rule, of in rules)]}


def test_a_metric_is_known_by_its_rule_and_name() -> None:
    known = KnownProviders(_document(("a", [("m", "1"), ("n", "2"), ("m", "3")]), ("b", [("m", "4"), ("o", "5")])))

    def url(rule: str, name: str, number: int = 0) -> str | None:
        found = known.of((rule, name, number))
        return found["url"] if found is not None else None

    assert [url("a", "m"), url("a", "n"), url("a", "m", 1), url("b", "m"), url("b", "o")] == ["1", "2", "3", "4", "5"]
    # Without the id of the rule only by a name that is there once.
    assert [url("", "n"), url("new", "o"), url("", "m"), url("a", "p"), url("a", "o")] == ["2", "5", None, None, "5"]
    assert KnownProviders(None).of(("a", "m", 0)) is None


def test_metrics_are_counted_by_rule_and_name() -> None:
    rules = [RuleInput(id="x"), _rule("m", "n", "m", rule_id="a"), _rule("m")]
    assert [(index, number, place) for index, number, place, _ in metrics_of(rules)] == [
        (1, 0, ("a", "m", 0)),
        (1, 1, ("a", "n", 0)),
        (1, 2, ("a", "m", 1)),
        (2, 0, ("", "m", 0)),
    ]


def test_the_site_of_datadog_is_an_address() -> None:
    known = {"apiKey": "${secret:sealed:x}", "site": "datadoghq.com"}
    with pytest.raises(SecretProblem, match="site is another one now"):
        kept({**known, "site": "evil.example"}, known)
