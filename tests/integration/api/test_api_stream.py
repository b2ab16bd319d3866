"""The stream over HTTP: patches on top of a snapshot, resumed without a gap, ended with the key."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.integration.api import scenes
from tests.integration.api.checker import Api

pytestmark = pytest.mark.integration

PATIENCE_S = 60.0
Frame = tuple[str, dict[str, Any]]


class Stream:
    """Frames as they come."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()

    def frames(self) -> Iterator[Frame]:
        kind = ""
        for line in self._lines:
            if line.startswith("event: "):
                kind = line[len("event: ") :]
            elif line.startswith("data: "):
                yield kind, json.loads(line[len("data: ") :])

    def patches(self, through: int) -> list[dict[str, Any]]:
        """Patches up to one that leads to a position at least. Raises: AssertionError: it does not come in good time."""
        end, found = time.monotonic() + PATIENCE_S, list[dict[str, Any]]()
        for kind, data in self.frames():
            assert time.monotonic() < end, f"position {through} is not told of"
            assert kind != "reset"
            if kind == "patch":
                found.append(data)
                if data["position"] >= through:
                    return found
        raise AssertionError("the stream ended")


@contextlib.contextmanager
def listening(api: Api, topics: str, since: int | None = None, **headers: str) -> Iterator[Stream]:
    params: dict[str, Any] = {"topics": topics} | ({"since": since} if since is not None else {})
    url = f"/api/v1/workspaces/{api.workspace_id}/stream"
    with api.client.stream("GET", url, params=params, headers=headers, timeout=PATIENCE_S) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


def shown(api: Api) -> dict[str, Any]:
    answer: dict[str, Any] = api.send("GET", "/board").json()
    return answer


def applied(rows: dict[str, Any], patches: list[dict[str, Any]]) -> dict[str, Any]:
    now = dict(rows)
    for patch in patches:
        for topic, key, row in patch["rows"]:
            if topic == "matrix":
                if row is None:
                    now.pop(key, None)
                else:
                    now[key] = row
    return now


def rows_of(board: dict[str, Any]) -> dict[str, Any]:
    rows = {one["key"]: one for one in board["cells"]} | {"counters": board["counters"]}
    rows |= {f"deployment/{one['id']}": one for one in board["deployments"]}
    return rows | {f"environment/{one['id']}": one for one in board["environments"]}


def test_patches_on_a_snapshot_lead_to_the_next_snapshot(api: Api) -> None:
    at = scenes.shop(api)
    before = shown(api)
    with listening(api, "matrix,events", before["position"]) as stream:
        scenes.deployed(api, at, scenes.version(api, at.deployment))
        after = shown(api)
        patches = stream.patches(after["position"])
        assert applied(rows_of(before), patches) == rows_of(after)


def test_one_who_reconnects_again_and_again_misses_nothing_and_hears_nothing_twice(api: Api) -> None:
    at = scenes.shop(api)
    first = shown(api)
    rows, since, told = rows_of(first), first["position"], list[int]()
    for number in range(6):
        scenes.version(api, at.deployment, f"v{number}")
        head = shown(api)["position"]
        with listening(api, "matrix,events", **{"Last-Event-ID": str(since)}) as stream:
            patches = stream.patches(head)
            rows, since = applied(rows, patches), patches[-1]["position"]
            told += [event["position"] for patch in patches for event in patch["events"]]
    assert told == list(range(first["position"] + 1, since + 1))
    last = shown(api)
    if last["position"] > since:
        with listening(api, "matrix", since) as stream:
            rows = applied(rows, stream.patches(last["position"]))
    assert rows == rows_of(last)


def test_two_readers_see_the_same(api: Api) -> None:
    at = scenes.shop(api)
    since = shown(api)["position"]
    with listening(api, "matrix,events", since) as one, listening(api, "matrix,events", since) as other:
        scenes.deployed(api, at, scenes.version(api, at.deployment))
        head = shown(api)["position"]
        mine, yours = one.patches(head), other.patches(head)
    assert [event for patch in mine for event in patch["events"]] == [event for patch in yours for event in patch["events"]]
    assert applied({}, mine) == applied({}, yours)


def test_what_is_too_long_ago_is_answered_with_a_reset(api: Api) -> None:
    scenes.system(api)
    shown(api)
    head = shown(api)["position"]
    with listening(api, "matrix", head + 1_000) as stream:
        kind, data = next(one for one in stream.frames() if one[0] != "beat")
    assert (kind, data["position"]) == ("reset", head)


def test_a_beat_tells_the_time(quiet: Api) -> None:
    with listening(quiet, "matrix") as stream:
        kind, data = next(stream.frames())
    assert kind == "beat"
    assert datetime.fromisoformat(data["time"]).tzinfo is not None


def test_how_far_the_log_is_is_heard_though_no_topic_is_concerned(api: Api) -> None:
    with listening(api, "agents") as stream:
        assert next(stream.frames())[0] == "beat"
        scenes.system(api)
        head = shown(api)["position"]
        kind, _ = next((kind, data) for kind, data in stream.frames() if data["position"] >= head)
    assert kind == "beat"


def test_the_inbox_is_told_to_each_as_they_may_act(api: Api) -> None:
    api.send("POST", "/policies", {"name": "careful", "rules": [{"anyApproval": {"minApprovals": 1}}]})
    at = scenes.shop(api)
    since = shown(api)["position"]
    with listening(api, "approvals", since) as stream:
        scenes.version(api, at.deployment)
        scenes.recorded(api, "policy.rule_evaluated.v1")
        rows = [row for kind, data in _until(stream, "approvals") for topic, _, row in data["rows"]]
    assert rows[-1]["canAct"] is True


def _until(stream: Stream, topic: str) -> list[Frame]:
    found: list[Frame] = []
    for kind, data in stream.frames():
        if kind == "patch":
            found.append((kind, data))
            if any(row[0] == topic for row in data["rows"]):
                return found
    raise AssertionError("the stream ended")


def test_a_revoked_key_ends_the_stream(api: Api) -> None:
    made = api.client.post("/api/v1/api-keys", json={"name": "short-lived"})
    assert made.status_code == 201, made.text
    key = made.json()
    secret = key["apiKey"]
    with listening(api, "events", **{"X-API-Key": secret}) as stream:
        assert next(stream.frames())[0] == "beat"
        assert api.client.delete(f"/api/v1/api-keys/{key['id']}").status_code < 300
        scenes.system(api)  # there is something to tell, which would wait for the next beat otherwise
        assert [kind for kind, _ in stream.frames() if kind != "beat"] == []
    refused = api.client.get(
        f"/api/v1/workspaces/{api.workspace_id}/stream", params={"topics": "matrix"}, headers={"X-API-Key": secret}
    )
    assert refused.status_code == 401


def test_a_key_that_is_made_or_revoked_is_told_to_who_looks_at_settings(api: Api) -> None:
    def touched(stream: Stream) -> bool:
        return ["settings", ""] in next(data for kind, data in stream.frames() if kind == "patch")["touched"]

    since = shown(api)["position"]
    with listening(api, "settings") as stream:
        assert next(stream.frames())[0] == "beat"
        key = api.client.post("/api/v1/api-keys", json={"name": "another"}).json()
        assert touched(stream)
        assert api.client.delete(f"/api/v1/api-keys/{key['id']}").status_code < 300
        assert touched(stream)
    # Who was away asks again: no position of the workspace tells what happened outside of it meanwhile.
    with listening(api, "settings", since) as stream:
        assert touched(stream)


@pytest.mark.parametrize(
    "query",
    ["", "topics=", "topics=nope", "topics=%2C", f"topics=rollout:{UUID(int=1)}", "topics=matrix&since=-1", "topics=matrix&since=x",
     "topics=matrix&at=1", "topics=" + ",".join(f"job:{number}" for number in range(501))],
)  # fmt: skip
def test_what_can_not_be_listened_to_is_400(quiet: Api, query: str) -> None:
    assert quiet.send("GET", f"/stream?{query}").status_code == 400


def test_a_resumption_from_nonsense_is_400(quiet: Api) -> None:
    assert quiet.send("GET", "/stream?topics=matrix", headers={"Last-Event-ID": "x"}).status_code == 400
