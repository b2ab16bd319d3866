"""Policies, as clients see them. Named after the rows of the behaviour list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

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
    assert ([entry["name"] for entry in page["items"]], page["total"], page["limit"], page["offset"]) == (["own", "own"], 3, 2, 1)
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
        ({"environmentProgression": {"dependsOnEnvironmentSelector": "true"}}, {"requireVerificationPassed": False}),
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
