"""Verifications over HTTP: in a target's state, by themselves, as series, and once more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.facts import verifier
from contracts.shapes import MetricProvider, MetricSpec
from libs.eventlog.port import Append, NewFact
from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.verification_scenes import FAILS, PASSES, policy, posted, state_once, verified

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02d}.000Z"


async def recorded(one: House, count: int = 10) -> str:
    """A verification with measurements of two metrics, each second one, as if verifier had recorded it; its id."""
    ids: dict[str, Any] = {name: str(uuid4()) for name in verifier.VerificationPassed.model_fields if name.endswith("_id")}
    provider = MetricProvider.model_validate({"type": "http", "url": "https://health.example"})
    metrics = tuple(
        MetricSpec(name=name, interval_seconds=2, count=count, provider=provider, success_condition="result.ok")
        for name in ("latency", "errors")
    )
    started = verifier.VerificationStarted(
        **ids, policy_id=str(uuid4()), rule_id=str(uuid4()), metrics=metrics, first_at=(AT, AT), started_at=AT
    )
    taken = [
        verifier.MeasurementTaken(
            **ids, metric=name, number=number, status="passed", value=number * 1.5, asked={"url": "https://health.example"},
            data={"ok": True}, conditions={"successCondition": "true"}, due_at=AT, measured_at=AT + timedelta(seconds=2 * number + late),
        )
        for number in range(1, count + 1) for late, name in enumerate(("latency", "errors"))
    ]  # fmt: skip
    facts = [
        NewFact(id=str(uuid4()), fact=fact, time=AT, correlation_id=ids["job_id"], causation_id=ids["job_id"], auth_id="service:verifier")
        for fact in (started, *taken)
    ]  # fmt: skip
    await one.deps.log.append(Append(workspace_id=one.workspace_id, facts=tuple(facts)))
    head = await one.deps.log.head(one.workspace_id)
    assert await one.deps.progress.reached(one.workspace_id, head, 20)
    return str(ids["verification_id"])


# --- what is shown ----------------------------------------------------------------------------------------------------------------


async def test_a_verification_is_the_same_wherever_it_is_read(one: House) -> None:
    ids, in_state = await verified(one, FAILS)
    assert in_state == await one.call("GET", f"/verifications/{in_state['id']}", want=200)
    (listed,) = (await one.call("GET", f"/jobs/{ids['job']}/verifications", want=200))["items"]
    for metric in in_state["metrics"]:
        del metric["measurements"]
    del in_state["measurementsTotal"]
    assert listed == in_state
    assert (listed["status"], listed["metric"], listed["attempt"], listed["jobId"]) == ("failed", "health", 1, ids["job"])
    assert listed["message"].startswith("health: ")
    assert listed["finishedAt"] >= listed["createdAt"]
    metric = listed["metrics"][0]
    assert {name: metric[name] for name in FAILS} == FAILS
    assert metric["status"] == "failed"


async def test_a_measurement_tells_what_was_asked_and_what_came_of_it(one: House) -> None:
    _, found = await verified(one, FAILS)
    (measurement,) = found["metrics"][0]["measurements"]
    assert (measurement["status"], measurement["error"], measurement["number"]) == ("failed", True, 1)
    assert measurement["asked"]["url"] == "http://127.0.0.1:9/v1"
    assert measurement["measuredAt"] >= measurement["dueAt"]
    assert "127.0.0.1" in measurement["message"]


async def test_one_that_passed_and_is_watched_says_until_when(one: House) -> None:
    _, found = await verified(one, PASSES, status="passed", continueSeconds=3600)
    assert found["watching"] is True
    assert found["watchedUntil"] > found["finishedAt"]
    assert (found["continueSeconds"], found["metrics"][0]["status"]) == (3600, "passed")


async def test_what_is_not_there_is_404(one: House) -> None:
    theirs = await recorded(one)
    other = (await one.call("POST", "/api/v1/workspaces", {"name": "other", "slug": "other"}, want=201))["id"]
    for method, path in (("GET", ""), ("GET", "/measurements"), ("POST", "/verify-again")):
        for verification in (str(uuid4()), "nonsense"):
            await one.call(method, f"/verifications/{verification}{path}", want=404)
        await one.call(method, f"/api/v1/workspaces/{other}/verifications/{theirs}{path}", want=404)
    for job in (str(uuid4()), "nonsense"):
        await one.call("GET", f"/jobs/{job}/verifications", want=404)


# --- series -----------------------------------------------------------------------------------------------------------------------


async def test_measurements_are_read_as_a_series(one: House) -> None:
    path = f"/verifications/{await recorded(one)}/measurements"

    async def numbers(query: str) -> tuple[list[int], int]:
        page = await one.call("GET", f"{path}?{query}", want=200)
        return [item["number"] for item in page["items"]], page["total"]

    everything = await one.call("GET", path, want=200)
    assert (everything["total"], everything["limit"], len(everything["items"])) == (20, 50, 20)
    first = everything["items"][0]
    assert first == {"metric": "latency", "number": 1, "status": "passed", "measuredAt": at(2), "dueAt": at(0), "value": 1.5}
    assert [item["measuredAt"] for item in everything["items"]] == [at(second) for second in range(2, 22)]
    assert await numbers("metric=latency") == (list(range(1, 11)), 10)
    assert await numbers("metric=errors&limit=2&offset=3") == ([4, 5], 10)
    assert await numbers(f"metric=latency&from={at(4)}&to={at(8)}") == ([2, 3], 2)
    assert await numbers(f"from={at(20)}") == ([10, 10], 2)
    assert await numbers("metric=latency&points=3") == ([4, 7, 10], 3)
    assert (await numbers("points=1"))[0] == [10, 10]
    # However the time is written.
    assert await numbers("metric=latency&from=2026-01-01T01:00:20%2B01:00") == ([10], 1)


async def test_what_was_asked_and_what_came_back_is_told_on_request(one: House) -> None:
    path = f"/verifications/{await recorded(one, 1)}/measurements?metric=errors&includeDetails=true"
    (item,) = (await one.call("GET", path, want=200))["items"]
    assert (item["asked"], item["data"]) == ({"url": "https://health.example"}, {"ok": True})
    assert item["conditions"] == {"successCondition": "true"}


@pytest.mark.parametrize(
    "query,name",
    [
        ("metric=nothing", "metric"),
        ("metric=", "metric"),
        ("from=yesterday", "from"),
        ("from=2026-01-01", "from"),
        ("to=2026-01-01T00:00:00", "to"),
        ("points=0", "points"),
        ("points=1001", "points"),
        ("points=many", "points"),
        ("includeDetails=maybe", "includeDetails"),
        ("limit=0", "limit"),
        ("since=x", "since"),
        ("from=2026-03-01T12:00:01Z&to=2026-03-01T12:00:00Z", "to"),
        ("from=2026-03-01T12:00:00Z&to=2026-03-01T13:59:59%2B02:00", "to"),
    ],
)
async def test_a_wrong_question_about_a_series_is_told_with_its_place(one: House, query: str, name: str) -> None:
    error = await one.call("GET", f"/verifications/{await recorded(one, 1)}/measurements?{query}", want=400)
    assert [each["path"] for each in error["details"]] == [f"/query/{name}"]


# --- once more --------------------------------------------------------------------------------------------------------------------


async def test_a_verification_is_asked_for_again(one: House) -> None:
    ids, first = await verified(one, FAILS)
    answer = await one.call("POST", f"/verifications/{first['id']}/verify-again", {"reason": "it was the proxy"}, want=202)
    assert answer["id"] != first["id"]

    def ended(state: Any) -> bool:
        (found,) = state["latestJob"]["verifications"]
        return bool(found["id"] == answer["id"] and found["status"] == "failed")

    state = await state_once(one, ids["target"], ended)
    (newest,) = state["latestJob"]["verifications"]
    assert (newest["attempt"], newest["reason"]) == (2, "it was the proxy")
    page = await one.call("GET", f"/jobs/{ids['job']}/verifications", want=200)
    assert [(each["id"], each["attempt"]) for each in page["items"]] == [(answer["id"], 2), (first["id"], 1)]
    page = await one.call("GET", f"/jobs/{ids['job']}/verifications?limit=1&offset=1", want=200)
    assert ([each["id"] for each in page["items"]], page["total"]) == ([first["id"]], 2)


async def test_one_that_runs_is_not_asked_for_again(one: House) -> None:
    _, found = await verified(one, {**PASSES, "provider": {"type": "sleep", "durationSeconds": 3600}}, status="running")
    error = await one.call("POST", f"/verifications/{found['id']}/verify-again", want=409)
    assert len(error["message"]) > 10
    wrong: tuple[Any, ...] = ({"reason": 5}, {"reason": None}, {"reason": "x" * 2001}, [])
    for body in wrong:
        await one.call("POST", f"/verifications/{found['id']}/verify-again", body, want=400)


# --- marks and ways back ----------------------------------------------------------------------------------------------------------


def _runs(tag: str) -> Any:
    return lambda state: state.get("currentRelease", {}).get("version", {}).get("tag") == tag


async def rolled_back(one: House) -> tuple[dict[str, str], str]:
    """A shop that went back from v2 to v1 because v2's verification failed; its ids, and v2."""
    ids, _ = await verified(one, PASSES, status="passed")
    await one.call("PUT", f"/policies/{uuid4()}", policy({**FAILS, "reaction": "rollBack"}, name="q"), want=202)
    bad = await posted(one, ids["deployment"], "v2")
    await state_once(one, ids["target"], lambda state: state["desiredRelease"]["version"]["tag"] == "v2")
    await state_once(one, ids["target"], lambda state: state["desiredRelease"]["version"]["tag"] == "v1")
    return ids, bad


async def test_a_bad_version_is_listed_with_its_cause_until_its_mark_is_lifted(one: House) -> None:
    ids, bad = await rolled_back(one)
    path = f"/release-targets/{ids['target']}/bad-versions"
    page = await one.call("GET", path, want=200)
    (mark,) = page["items"]
    assert (mark["versionId"], mark["tag"], page["total"]) == (bad, "v2", 1)
    assert {"reason", "since", "jobId", "policyId", "ruleId"} <= set(mark)
    assert (await one.call("GET", f"/jobs/{mark['jobId']}", want=200))["dispatchContext"]["version"]["id"] == bad
    assert (await one.call("GET", f"{path}?offset=1", want=200))["items"] == []
    assert (await one.call("DELETE", f"{path}/{bad.upper()}", want=202))["targets"] == 1
    assert (await one.call("GET", path, want=200))["items"] == []
    await one.call("DELETE", f"{path}/{bad}", want=404)


async def test_a_mark_is_lifted_on_all_targets_of_a_pair(one: House) -> None:
    ids, bad = await rolled_back(one)
    pair = f"/deployments/{ids['deployment']}/environments/{ids['environment']}/bad-versions"
    await one.call("DELETE", f"{pair}/{uuid4()}", want=404)
    await one.call("DELETE", f"{pair}/nonsense", want=404)
    await one.call("DELETE", f"/deployments/{uuid4()}/environments/{ids['environment']}/bad-versions/{bad}", want=404)
    assert (await one.call("DELETE", f"{pair}/{bad}", want=202))["targets"] == 1
    assert (await one.call("GET", f"/release-targets/{ids['target']}/bad-versions", want=200))["total"] == 0


async def test_marks_of_what_is_no_target_or_gone_are_none(one: House) -> None:
    ids, bad = await rolled_back(one)
    await one.call("DELETE", one.path_of("cluster/a:b"), want=200)
    path = f"/release-targets/{ids['target']}/bad-versions"
    assert (await one.call("GET", path, want=200))["items"] == []
    await one.call("DELETE", f"{path}/{bad}", want=404)
    nowhere = f"/release-targets/{uuid4()}-{uuid4()}-{uuid4()}/bad-versions"
    assert "Release target" in (await one.call("GET", nowhere, want=404))["message"]
    await one.call("DELETE", f"{nowhere}/{bad}", want=404)
    await one.call("GET", "/release-targets/nonsense/bad-versions", want=400)


async def test_a_whole_rollout_and_a_whole_environment_go_back(one: House) -> None:
    ids, _ = await verified(one, PASSES, status="passed")
    second = await posted(one, ids["deployment"], "v2")
    await state_once(one, ids["target"], _runs("v2"))
    pair = f"/deployments/{ids['deployment']}/environments/{ids['environment']}/rollback"
    # On no target is that version desired.
    await one.call("POST", pair, {"fromVersionId": str(uuid4())}, want=404)
    await one.call("POST", pair, {"fromVersionId": "v2"}, want=400)
    assert (await one.call("POST", pair, {"fromVersionId": second, "reason": "slow"}, want=202))["targets"] == 1
    await state_once(one, ids["target"], _runs("v1"))
    environment = f"/environments/{ids['environment']}/rollback"
    # Nothing is left to go back to.
    await one.call("POST", environment, want=409)
    await one.call("DELETE", f"/release-targets/{ids['target']}/bad-versions/{second}", want=202)
    await state_once(one, ids["target"], _runs("v2"))
    assert (await one.call("POST", environment, {"reason": "all of it"}, want=202))["targets"] == 1
    await state_once(one, ids["target"], lambda state: state["desiredRelease"]["version"]["tag"] == "v1")
    for nowhere in (str(uuid4()), "nonsense"):
        await one.call("POST", f"/environments/{nowhere}/rollback", want=404)
    await one.call("POST", environment, {"reason": 5}, want=400)
