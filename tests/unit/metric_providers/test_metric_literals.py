"""What somebody wrote out and can never be asked is told when it is saved, at its field; what is filled in later is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.shapes import Json, MetricProvider
from libs.metric_providers import KNOWN, no_value, problems, secret_problems

HTTP = {"type": "http", "url": "https://shop.example/health"}
PROMETHEUS = {"type": "prometheus", "address": "http://prometheus:9090", "query": "up"}
SQL = {"type": "sql", "dsn": "postgresql://reader@db/shop", "query": "SELECT 1"}
KUBERNETES = {"type": "kubernetes", "serverUrl": "https://k8s.example:6443", "token": "t", "labelSelector": "app=shop"}
DATADOG = {"type": "datadog", "apiKey": "k", "appKey": "k", "queries": {"errors": "sum:errors{*}", "hits": "sum:hits{*}"}}
TERRAFORM = {"type": "terraformCloudRun", "address": "https://app.terraform.io", "token": "t", "runId": "run-CZcmD7eagjhyX0vN"}
ALL = (HTTP, PROMETHEUS, SQL, KUBERNETES, {**DATADOG, "formula": "errors / hits"}, TERRAFORM, {"type": "sleep"})

SEALED = "${secret:sealed:AAAA}"
OAUTH = {"tokenUrl": "https://login.example/token", "clientId": "a", "clientSecret": "s"}
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBODCB66ADAgECAhQUdIUgCqdCvAb0TzQIsKb8N6lZJTAFBgMrZXAwEjEQMA4G
-----END CERTIFICATE-----
"""


def told(given: Json) -> list[tuple[str, str]]:
    return list(problems(MetricProvider.model_validate(given)))


@pytest.mark.parametrize("given", ALL, ids=lambda one: one["type"])
def test_what_can_be_asked_has_no_problems(given: Json) -> None:
    assert told(given) == []


@pytest.mark.parametrize(
    "given,path,message",
    [
        # http
        ({**HTTP, "url": "notaurl"}, "url", "must begin with http:// or https://"),
        ({**HTTP, "url": "ftp://shop.example"}, "url", "must begin with http:// or https://"),
        ({**HTTP, "url": "file:///etc/passwd"}, "url", "must begin with http:// or https://"),
        ({**HTTP, "url": "//shop.example"}, "url", "must begin with http:// or https://"),
        ({**HTTP, "url": "http://"}, "url", "names no host"),
        ({**HTTP, "url": "http:///health"}, "url", "names no host"),
        ({**HTTP, "url": "http://shop.example:99999"}, "url", "ports are 1 to 65535"),
        ({**HTTP, "url": " https://shop.example"}, "url", "there are blanks around the address"),
        ({**HTTP, "headers": {"X Key": "a"}}, "headers/X Key", "is no name of a header"),
        ({**HTTP, "headers": {"": "a"}}, "headers/", "is no name of a header"),
        ({**HTTP, "headers": {"X-{{.version.tag}}": "a"}}, "headers/X-{{.version.tag}}", "is no name of a header"),
        ({**HTTP, "headers": {"Content-Length": "1"}}, "headers/Content-Length", "is not for callers to set"),
        ({**HTTP, "headers": {"X-Key": "a\r\nX-Other: b"}}, "headers/X-Key", "can not hold a line break"),
        ({**HTTP, "timeout": "10m1s"}, "timeout", "longer than 10 minutes"),
        ({**HTTP, "timeout": "-5s"}, "timeout", "is no duration above 0"),
        # prometheus
        ({**PROMETHEUS, "address": "prometheus:9090"}, "address", "must begin with http:// or https://"),
        ({**PROMETHEUS, "address": "http:///prometheus"}, "address", "names no host"),
        ({**PROMETHEUS, "authentication": {}}, "authentication", "give one of bearerToken, oauth2 and basic"),
        ({**PROMETHEUS, "authentication": {"bearerToken": None}}, "authentication", "give one of bearerToken, oauth2 and basic"),
        ({**PROMETHEUS, "authentication": {"bearerToken": "a\n"}}, "authentication/bearerToken", "can not hold a line break"),
        (
            {**PROMETHEUS, "authentication": {"oauth2": {**OAUTH, "tokenUrl": "login.example"}}},
            "authentication/oauth2/tokenUrl",
            "must begin with http:// or https://",
        ),
        ({**PROMETHEUS, "headers": [{"key": "X Key", "value": "a"}]}, "headers/0/key", "is no name of a header"),
        ({**PROMETHEUS, "headers": [{"key": "X", "value": "a\n"}]}, "headers/0/value", "can not hold a line break"),
        ({**PROMETHEUS, "timeout": -1}, "timeout", "greater than or equal to 0"),
        # sql
        ({**SQL, "dsn": "nonsense"}, "dsn", "can not be read"),
        ({**SQL, "dsn": "mysql://reader@db/shop"}, "dsn", "can not be read"),
        ({**SQL, "dsn": "host=/sock user=reader"}, "dsn", "must name one host"),
        ({**SQL, "dsn": "host=a,b user=reader"}, "dsn", "must name one host"),
        ({**SQL, "dsn": "postgresql://reader@db:99999/shop"}, "dsn", "ports are 1 to 65535"),
        ({**SQL, "dsn": "postgresql://reader@db/shop?sslrootcert=/etc/ca"}, "dsn", "sets sslrootcert"),
        ({**SQL, "dsn": "postgresql://reader@db/shop?sslmode=maybe"}, "dsn", "sslmode is none; there are disable, allow"),
        ({"type": "sql", "url": "postgresql://db/shop", "query": "SELECT 1"}, "url", "must name a user"),
        ({**SQL, "query": "DELETE FROM orders"}, "query", "one statement that begins with SELECT, WITH, VALUES or TABLE"),
        ({**SQL, "query": "SELECT 1; SELECT 2"}, "query", "another statement follows its semicolon"),
        ({**SQL, "caCertificate": "nonsense"}, "caCertificate", "it must be PEM"),
        ({**SQL, "caCertificate": "schön"}, "caCertificate", "it must be PEM"),
        # kubernetes
        ({**KUBERNETES, "labelSelector": "a in ("}, "labelSelector", "a bracket of the selector is not closed"),
        ({**KUBERNETES, "labelSelector": "  "}, "labelSelector", "it is empty"),
        ({**KUBERNETES, "caCertificate": CERTIFICATE}, "caCertificate", "it must be PEM"),
        ({**KUBERNETES, "serverUrl": "ftp://k8s.example"}, "serverUrl", "only http: and https: can be called"),
        ({**KUBERNETES, "serverUrl": "https://k8s.example?x"}, "serverUrl", "without ? and #"),
        ({**KUBERNETES, "serverUrl": "http:///"}, "serverUrl", "is no address of an API"),
        ({**KUBERNETES, "namespace": "a/b"}, "namespace", "is no namespace"),
        ({**KUBERNETES, "token": "a\n"}, "token", "can not hold a line break"),
        # datadog
        ({**DATADOG, "site": "eu"}, "site", "is no host name of a site"),
        ({**DATADOG, "site": "a..b"}, "site", "is no host name of a site"),
        ({**DATADOG, "site": "datadoghq.com/path"}, "site", "is no site of Datadog"),
        ({**DATADOG, "site": "datadoghq.com:99999"}, "site", "ports are 1 to 65535"),
        ({**DATADOG, "site": "ftp://datadoghq.com"}, "site", "only http: and https: can be called"),
        ({**DATADOG, "formula": "errors / hit"}, "formula", "names 'hit', which is no query; the queries are errors, hits"),
        ({**DATADOG, "formula": "5 + 1e3"}, "formula", "names no query"),
        ({**DATADOG, "queries": {"a b": "sum:errors{*}"}}, "queries/a b", "can not name a query"),
        ({**DATADOG, "apiKey": "k\n"}, "apiKey", "can not hold a line break"),
        # terraformCloudRun
        ({**TERRAFORM, "runId": "../../x"}, "runId", "is no id of a run"),
        ({**TERRAFORM, "address": "ftp://app.terraform.io"}, "address", "only http: and https: can be called"),
        ({**TERRAFORM, "address": "https://app.terraform.io#x"}, "address", "without ? and #"),
        ({**TERRAFORM, "token": "t\r\n"}, "token", "can not hold a line break"),
    ],
)  # fmt: skip
def test_what_can_never_be_asked_is_told_at_its_field(given: Json, path: str, message: str) -> None:
    ((where, said),) = told(given)
    assert where == path
    assert message in said


def test_workloads_are_told_one_by_one() -> None:
    workloads = [{"kind": "Job", "name": "a"}, {"kind": "Job", "name": "A"}, {"kind": "Job", "name": "a", "namespace": "B"}]
    given = {key: value for key, value in KUBERNETES.items() if key != "labelSelector"}
    assert [where for where, _ in told({**given, "workloads": workloads})] == ["workloads/1/name", "workloads/2/namespace"]


@pytest.mark.parametrize("filled_in", ["{{.variables.it}}", "${secret:env:SIGNALBOX_SECRET_IT}", SEALED, "••••••"])
@pytest.mark.parametrize(
    "given,field",
    [
        (HTTP, "url"), (PROMETHEUS, "address"), (SQL, "dsn"), (SQL, "query"), (SQL, "caCertificate"), (KUBERNETES, "serverUrl"),
        (KUBERNETES, "token"), (KUBERNETES, "labelSelector"), (KUBERNETES, "caCertificate"), (KUBERNETES, "namespace"), (DATADOG, "site"),
        (DATADOG, "formula"), (DATADOG, "apiKey"), (TERRAFORM, "address"), (TERRAFORM, "runId"), (TERRAFORM, "token"),
    ],
)  # fmt: skip
def test_what_is_filled_in_later_is_left_alone(given: Json, field: str, filled_in: str) -> None:
    assert told({**given, field: f"\n{filled_in}"}) == []


@pytest.mark.parametrize("given", [{**HTTP, "url": "notaurl"}, {**SQL, "query": "COMMIT"}, {**TERRAFORM, "runId": "../x"}])
def test_what_is_asked_is_not_judged_by_how_it_is_written(given: Json) -> None:
    """What comes of it then is told by whoever is asked, or by whoever asks."""
    KNOWN[given["type"]].config.model_validate(given)


def test_a_site_may_be_any_address_and_a_server_needs_no_scheme() -> None:
    assert told({**DATADOG, "site": "http://localhost:8126/api"}) == []
    assert told({**KUBERNETES, "serverUrl": "k8s.example:6443"}) == []
    assert told({**TERRAFORM, "address": "app.terraform.io"}) == []
    assert told({**PROMETHEUS, "address": " http://prometheus:9090/prefix/ "}) == []


@pytest.mark.parametrize(
    "formula",
    [
        "errors",
        "errors/hits*100",
        "default_zero(errors) / hits",
        "top(errors, 10, 'mean', 'desc')",
        "1e3 * errors + .5",
        "",
        "anomalies(errors, 'agile', 2, direction='above') - forecast(hits, 'linear', 1, interval = '60m', history=1w)",
    ],
)
def test_functions_numbers_and_texts_of_a_formula_are_no_queries(formula: str) -> None:
    assert told({**DATADOG, "formula": formula}) == []


def test_a_selector_that_no_address_can_hold_is_not_read() -> None:
    (only,) = told({**KUBERNETES, "workloads": [], "labelSelector": "a," * 10_000 + "a"})
    assert only == ("labelSelector", "the selector has 20001 characters, and it is asked in an address, which has at most 16384")


def test_a_formula_full_of_openings_is_read_in_no_time() -> None:
    assert told({**DATADOG, "formula": "{errors" * 200_000}) == []


def test_a_certificate_and_an_sslmode_that_asks_for_none_do_not_go_together() -> None:
    empty: Json = {**SQL, "caCertificate": ""}
    assert told(empty) == []
    ((path, message),) = told({**empty, "dsn": "postgresql://reader@db/shop?sslmode=disable"})
    assert path == ""
    assert message == "with a caCertificate, sslmode must be verify-ca or verify-full"


# --- secrets -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given,path",
    [
        ({**SQL, "dsn": "mysql://reader:hunter2@db/shop", "query": "COMMIT"}, "dsn"),
        ({**SQL, "dsn": "host=db password='hunter2"}, "dsn"),
        ({**SQL, "dsn": "postgresql://reader:hunter2@db/shop?sslmode=require", "caCertificate": ""}, ""),
        ({**KUBERNETES, "token": "hunter2\n", "labelSelector": "a in ("}, "token"),
        ({**PROMETHEUS, "headers": [{"key": "Authorization", "value": "hunter2\n"}, {"key": "X X", "value": ""}]}, "headers/0/value"),
        ({**HTTP, "url": "notaurl", "headers": {"Authorization": "Bearer hunter2\n"}}, "headers/Authorization"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_secret_is_told_while_it_is_in_clear_and_not_quoted(given: Json, path: str) -> None:
    ((where, message),) = secret_problems(MetricProvider.model_validate(given))
    assert where == path
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "given", [*ALL, {**SQL, "dsn": SEALED}, {**HTTP, "url": "notaurl"}, {"type": "newrelic", "token": "a\n"}]
)
def test_what_is_wrong_with_the_rest_is_no_problem_of_a_secret(given: Json) -> None:
    assert list(secret_problems(MetricProvider.model_validate(given))) == []


# --- results without a value ---------------------------------------------------------------------------------------------------------


def test_some_results_never_have_a_value() -> None:
    without = [one["type"] for one in (*ALL, DATADOG) if no_value(MetricProvider.model_validate(one))]
    assert without == ["http", "datadog"]
    assert no_value(MetricProvider.model_validate({"type": "http"})) == ""
    assert no_value(MetricProvider.model_validate({"type": "newrelic"})) == ""


# --- words ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given,path,message",
    [
        ({**PROMETHEUS, "headers": {"X": "a"}}, "headers", "must be a list, not an object"),
        ({**PROMETHEUS, "headers": ["a"]}, "headers/0", "must be an object, not a text"),
        ({**PROMETHEUS, "headers": [{"key": "a"}]}, "headers/0/value", "is missing"),
        ({**PROMETHEUS, "authentication": {"oauth2": []}}, "authentication/oauth2", "must be an object, not a list"),
        ({**PROMETHEUS, "rangeQuery": 5}, "rangeQuery", "must be an object, not a number"),
        ({**PROMETHEUS, "timeout": "30s"}, "timeout", "must be a whole number"),
        ({**PROMETHEUS, "timeout": 1.5}, "timeout", "must be a whole number, not a fraction"),
        ({**PROMETHEUS, "insecure": "maybe"}, "insecure", "must be true or false"),
        ({**HTTP, "headers": [{"key": "a", "value": "b"}]}, "headers", "must be an object, not a list"),
        ({**HTTP, "headers": {"a": True}}, "headers/a", "must be a text, not true or false"),
        ({**HTTP, "timeout": 30}, "timeout", "must be a text, not a number"),
        ({**HTTP, "url": None}, "url", "must be a text, not null"),
        ({**HTTP, "url": ""}, "url", "must have at least 1 character"),
        ({**DATADOG, "queries": {}}, "queries", "must have at least 1 entry, not 0"),
        ({**DATADOG, "queries": ["a"]}, "queries", "must be an object, not a list"),
        ({**KUBERNETES, "kinds": "Job"}, "kinds", "must be a list, not a text"),
        ({**KUBERNETES, "kinds": ["Pod"]}, "kinds/0", "must be 'Deployment', 'StatefulSet', 'DaemonSet' or 'Job'"),
        ({**KUBERNETES, "workloads": [{"kind": "Job", "name": "a"}] * 51}, "workloads", "must have at most 50 entries, not 51"),
        ({"type": "sleep", "durationSeconds": 0}, "durationSeconds", "must be greater than or equal to 1"),
    ],
)  # fmt: skip
def test_forms_are_told_in_words_of_json(given: Json, path: str, message: str) -> None:
    assert told(given) == [(path, message)]


@pytest.mark.parametrize("value", [None, True, 5, 1.5, "x", [], {}, [None], {"a": None}, [{}], {"a": {}}])
@pytest.mark.parametrize("type", sorted(KNOWN))
def test_whatever_is_sent_is_told_once_for_each_place(type: str, value: Any) -> None:
    fields = [field.alias or name for name, field in KNOWN[type].config.model_fields.items()]
    found = told({"type": type, **dict.fromkeys(fields, value)})
    assert len({path for path, _ in found}) == len(found)
    words = ("tuple", "dict", "None", "Input", "String", "instance", "valid ")
    assert [said for _, said in found if any(word in said for word in words)] == []
