"""Reads as of the past: every endpoint that can look back answers what it answered then."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from services.gateway.http.app import operations
from tests.integration.api import scenes
from tests.integration.api.checker import Api
from tests.integration.api.scenes import PATIENCE_S, id_of

pytestmark = pytest.mark.integration

OF_THE_ASKER = {"forecast_rollout", "list_approvals"}
"""What begins with the moment at which it is asked, or says what whoever asks can do now: two answers differ."""


@dataclass(frozen=True)
class Moment:
    """What was read when the log stood at a position.

    Attributes:
        at: the recording time of the newest fact, as the API writes it.
        answers: status and JSON by path.
    """

    position: int
    at: str
    answers: dict[str, tuple[int, Any]]


def paths(ids: dict[str, str]) -> list[str]:
    """Every read that can look back, of what these ids name."""
    found = []
    for one in operations().values():
        path = one.path.removeprefix("/v1/workspaces/{workspaceId}")
        if one.past and one.method == "GET" and one.name not in OF_THE_ASKER:
            for name, value in ids.items():
                path = path.replace(f"{{{name}}}", quote(value, safe=""))
            if "{" not in path:
                found.append(path)
    return found


def get(api: Api, path: str, at: str | None = None, **query: str) -> httpx.Response:
    params = query if at is None else {**query, "at": at}
    return api.client.get(f"/api/v1/workspaces/{api.workspace_id}{path}", params=params)


def told(answer: httpx.Response) -> tuple[int, Any]:
    assert answer.status_code in (200, 404, 409), f"{answer.url}: {answer.status_code} {answer.text}"
    return answer.status_code, answer.json()


def head(api: Api) -> tuple[int, str]:
    """The newest position, and when its fact was recorded."""
    events = get(api, "/events", order="desc", limit="1").json()
    return events["position"], events["items"][0]["recordedtime"]


def moment(api: Api, ids: dict[str, str]) -> Moment:
    """Read everything while nothing happens."""
    end = time.monotonic() + PATIENCE_S
    while True:
        before, at = head(api)
        answers = {path: told(get(api, path)) for path in paths(ids)}
        if head(api)[0] == before:
            return Moment(before, at, answers)
        assert time.monotonic() < end, "it does not become quiet"


def test_what_is_read_as_of_then_is_what_was_read_then(api: Api) -> None:
    at = scenes.shop(api)
    provider = scenes.provider(api)
    scenes.provide(api, provider, "p1", "p2")
    scenes.variable(api, at.deployment)
    first = scenes.version(api, at.deployment, "v1")
    release = scenes.deployed(api, at, first)
    (job,) = api.pages("target.jobs", releaseTargetKey=at.key)
    ids = {
        "systemId": at.system,
        "deploymentId": at.deployment,
        "environmentId": at.environment,
        "identifier": "r",
        "resourceIdentifier": "r",
        "releaseTargetKey": at.key,
        "deploymentVersionId": first,
        "releaseId": release,
        "jobId": job["id"],
        "jobAgentId": at.agent,
        "name": "sync",
    }
    moments = [moment(api, ids)]

    frozen = id_of(api.call("freeze.create", {"scope": "workspace", "reason": "a sale", "expiresIn": "PT1H"}))
    ids["freezeId"] = frozen
    policy = id_of(
        api.call("policy.create", {"name": "careful", "selector": "true", "rules": [{"anyApproval": {"minApprovals": 1}}]})
    )
    ids["policyId"] = policy
    second = scenes.version(api, at.deployment, "v2")
    scenes.recorded(api, "planner.version_created.v1", lambda fact: fact["version_id"] == second)
    ids["deploymentVersionId"] = second
    moments.append(moment(api, ids))
    assert moments[-1].answers["/freezes/active"][1]["total"] == 1

    api.call("freeze.thaw", {}, freezeId=frozen)
    api.call("policy.delete", policyId=policy)
    scenes.deployed(api, at, second)
    api.call("resource.delete", identifier="p1")
    api.call("deployment.put", {"name": "renamed", "slug": "renamed"}, deploymentId=at.deployment)
    moments.append(moment(api, ids))

    assert len({str(one.answers[f"/release-targets/{at.key}/explanation"]) for one in moments}) == 3
    for one in reversed(moments):
        for said in (str(one.position), one.at):
            for path, answer in one.answers.items():
                again = get(api, path, at=said)
                assert told(again) == answer, f"{path} as of {said}"
                assert again.headers["Signalbox-Position"] == str(one.position)
    assert "Signalbox-Position" not in get(api, "/systems").headers


def test_reads_that_have_a_body_look_back_too(api: Api) -> None:
    at = scenes.shop(api)
    scenes.recorded(api, "planner.targets_changed.v1")
    position, _ = head(api)
    then = {"at": str(position)}
    search = {"limit": 10, "offset": 0}
    before = {
        "target.states": (at.pair, api.call("target.states", at.pair)),
        "resource.search": (search, api.call("resource.search", search)),
    }
    another = scenes.resource(api, "another")
    scenes.recorded(api, "planner.targets_changed.v1", lambda fact: another in fact["added"])
    for op, (body, answer) in before.items():
        assert api.call(op, body)["total"] == 2
        assert api.call(op, body, query=then) == answer


def test_before_the_first_fact_there_is_nothing(api: Api) -> None:
    system = scenes.system(api)
    for said in ("0", "2020-02-02T02:02:02Z"):
        answer = get(api, "/systems", at=said)
        assert (answer.json()["total"], answer.headers["Signalbox-Position"]) == (0, "0")
        missing = get(api, f"/systems/{system}", at=said)
        assert (missing.status_code, missing.headers["Signalbox-Position"]) == (404, "0")


def test_the_log_itself_ends_where_it_ended_then(api: Api) -> None:
    scenes.system(api, "one")
    position, _ = head(api)
    scenes.system(api, "two")
    for query in ({"order": "desc"}, {"order": "asc"}, {"order": "asc", "types": "planner.system_saved.v1"}):
        events = get(api, "/events", at=str(position), **query).json()
        assert events["position"] == position
        assert max(one["position"] for one in events["items"]) <= position


@pytest.mark.parametrize(
    "said,says",
    [
        ("-1", "negative"),
        ("yesterday", "a position"),
        ("2026-01-31T12:00:00", "with its zone"),
        ("2026-02-30T12:00:00Z", "that there is"),
        ("99999999", "the newest position is 0"),
        ((datetime.now(UTC) + timedelta(days=9)).isoformat(), "is in the future"),
    ],
    ids=["negative", "words", "no zone", "no such day", "future position", "future time"],
)
def test_what_is_no_moment_of_the_past_is_400_and_says_what_to_do(quiet: Api, said: str, says: str) -> None:
    answer = get(quiet, "/systems", at=said)
    assert answer.status_code == 400
    body = answer.json()
    assert body["details"][0]["path"] == "/query/at"
    assert says in body["message"]


def test_writes_and_what_goes_on_have_no_past(quiet: Api) -> None:
    sent = quiet.client.post(f"/api/v1/workspaces/{quiet.workspace_id}/systems?at=1", json={"name": "late"})
    assert sent.status_code == 400
    assert "leave `at` out" in sent.json()["message"]
    assert get(quiet, "/events/stream", at="0").status_code == 400
    assert get(quiet, "/systems").json()["total"] == 0
