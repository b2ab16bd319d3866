"""What a rule must look like: whatever is wrong with one is told with its place and in a sentence, and nothing of the policy is saved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, house

BEYOND = 2**31
METRIC: dict[str, Any] = {
    "name": "errors",
    "intervalSeconds": 30,
    "count": 3,
    "provider": {"type": "http", "url": "http://localhost/{{.version.tag}}"},
    "successCondition": "result.ok",
}
PROMETHEUS: dict[str, Any] = {"type": "prometheus", "address": "https://prometheus.example", "query": "up"}
SLEEP: dict[str, Any] = {"type": "sleep", "durationSeconds": 1}
WAVE: dict[str, Any] = {"percentage": 10}
WHOLE: dict[str, dict[str, Any]] = {
    "anyApproval": {"minApprovals": 1},
    "environmentProgression": {"dependsOnEnvironmentSelector": "true"},
    "gradualRollout": {"rolloutType": "linear", "timeScaleInterval": 5},
    "deploymentWindow": {"rrule": "FREQ=DAILY;BYHOUR=9", "durationMinutes": 60},
    "deploymentDependency": {"dependsOn": "true"},
    "versionCooldown": {"intervalSeconds": 5},
    "versionSelector": {"selector": "true"},
    "retry": {"maxRetries": 1},
    "verification": {"metrics": [METRIC]},
    "rollback": {"onVerificationFailure": True},
    "planValidationOpa": {"name": "plans", "rego": "package plans\n\ndeny contains input.agentType"},
}
"""Each kind of rule as it may be; what is wrong differs from it in one place."""

WRONG: dict[str, list[tuple[dict[str, Any], str]]] = {
    "anyApproval": [
        ({"minApprovals": "1"}, "minApprovals"),
        ({"minApprovals": 1.5}, "minApprovals"),
        ({"minApprovals": BEYOND}, "minApprovals"),
        ({"minApprovals": -BEYOND - 1}, "minApprovals"),
        ({"minApprovals": ...}, "minApprovals"),
        ({"approverSelector": 5}, "approverSelector"),
        ({"approverSelector": "user."}, "approverSelector"),
        ({"groups": {}}, "groups"),
        ({"groups": [5]}, "groups/0"),
        ({"groups": [{"minApprovals": 1}]}, "groups/0/selector"),
        ({"groups": [{"selector": "true"}, {"selector": "user."}]}, "groups/1/selector"),
        ({"groups": [{"selector": "true", "minApprovals": 0}]}, "groups/0/minApprovals"),
        ({"groups": [{"selector": "true", "minApprovals": 1001}]}, "groups/0/minApprovals"),
        ({"groups": [{"selector": "true", "atLeast": 2}]}, "groups/0/atLeast"),
        ({"authorMayApprove": "no"}, "authorMayApprove"),
        ({"expiresAfterMinutes": 0}, "expiresAfterMinutes"),
        ({"expiresAfterMinutes": BEYOND}, "expiresAfterMinutes"),
        ({"rejectionBlocks": 1}, "rejectionBlocks"),
        ({"rejectionBlocks": None}, "rejectionBlocks"),
        ({"minApproval": 2}, "minApproval"),
    ],
    "environmentProgression": [
        ({"dependsOnEnvironmentSelector": ...}, "dependsOnEnvironmentSelector"),
        ({"dependsOnEnvironmentSelector": True}, "dependsOnEnvironmentSelector"),
        ({"dependsOnEnvironmentSelector": "environment.name = 1"}, "dependsOnEnvironmentSelector"),
        ({"minimumSuccessPercentage": -0.1}, "minimumSuccessPercentage"),
        ({"minimumSuccessPercentage": 100.1}, "minimumSuccessPercentage"),
        ({"minimumSuccessPercentage": "100"}, "minimumSuccessPercentage"),
        ({"successStatuses": "successful"}, "successStatuses"),
        ({"successStatuses": ["successful", "done"]}, "successStatuses/1"),
        ({"minimumSoakTimeMinutes": -1}, "minimumSoakTimeMinutes"),
        ({"minimumSoakTimeMinutes": BEYOND}, "minimumSoakTimeMinutes"),
        ({"maximumAgeHours": -1}, "maximumAgeHours"),
        ({"maximumAgeHours": 1.5}, "maximumAgeHours"),
        ({"requireVerificationPassed": "true"}, "requireVerificationPassed"),
        ({"minimumSoakTime": 5}, "minimumSoakTime"),
    ],
    "gradualRollout": [
        ({"rolloutType": ...}, "rolloutType"),
        ({"rolloutType": "exponential"}, "rolloutType"),
        ({"timeScaleInterval": ...}, "timeScaleInterval"),
        ({"timeScaleInterval": -1}, "timeScaleInterval"),
        ({"timeScaleInterval": BEYOND}, "timeScaleInterval"),
        ({"timeScaleInterval": "5m"}, "timeScaleInterval"),
        ({"waves": [WAVE]}, "waves"),
        ({"rolloutType": "waves"}, "waves"),
        ({"rolloutType": "waves", "waves": [{"selector": "true"}] * 51}, "waves"),
        ({"rolloutType": "waves", "waves": [{}]}, "waves/0"),
        ({"rolloutType": "waves", "waves": [WAVE, {**WAVE, "selector": "true"}]}, "waves/1"),
        ({"rolloutType": "waves", "waves": [{"selector": "resource."}]}, "waves/0/selector"),
        ({"rolloutType": "waves", "waves": [{"percentage": 0}]}, "waves/0/percentage"),
        ({"rolloutType": "waves", "waves": [{"percentage": 60}, {"percentage": 60}]}, "waves/1/percentage"),
        ({"rolloutType": "waves", "waves": [{**WAVE, "soakMinutes": -1}]}, "waves/0/soakMinutes"),
        ({"rolloutType": "waves", "waves": [{**WAVE, "successPercentage": 101}]}, "waves/0/successPercentage"),
        ({"rolloutType": "waves", "waves": [{**WAVE, "name": 5}]}, "waves/0/name"),
        ({"rolloutType": "waves", "waves": [{**WAVE, "soakMinute": 5}]}, "waves/0/soakMinute"),
        ({"interval": 5}, "interval"),
    ],
    "deploymentWindow": [
        ({"rrule": ...}, "rrule"),
        ({"rrule": ""}, "rrule"),
        ({"rrule": "every day at nine"}, "rrule"),
        ({"rrule": "FREQ=NEVER"}, "rrule"),
        ({"rrule": "FREQ=SECONDLY"}, "rrule"),
        ({"rrule": "FREQ=DAILY;BYHOUR=25"}, "rrule"),
        ({"rrule": "DTSTART:yesterday\nRRULE:FREQ=DAILY"}, "rrule"),
        ({"durationMinutes": ...}, "durationMinutes"),
        ({"durationMinutes": 0}, "durationMinutes"),
        ({"durationMinutes": BEYOND}, "durationMinutes"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": 2}, "timezone"),
        ({"allowWindow": "false"}, "allowWindow"),
        ({"allow": False}, "allow"),
    ],
    "deploymentDependency": [
        ({"dependsOn": ...}, "dependsOn"),
        ({"dependsOn": ["db"]}, "dependsOn"),
        ({"dependsOn": "deployment.name =="}, "dependsOn"),
        ({"dependsOn": "upstream.name == 'a'"}, "dependsOn"),
        ({"environment": "prod"}, "environment"),
    ],
    "versionCooldown": [
        ({"intervalSeconds": ...}, "intervalSeconds"),
        ({"intervalSeconds": -1}, "intervalSeconds"),
        ({"intervalSeconds": BEYOND}, "intervalSeconds"),
        ({"intervalSeconds": "1h"}, "intervalSeconds"),
        ({"interval": 5}, "interval"),
    ],
    "versionSelector": [
        ({"selector": ...}, "selector"),
        ({"selector": {"type": "tag"}}, "selector"),
        ({"selector": "version.tag =! 'v'"}, "selector"),
        ({"selector": "nobody.tag == 'v'"}, "selector"),
        ({"description": 5}, "description"),
        ({"expression": "true"}, "expression"),
    ],
    "retry": [
        ({"maxRetries": ...}, "maxRetries"),
        ({"maxRetries": -1}, "maxRetries"),
        ({"maxRetries": BEYOND}, "maxRetries"),
        ({"backoffSeconds": -1}, "backoffSeconds"),
        ({"backoffSeconds": "10s"}, "backoffSeconds"),
        ({"backoffStrategy": "fibonacci"}, "backoffStrategy"),
        ({"maxBackoffSeconds": -1}, "maxBackoffSeconds"),
        ({"retryOnStatuses": ["failure", "failed"]}, "retryOnStatuses/1"),
        ({"retryOnStatus": ["failure"]}, "retryOnStatus"),
    ],
    "verification": [
        ({"triggerOn": "jobDone"}, "triggerOn"),
        ({"metrics": ...}, "metrics"),
        ({"metrics": []}, "metrics"),
        ({"metrics": [METRIC, {**METRIC, "intervalSeconds": 0}]}, "metrics/1/intervalSeconds"),
        ({"metrics": [{**METRIC, "count": 0}]}, "metrics/0/count"),
        ({"metrics": [{**METRIC, "name": 5}]}, "metrics/0/name"),
        ({"metrics": [{**METRIC, "name": "n" * 257}]}, "metrics/0/name"),
        ({"metrics": [{**METRIC, "successCondition": "result."}]}, "metrics/0/successCondition"),
        ({"metrics": [{**METRIC, "failureCondition": "1 +"}]}, "metrics/0/failureCondition"),
        ({"metrics": [{**METRIC, "successThreshold": BEYOND}]}, "metrics/0/successThreshold"),
        ({"metrics": [{**METRIC, "failureThreshold": "1"}]}, "metrics/0/failureThreshold"),
        ({"metrics": [{**METRIC, "provider": ...}]}, "metrics/0/provider"),
        ({"metrics": [{**METRIC, "provider": {}}]}, "metrics/0/provider/type"),
        ({"metrics": [{**METRIC, "provider": {"type": "newrelic"}}]}, "metrics/0/provider/type"),
        ({"metrics": [{**METRIC, "provider": {**PROMETHEUS, "query": None}}]}, "metrics/0/provider/query"),
        ({"metrics": [{**METRIC, "provider": {**PROMETHEUS, "timeout": "30"}}]}, "metrics/0/provider/timeout"),
        ({"metrics": [{**METRIC, "provider": {**PROMETHEUS, "headers": [{"key": "a"}]}}]}, "metrics/0/provider/headers/0/value"),
        (
            {"metrics": [{**METRIC, "provider": {**PROMETHEUS, "rangeQuery": {"step": "1m", "stop": "1h"}}}]},
            "metrics/0/provider/rangeQuery/stop",
        ),
        ({"metrics": [{**METRIC, "noData": "ignore"}]}, "metrics/0/noData"),
        ({"metrics": [{**METRIC, "minimumSamples": 0}]}, "metrics/0/minimumSamples"),
        ({"metrics": [{**METRIC, "errorLimit": -1}]}, "metrics/0/errorLimit"),
        ({"metrics": [{**METRIC, "reaction": "panic"}]}, "metrics/0/reaction"),
        ({"metrics": [{**METRIC, "baseline": {"maxRatio": -1}}]}, "metrics/0/baseline/maxRatio"),
        ({"metrics": [{**METRIC, "baseline": {"maxRation": 1}}]}, "metrics/0/baseline/maxRation"),
        ({"continueSeconds": 0}, "continueSeconds"),
        ({"metrics": [{**METRIC, "provider": {"type": "http"}}]}, "metrics/0/provider/url"),
        ({"metrics": [{**METRIC, "provider": {**METRIC["provider"], "method": "FETCH"}}]}, "metrics/0/provider/method"),
        ({"metrics": [{**METRIC, "provider": {**METRIC["provider"], "timeout": "soon"}}]}, "metrics/0/provider/timeout"),
        ({"metrics": [{**METRIC, "provider": {**METRIC["provider"], "headers": {"a": 1}}}]}, "metrics/0/provider/headers/a"),
        ({"metrics": [{**METRIC, "provider": {**METRIC["provider"], "url": "http://{{"}}]}, "metrics/0/provider/url"),
        ({"metrics": [{**METRIC, "provider": {**METRIC["provider"], "retries": 3}}]}, "metrics/0/provider/retries"),
        ({"metrics": [{**METRIC, "provider": {**SLEEP, "durationSeconds": 3601}}]}, "metrics/0/provider/durationSeconds"),
        ({"metrics": [{**METRIC, "threshold": 1}]}, "metrics/0/threshold"),
        ({"trigger": "jobSuccess"}, "trigger"),
    ],
    "rollback": [
        ({"onJobStatuses": "failure"}, "onJobStatuses"),
        ({"onJobStatuses": ["broken"]}, "onJobStatuses/0"),
        ({"onVerificationFailure": "yes"}, "onVerificationFailure"),
        ({"onFailure": True}, "onFailure"),
    ],
    "planValidationOpa": [
        ({"name": ...}, "name"),
        ({"name": 5}, "name"),
        ({"rego": ...}, "rego"),
        ({"rego": ["package plans"]}, "rego"),
        ({"rego": "package plans\n\ndeny contains"}, "rego"),
        ({"description": 5}, "description"),
        ({"module": "package plans"}, "module"),
    ],
}


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


def body(*rules: Any) -> dict[str, Any]:
    return {"name": "p", "selector": "true", "rules": list(rules), "priority": 0, "enabled": True, "metadata": {}}


def _without(value: Any) -> Any:
    """The value less what is to be left out (`...`)."""
    if isinstance(value, dict):
        return {name: _without(inner) for name, inner in value.items() if inner is not ...}
    return [_without(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", WHOLE)
async def test_what_is_wrong_in_a_rule_is_told_with_its_place_and_saves_nothing(one: House, kind: str) -> None:
    kept = await one.call("PUT", f"/policies/{uuid4()}", body({kind: WHOLE[kind]}), want=202)
    wrong = [({kind: _without({**WHOLE[kind], **change})}, f"{kind}/{place}") for change, place in WRONG[kind]]
    of_no_form: tuple[Any, ...] = (5, "true", [], None)
    wrong += [({kind: value}, kind) for value in of_no_form]
    for rule, place in wrong:
        for method, path in (("POST", "/policies"), ("PUT", f"/policies/{kept['id']}"), ("PUT", f"/policies/{uuid4()}")):
            refused = await one.call(method, path, body({"versionSelector": {"selector": "true"}}, rule), want=400)
            told = {each["path"]: each["message"] for each in refused["details"]}
            assert list(told) == [f"/body/rules/1/{place}"], f"{rule}: {refused}"
            assert all(len(message) > 10 for message in told.values()), refused
            assert len(refused["message"]) > 10
    page = await one.call("GET", "/policies", want=200)
    assert page["items"] == [kept]


@pytest.mark.parametrize(
    "rule,place,line,column",
    [
        ({"versionSelector": {"selector": "true &&\n  version.tag =! 'v'"}}, "versionSelector/selector", 2, 15),
        ({"deploymentDependency": {"dependsOn": "upstream.name == 'a'"}}, "deploymentDependency/dependsOn", 1, 1),
        ({"anyApproval": {"minApprovals": 1, "approverSelector": "true || user.("}}, "anyApproval/approverSelector", 1, 14),
    ],
)
async def test_a_bad_expression_is_told_with_line_and_column(
    one: House, rule: dict[str, Any], place: str, line: int, column: int
) -> None:
    refused = await one.call("POST", "/policies", body(rule), want=400)
    (told,) = refused["details"]
    assert refused["code"] == "INVALID_CEL"
    assert (told["path"], told["line"], told["column"]) == (f"/body/rules/0/{place}", line, column)
    assert f"line {line}, column {column}" in refused["message"]


async def test_everything_that_is_wrong_is_told_at_once(one: House) -> None:
    rules = [{"anyApproval": {"minApprovals": "1", "minApproval": 1}}, {"retry": {"maxRetries": -1}}, {"anyAproval": {}}]
    refused = await one.call("POST", "/policies", body(*rules), want=400)
    places = ["0/anyApproval/minApprovals", "1/retry/maxRetries", "0/anyApproval/minApproval", "2/anyAproval"]
    assert [each["path"] for each in refused["details"]] == [f"/body/rules/{place}" for place in places]


@pytest.mark.parametrize("rule,place", [({}, "0"), ({"id": str(uuid4())}, "0"), (5, "0"), ([], "0"), (None, "0")])
async def test_a_rule_of_no_kind_is_refused(one: House, rule: Any, place: str) -> None:
    refused = await one.call("PUT", f"/policies/{uuid4()}", body(rule), want=400)
    assert refused["details"][0]["path"] == f"/body/rules/{place}"
    assert (await one.call("GET", "/policies", want=200))["total"] == 0


async def test_a_rule_of_two_kinds_is_both_under_one_id(one: House) -> None:
    both = {"anyApproval": {"minApprovals": 1}, "versionCooldown": {"intervalSeconds": 60}}
    made = await one.call("POST", "/policies", body(both), want=202)
    (rule,) = made["rules"]
    assert {kind: rule[kind] for kind in both} == both


async def test_what_clients_send_back_of_a_rule_may_stand_in_it(one: House) -> None:
    """A provider of infrastructure sends ids, owner and time along with a new policy, in another precision than ours."""
    own = str(uuid4())
    rule = {"id": own, "policyId": str(uuid4()), "createdAt": "2026-01-01T00:00:00Z", "versionSelector": {"selector": "true"}}
    made = await one.call("POST", "/policies", body(rule), want=202)
    put = await one.call("PUT", f"/policies/{made['id']}", body({**rule, "policyId": made["id"]}), want=202)
    assert [each["id"] for each in put["rules"]] == [own]


async def test_u33_a_rule_is_read_back_as_it_was_sent(one: House) -> None:
    """Defaults that nobody sent would show as a difference, and so would the want of one that was sent."""
    path = f"/policies/{uuid4()}"
    bare = [
        {"verification": {"metrics": [METRIC]}},
        {"environmentProgression": {"dependsOnEnvironmentSelector": "true"}},
        {"rollback": {}},
        {"retry": {"maxRetries": 1}},
    ]
    told = [
        {
            "verification": {
                "triggerOn": "jobSuccess",
                "metrics": [
                    {**METRIC, "failureThreshold": 0, "provider": {**METRIC["provider"], "method": "GET", "timeout": "30s"}}
                ],
            }
        },
        {"environmentProgression": {"dependsOnEnvironmentSelector": "true", "requireVerificationPassed": False}},
        {"rollback": {"onJobStatuses": [], "onVerificationFailure": False}},
        {"retry": {"maxRetries": 1, "backoffStrategy": "linear"}},
    ]
    for rules in (bare, told, bare):
        put = await one.call("PUT", path, body(*rules), want=202)
        shown = [{name: rule[name] for name in rule.keys() - {"id", "policyId", "createdAt"}} for rule in put["rules"]]
        assert shown == rules
        assert await one.call("GET", path, want=200) == put
        assert await one.call("PUT", path, body(*put["rules"]), want=202) == put


async def test_a_window_says_whether_it_is_open_or_closed_even_when_nobody_said_so(one: House) -> None:
    """The published form requires it, and a client that decodes it as a boolean would read its absence as a closed window."""
    made = await one.call("POST", "/policies", body({"deploymentWindow": WHOLE["deploymentWindow"]}), want=202)
    assert made["rules"][0]["deploymentWindow"] == {**WHOLE["deploymentWindow"], "allowWindow": True}
