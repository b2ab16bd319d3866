"""Looking for facts in the log, and what led to a fact and what it led to."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated
from contracts.facts.planner import ReleasesCreated, VersionCreated
from contracts.facts.policy import TargetsCleared
from contracts.shapes import Target
from services.gateway.board import history
from services.gateway.http import naming
from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.test_story_in_process import shop


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as made:
        yield made


async def deployed(one: House) -> dict[str, str]:
    """A shop where v1 runs; with the id of its job and of its version."""
    ids = await shop(one)
    path = f"/deployments/{ids['deployment']}/versions"
    version = await one.call("POST", path, {"tag": "v1", "name": "", "status": "ready"}, want=200)
    state = await one.until(
        lambda: one.call("GET", f"/release-targets/{ids['target']}/state", want=200), lambda seen: "currentRelease" in seen
    )
    return {**ids, "version": version["id"], "job": state["latestJob"]["job"]["id"]}


async def found(one: House, query: str) -> Any:
    return await one.call("GET", f"/events?limit=1000&{query}", want=200)


async def newest(one: House, kind: str) -> Any:
    return (await found(one, f"order=desc&types={kind}"))["items"][0]


async def test_a_job_was_caused_by_its_release_that_by_its_clearance_and_that_by_the_version(one: House) -> None:
    ids = await deployed(one)
    job = await newest(one, JobCreated.TYPE)
    chain = await one.call("GET", f"/events/{job['position']}/chain", want=200)
    assert chain["event"] == job
    kinds = [cause["type"] for cause in chain["causes"]]
    assert kinds == [ReleasesCreated.TYPE, TargetsCleared.TYPE, VersionCreated.TYPE]
    nearer = [chain["event"], *chain["causes"]]
    assert [cause["id"] for cause in chain["causes"]] == [cause["causationid"] for cause in nearer[:-1]]
    assert chain["names"][ids["deployment"]] == "api"
    assert chain["names"][ids["version"]] == "v1"
    assert all(effect["position"] > job["position"] for effect in chain["effects"])
    assert chain["more"] is False


async def test_a_version_led_to_everything_until_its_job_ended(one: House) -> None:
    ids = await deployed(one)
    version = await newest(one, VersionCreated.TYPE)
    chain = await one.call("GET", f"/events/{version['position']}/chain", want=200)
    assert chain["causes"] == []
    assert [one["position"] for one in chain["effects"]] == sorted({one["position"] for one in chain["effects"]})
    assert {TargetsCleared.TYPE, ReleasesCreated.TYPE, JobCreated.TYPE} <= {one["type"] for one in chain["effects"]}
    known = {version["id"], *(one["id"] for one in chain["effects"])}
    assert {one["causationid"] for one in chain["effects"]} <= known
    job = next(one for one in chain["effects"] if one["type"] == JobCreated.TYPE)
    assert job["about"]["job_id"] == ids["job"]
    # As of then, nothing that came later.
    before = await one.call("GET", f"/events/{version['position']}/chain?at={version['position']}", want=200)
    assert before["effects"] == []


@pytest.mark.parametrize("path", ["/events?names=true", "/events/{position}/chain"])
async def test_payloads_are_read_beside_the_loop(one: House, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    await deployed(one)
    position = (await newest(one, VersionCreated.TYPE))["position"]
    here, seen = threading.current_thread(), set[threading.Thread]()

    def watched(text: bytes) -> Any:
        seen.add(threading.current_thread())
        return orjson.loads(text)

    monkeypatch.setattr(naming, "orjson", SimpleNamespace(loads=watched))
    await one.call("GET", path.format(position=position), want=200)
    assert seen
    assert here not in seen


async def test_what_happened_on_a_target_is_looked_for_beside_the_loop(one: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await deployed(one)
    here, seen = threading.current_thread(), set[threading.Thread]()
    concerns = history.concerns

    def watched(recorded: Recorded, target: Target) -> bool:
        seen.add(threading.current_thread())
        return concerns(recorded, target)

    monkeypatch.setattr(history, "concerns", watched)
    found = await one.call("GET", f"/board/targets/{ids['target']}/history", want=200)
    assert found["items"]
    part = await one.call("GET", f"/board/targets/{ids['target']}/history?limit=2", want=200)
    rest = await one.call("GET", f"/board/targets/{ids['target']}/history?before={part['before']}", want=200)
    assert part["items"] + rest["items"] == found["items"]
    assert (found["before"], rest["before"]) == (0, 0)
    assert here not in seen


async def test_one_request_for_what_happened_on_a_target_reads_only_so_many_bytes(
    one: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await deployed(one)
    path = f"/board/targets/{ids['target']}/history"
    whole = (await one.call("GET", path, want=200))["items"]
    monkeypatch.setattr("services.gateway.http.histories.MOST_BYTES", 1)
    monkeypatch.setattr("services.gateway.http.histories.FIRST", 2)
    found: list[Any] = []
    before, asked = "", 0
    while before != "0":
        page = await one.call("GET", f"{path}?before={before}" if before else path, want=200)
        assert len(page["items"]) <= 2
        found, before, asked = found + page["items"], str(page["before"]), asked + 1
    assert found == whole
    assert asked > 2


async def test_there_is_no_chain_where_there_is_no_fact(one: House) -> None:
    await shop(one)
    for position in ("0", "999999", "-1", "x", "1.5", "9" * 40):
        await one.call("GET", f"/events/{position}/chain", want=404)
    await one.call("GET", "/events/3/chain?at=2", want=404)


async def test_facts_are_found_by_what_they_are_about(one: House) -> None:
    ids = await deployed(one)
    page = await found(one, f"subject=job/{ids['job']}&names=true")
    kinds = [entry["type"] for entry in page["items"]]
    assert kinds[0] == JobCreated.TYPE
    assert {entry["subject"] for entry in page["items"]} == {f"job/{ids['job']}"}
    assert page["names"][ids["agent"]] == "runner"
    backward = await found(one, f"subject=job/{ids['job']}&order=desc")
    assert [entry["position"] for entry in backward["items"]] == [entry["position"] for entry in page["items"]][::-1]
    only = await found(one, f"subject=job/{ids['job']}&types={JobCreated.TYPE}")
    assert [entry["type"] for entry in only["items"]] == [JobCreated.TYPE]
    assert (await found(one, "subject=job/nobody"))["items"] == []


async def test_facts_are_found_by_a_text_in_them(one: House) -> None:
    ids = await deployed(one)
    every = (await found(one, ""))["items"]
    by_id = (await found(one, f"text={ids['job'].upper()}"))["items"]
    assert {entry["type"] for entry in by_id} >= {JobCreated.TYPE}
    assert [entry["position"] for entry in by_id] == [
        entry["position"] for entry in every if ids["job"] in str(entry["data"]) or ids["job"] in entry["subject"]
    ]
    assert (await found(one, "text=nobody wrote this"))["items"] == []
    assert (await found(one, "text=JOB_CREATED&types=planner.*"))["items"] == []
    planned = (await found(one, "types=planner.*"))["items"]
    assert [entry["position"] for entry in planned] == [
        entry["position"] for entry in every if entry["type"].startswith("planner.")
    ]
    assert (await found(one, "types=nobody.*"))["items"] == []
    await one.call("GET", f"/events?text={'x' * 201}", want=400)


async def test_pages_say_where_they_go_on(one: House) -> None:
    text = (await deployed(one))["deployment"]
    every = [entry["position"] for entry in (await found(one, f"text={text}"))["items"]]
    assert len(every) > 2
    for order, bound in (("asc", "after"), ("desc", "before")):
        seen: list[int] = []
        query = f"limit=1&text={text}&order={order}"
        page = await one.call("GET", f"/events?{query}", want=200)
        while True:
            seen += [entry["position"] for entry in page["items"]]
            if "next" not in page:
                break
            page = await one.call("GET", f"/events?{query}&{bound}={page['next']}", want=200)
        assert seen == (every if order == "asc" else every[::-1])


async def test_every_kind_of_fact_is_described(one: House) -> None:
    kinds = {entry["type"]: entry["description"] for entry in (await one.call("GET", "/events/types", want=200))["items"]}
    assert kinds[JobCreated.TYPE].startswith("A job was made")
    assert all(text and "\n" not in text for text in kinds.values())
