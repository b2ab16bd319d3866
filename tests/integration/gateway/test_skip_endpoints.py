"""A version that passes a rule, and what is told of versions meanwhile, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.test_choice_endpoints import posted, runs, state_of
from tests.integration.gateway.test_story_in_process import shop


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


async def approval(one: House) -> str:
    """A rule that wants an approval of every version."""
    made = await one.call("POST", "/policies", {"name": "p", "rules": [{"anyApproval": {"minApprovals": 1}}]}, want=202)
    return str(made["rules"][0]["id"])


async def test_a_version_passes_a_rule_that_is_skipped(one: House) -> None:
    ids, rule = await shop(one), await approval(one)
    version = await posted(one, ids["deployment"], "v1")
    path = f"/deployment-versions/{version}"
    told = await one.until(
        lambda: one.call("GET", f"{path}/environments/{ids['environment']}/explanation", want=200),
        lambda seen: [target["state"] for target in seen["targets"]] in (["waiting"], ["blocked"]),
    )
    assert told["message"]
    assert {reason["ruleId"] for reason in told["reasons"] if reason["verdict"] != "allowed"} == {rule}
    forecast = await one.call("GET", f"{path}/environments/{ids['environment']}/forecast", want=200)
    assert [("at" in target, target["resourceId"]) for target in forecast["targets"]] == [(False, ids["resource"])]
    skip = await one.call("POST", "/policy-skips", {"versionId": version, "ruleId": rule, "reason": "it is fine"}, want=202)
    await state_of(one, ids, runs("v1"))
    (rollout,) = (await one.call("GET", f"{path}/explanation", want=200))["rollouts"]
    assert (rollout["total"], rollout["done"], rollout["targets"]) == (1, 1, [])
    assert (await one.call("GET", f"/policy-skips?versionId={version}", want=200))["items"] == [skip]
    assert (await one.call("GET", f"/policy-skips?versionId={uuid4()}", want=200))["total"] == 0
    assert (await one.call("DELETE", f"/policy-skips/{skip['id']}", want=202))["id"] == skip["id"]
    await one.call("DELETE", f"/policy-skips/{skip['id']}", want=404)
    assert (await one.call("GET", "/policy-skips", want=200))["total"] == 0


async def test_targets_of_an_explanation_come_in_parts_and_counts_are_of_all(one: House) -> None:
    ids = await shop(one)
    await approval(one)
    await one.call("PUT", one.path_of("b"), {"name": "two", "kind": "Cluster", "version": "v1"}, want=202)
    version = await posted(one, ids["deployment"], "v1")
    path = f"/deployment-versions/{version}/environments/{ids['environment']}/explanation"
    whole = await one.until(lambda: one.call("GET", path, want=200), lambda seen: seen["total"] == 2)
    parts = [await one.call("GET", f"{path}?limit=1&offset={number}", want=200) for number in range(3)]
    assert [one["targets"] for one in parts] == [[whole["targets"][0]], [whole["targets"][1]], []]
    assert {one["total"] for one in parts} == {2}
    for query in ("limit=0", "limit=1001", "offset=-1"):
        await one.call("GET", f"{path}?{query}", want=400)


async def test_what_can_not_be_skipped_is_refused_with_its_place(one: House) -> None:
    ids, rule = await shop(one), await approval(one)
    version = await posted(one, ids["deployment"], "v1")
    body = {"versionId": version, "ruleId": rule}
    for wrong in (
        {"versionId": str(uuid4())},
        {"ruleId": str(uuid4())},
        {"environmentId": str(uuid4())},
        {"resourceId": "nonsense"},
        {"expiresAt": "2020-01-01T00:00:00Z"},
    ):
        refused = await one.call("POST", "/policy-skips", {**body, **wrong}, want=400)
        assert refused["details"][0]["path"] == f"/body/{next(iter(wrong))}"


async def test_nothing_is_told_of_what_is_not_there(one: House) -> None:
    ids = await shop(one)
    version = await posted(one, ids["deployment"], "v1")
    for unknown in (str(uuid4()), "nonsense"):
        await one.call("GET", f"/deployment-versions/{unknown}/explanation", want=404)
        for what in ("explanation", "forecast"):
            await one.call("GET", f"/deployment-versions/{unknown}/environments/{ids['environment']}/{what}", want=404)
            await one.call("GET", f"/deployment-versions/{version}/environments/{unknown}/{what}", want=404)
