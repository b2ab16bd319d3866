"""Policies, as clients see them. Named after the rows of the behaviour list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from libs.rego import RegoUnavailable
from services.gateway.http import modules
from tests.integration.gateway.gateway_house import House, house

METRIC: dict[str, Any] = {
    "name": "errors",
    "intervalSeconds": 30,
    "count": 3,
    "provider": {
        "type": "http",
        "url": "http://localhost/{{.version.tag}}",
        "method": "POST",
        "timeout": "5s",
        "headers": {"a": "b"},
    },
    "successCondition": "result.ok",
    "failureCondition": "!result.ok",
    "successThreshold": 2,
    "failureThreshold": 1,
}


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


def body(name: str = "p", *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "selector": "true", "rules": list(rules), "priority": 0, "enabled": True, "metadata": {}, **more}


async def test_policy_crud_defaults_metadata_upsert_delete_404_400_paging(one: House) -> None:
    made = await one.call("POST", "/policies", {"name": "p", "selektor": "ignored"}, want=202)
    assert {key: made[key] for key in ("selector", "priority", "enabled", "metadata", "rules")} == {
        "selector": "true",
        "priority": 0,
        "enabled": True,
        "metadata": {},
        "rules": [],
    }
    assert made["workspaceId"] == one.workspace_id
    assert "description" not in made
    path = f"/policies/{made['id']}"
    full = body("q", metadata={"team": "a"}, description="d", priority=-3, enabled=False, selector='deployment.name == "x"')
    put = await one.call("PUT", path, full, want=202)
    assert {key: put[key] for key in full} == full
    # A policy is replaced as a whole: what is left out is gone.
    put = await one.call("PUT", path, body("q"), want=202)
    assert ("description" in put, put["metadata"]) == (False, {})
    own = str(uuid4())
    assert (await one.call("PUT", f"/policies/{own}", body("own"), want=202))["id"] == own
    # Names are not unique.
    await one.call("POST", "/policies", {"name": "own"}, want=202)
    page = await one.call("GET", "/policies?limit=2&offset=1", want=200)
    assert ([entry["name"] for entry in page["items"]], page["total"], page["limit"], page["offset"]) == (["own", "q"], 3, 2, 1)
    for query in ("limit=0", "limit=1001", "offset=-1", "cel=true"):
        await one.call("GET", f"/policies?{query}", want=400)
    for missing in ("name", "selector", "rules", "priority", "enabled", "metadata"):
        partial = {key: value for key, value in body().items() if key != missing}
        refused = await one.call("PUT", path, partial, want=400)
        assert refused["details"][0]["path"] == f"/body/{missing}"
    wrong: dict[str, Any] = {"priority": "1", "enabled": "yes", "metadata": {"a": 1}, "rules": {}, "selector": "deployment."}
    for field, value in wrong.items():
        refused = await one.call("PUT", path, {**body(), field: value}, want=400)
        assert refused["details"][0]["path"].startswith(f"/body/{field}")
    assert await one.call("GET", path, want=200) == put
    await one.call("PUT", "/policies/nonsense", body(), want=400)
    gone = await one.call("DELETE", path, want=202)
    assert (gone["id"], gone["name"], gone["rules"]) == (made["id"], "q", [])
    for method in ("GET", "DELETE"):
        for unknown in (made["id"], str(uuid4()), "nonsense"):
            await one.call(method, f"/policies/{unknown}", want=404)


@pytest.mark.parametrize(
    "sent, added",
    [
        ({"anyApproval": {"minApprovals": 2}}, {}),
        ({"environmentProgression": {"dependsOnEnvironmentSelector": "true"}}, {}),
        (
            {
                "environmentProgression": {
                    "dependsOnEnvironmentSelector": 'environment.name == "staging"',
                    "minimumSuccessPercentage": 0,
                    "minimumSoakTimeMinutes": 0,
                    "maximumAgeHours": 24,
                    "successStatuses": ["successful", "skipped"],
                    "requireVerificationPassed": True,
                }
            },
            {},
        ),
        ({"gradualRollout": {"rolloutType": "linear", "timeScaleInterval": 0}}, {}),
        ({"gradualRollout": {"rolloutType": "linear-normalized", "timeScaleInterval": 600}}, {}),
        ({"deploymentWindow": {"rrule": "FREQ=DAILY;BYHOUR=9", "durationMinutes": 60}}, {"allowWindow": True}),
        (
            {
                "deploymentWindow": {
                    "rrule": "DTSTART:20260101T090000\nRRULE:FREQ=WEEKLY",
                    "durationMinutes": 1,
                    "allowWindow": False,
                    "timezone": "Europe/Berlin",
                }
            },
            {},
        ),
        ({"deploymentDependency": {"dependsOn": 'deployment.name == "db"'}}, {}),
        ({"versionCooldown": {"intervalSeconds": 0}}, {}),
        ({"versionSelector": {"selector": 'version.tag.startsWith("v")'}}, {}),
        ({"versionSelector": {"selector": "true", "description": "all"}}, {}),
        ({"retry": {"maxRetries": 0}}, {}),
        (
            {
                "retry": {
                    "maxRetries": 3,
                    "backoffSeconds": 10,
                    "backoffStrategy": "exponential",
                    "maxBackoffSeconds": 60,
                    "retryOnStatuses": ["failure"],
                }
            },
            {},
        ),
        (
            {
                "anyApproval": {
                    "minApprovals": 2,
                    "approverSelector": '"admin" in user.roles',
                    "groups": [{"selector": "true", "minApprovals": 1}],
                    "authorMayApprove": False,
                    "expiresAfterMinutes": 60,
                    "rejectionBlocks": True,
                }
            },
            {},
        ),
        (
            {
                "gradualRollout": {
                    "rolloutType": "waves",
                    "timeScaleInterval": 0,
                    "waves": [
                        {"name": "first", "selector": 'resource.name == "a"', "soakMinutes": 5, "successPercentage": 50.0},
                        {"percentage": 25.0},
                    ],
                }
            },
            {},
        ),
        ({"verification": {"triggerOn": "jobSuccess", "metrics": [METRIC]}}, {}),
        ({"rollback": {"onJobStatuses": ["failure"], "onVerificationFailure": True}}, {}),
        ({"planValidationOpa": {"name": "plans", "rego": "package plans\n\ndeny contains input.agentType"}}, {}),
        ({"planValidationOpa": {"name": "", "rego": "package plans", "description": "says nothing"}}, {}),
    ],
)
async def test_policy_each_rule_type_roundtrip(one: House, sent: dict[str, Any], added: dict[str, Any]) -> None:
    ((kind, rule),) = sent.items()
    made = await one.call("POST", "/policies", {"name": "p", "rules": [{"id": "ignored", **sent}]}, want=202)
    (shown,) = made["rules"]
    # Neither more nor less: a progression without minimumSuccessPercentage has none.
    assert shown == {
        "id": shown["id"],
        "policyId": made["id"],
        "createdAt": made["createdAt"],
        kind: {**rule, **added},
    }
    assert shown["id"] != "ignored"
    assert await one.call("GET", f"/policies/{made['id']}", want=200) == made
    # What was read may be sent back as it is and changes nothing.
    put = await one.call("PUT", f"/policies/{made['id']}", {**body(), **made}, want=202)
    assert put == made


async def test_policy_upsert_replaces_rules_keeps_createdAt(one: House) -> None:  # noqa: N802 - the row's own spelling
    approval = {"anyApproval": {"minApprovals": 1}}
    rollout = {"gradualRollout": {"rolloutType": "linear", "timeScaleInterval": 5}}
    own = str(uuid4())
    path = f"/policies/{own}"
    first = await one.call("PUT", path, body("p", approval, rollout), want=202)
    kept = first["rules"][1]
    second = await one.call("PUT", path, body("p2", {"rollback": {}}, kept), want=202)
    assert (second["createdAt"], second["name"]) == (first["createdAt"], "p2")
    # The client's order, the kept rule with its id and time, the other one gone.
    assert [set(rule) & {"rollback", "gradualRollout", "anyApproval"} for rule in second["rules"]] == [
        {"rollback"},
        {"gradualRollout"},
    ]
    assert second["rules"][1] == kept
    assert first["rules"][0]["id"] not in {rule["id"] for rule in second["rules"]}
    assert await one.call("GET", path, want=200) == second
    third = await one.call("PUT", path, body("p3"), want=202)
    assert (third["rules"], third["createdAt"]) == ([], first["createdAt"])
    # An unusable rule changes nothing at all.
    await one.call("PUT", path, body("p4", approval, {"anyApproval": {"minApprovals": "two"}}), want=400)
    assert await one.call("GET", path, want=200) == third


@pytest.mark.parametrize(
    "rego, place, words",
    [
        ('package p\ndeny[msg] {\n  msg := "a"\n}', (2, 11), "Rego v1 is required"),
        ('package p\n\ndeny contains "a" if {\n  "é" == $x\n}', (4, 7), "Invalid boolean operator"),
        ("package p\ndeny contains x if { x := nothing(1) }", (2, 27), "There is no function `nothing`"),
        ("package p\ndeny contains x if { x := http.send({}) }", (2, 27), "asks the network"),
        ("", (1, 1), "begins with its package"),
    ],
)
async def test_a_rule_about_plans_that_can_not_be_used_is_not_saved(
    one: House, rego: str, place: tuple[int, int], words: str
) -> None:
    approval, rule = {"anyApproval": {"minApprovals": 1}}, {"planValidationOpa": {"name": "n", "rego": rego}}
    for method, path in (("POST", "/policies"), ("PUT", f"/policies/{uuid4()}")):
        refused = await one.call(method, path, body("p", approval, rule), want=400)
        assert refused["code"] == "INVALID_REGO"
        assert words in refused["message"]
        (only,) = refused["details"]
        assert (only["path"], (only["line"], only["column"])) == ("/body/rules/1/planValidationOpa/rego", place)
    assert (await one.call("GET", "/policies", want=200))["items"] == []


async def test_where_rego_can_not_be_run_its_rules_are_refused_and_all_others_taken(
    one: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(rego: str) -> None:
        raise RegoUnavailable("Rules in Rego can not be used on this machine.")

    monkeypatch.setattr(modules, "check", gone)
    rule = {"planValidationOpa": {"name": "n", "rego": "package p"}}
    refused = await one.call("POST", "/policies", body("p", rule), want=400)
    assert (refused["code"], refused["message"]) == ("REGO_UNAVAILABLE", "Rules in Rego can not be used on this machine.")
    assert refused["details"][0]["path"] == "/body/rules/0/planValidationOpa/rego"
    await one.call("POST", "/policies", body("p", {"anyApproval": {"minApprovals": 1}}), want=202)
