"""Taking a job for a time, saying that one is still at it, stopping and completing jobs, as clients see them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, Delayed, PlanAnswer, PlanRequest
from tests.integration.gateway.gateway_house import House, house
from tests.integration.gateway.test_pull_agents import Queue, queued
from tests.integration.gateway.test_story_in_process import shop
from tests.unit.secrets.secret_scenes import MASTER

HOUR_S = 3600


class Stubborn:
    """An agent that takes nothing for now, and does not hurry to stop."""

    async def dispatch(self, request: AgentRequest) -> AgentAnswer | Delayed:
        return Delayed(message="429: too many requests")

    async def observe(self, request: AgentRequest) -> AgentAnswer:
        return AgentAnswer(status="inProgress")

    async def cancel(self, request: AgentRequest) -> CancelAnswer:
        return CancelAnswer(stopped=False, message="it can not be stopped")

    async def plan(self, request: PlanRequest) -> PlanAnswer:
        return PlanAnswer(status="unsupported")


class Waits(Stubborn):
    """An agent whose jobs wait for a person."""

    async def dispatch(self, request: AgentRequest) -> AgentAnswer | Delayed:
        return AgentAnswer(status="actionRequired", message="please look")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def job_of(one: House, agent_type: str, status: str, **config: Any) -> Any:
    """A job of an agent of this type once it stands so."""
    ids = await shop(one)
    body = {"name": "a", "type": agent_type, "config": config}
    await one.call("PUT", f"/job-agents/{ids['agent']}", body, want=202)
    await one.call("POST", f"/deployments/{ids['deployment']}/versions", {"tag": "v1", "name": "", "status": "ready"}, want=200)
    path = f"/release-targets/{ids['target']}/state"
    seen = await one.until(
        lambda: one.call("GET", path, want=200),
        lambda seen: (
            seen.get("latestJob", {}).get("job", {}).get("status") == status
            and (agent_type != "webhook" or "delay" in seen["latestJob"]["job"])
        ),
    )
    return seen["latestJob"]["job"]


@pytest.fixture
async def queue() -> AsyncIterator[Queue]:
    async with queued() as made:
        yield made


@pytest.fixture
async def one() -> AsyncIterator[House]:
    agents = {"webhook": Stubborn(), "manual": Waits()}
    async with house(agents, vault=Vault(Sources({}, None), MemoryKeys(MASTER))) as made:
        yield made


# --- leases -----------------------------------------------------------------------------------------------------------------------


async def test_a_job_is_taken_for_a_time_and_kept_by_saying_so(queue: Queue) -> None:
    job = queue.jobs[0]
    path = f"{queue.path}/{job}"
    claimed = await queue.one.call("POST", f"{path}/claim", {"instance": "pod-1", "leaseSeconds": HOUR_S}, want=200)
    lease = claimed["lease"]
    assert (claimed["status"], lease["instance"], lease["claims"]) == ("inProgress", "pod-1", 1)
    assert claimed["leaseExpiresAt"] == lease["expiresAt"]
    assert instant(lease["expiresAt"]) - instant(lease["leasedAt"]) == timedelta(hours=1)
    shown = await queue.one.call("GET", f"/jobs/{job}", want=200)
    assert shown["lease"] == lease
    assert "claimId" not in shown
    kept = await queue.one.call("POST", f"{path}/heartbeat", {"claimId": claimed["claimId"]}, want=200)
    assert (kept["id"], kept["claimId"]) == (job, claimed["claimId"])
    assert kept["leaseExpiresAt"] >= claimed["leaseExpiresAt"]
    assert (await queue.one.call("GET", f"/jobs/{job}", want=200))["lease"]["expiresAt"] == kept["leaseExpiresAt"]


async def test_only_who_holds_the_claim_keeps_the_job_and_ends_it(queue: Queue) -> None:
    job = queue.jobs[0]
    path = f"{queue.path}/{job}"
    claimed = await queue.one.call("POST", f"{path}/claim", {"leaseSeconds": HOUR_S}, want=200)
    await queue.one.call("POST", f"{path}/heartbeat", {"claimId": str(uuid4())}, want=409)
    await queue.one.call("POST", f"{path}/heartbeat", {"claimId": "nonsense"}, want=400)
    await queue.one.call("POST", f"{path}/heartbeat", {}, want=400)
    body = {"status": "successful", "claimId": str(uuid4())}
    await queue.one.call("PUT", f"/jobs/{job}/status", body, want=409)
    await queue.one.call("PUT", f"/jobs/{job}/status", {**body, "claimId": claimed["claimId"]}, want=202)
    ended = await queue.one.call("GET", f"/jobs/{job}", want=200)
    assert ended["status"] == "successful"
    assert "lease" not in ended
    await queue.one.call("POST", f"{path}/heartbeat", {"claimId": claimed["claimId"]}, want=409)


async def test_without_a_time_a_job_is_taken_for_good(queue: Queue) -> None:
    for job, body in zip(queue.jobs, (None, {}, {"instance": "pod-1"}), strict=True):
        claimed = await queue.one.call("POST", f"{queue.path}/{job}/claim", body, want=200)
        assert claimed["status"] == "inProgress"
        assert {"claimId", "leaseExpiresAt", "lease"}.isdisjoint(claimed)


async def test_an_agent_may_say_how_long_its_jobs_are_taken() -> None:
    async with queued(leaseSeconds=HOUR_S) as queue:
        claimed = await queue.one.call("POST", f"{queue.path}/{queue.jobs[0]}/claim", want=200)
        assert claimed["claimId"]
        assert claimed["leaseExpiresAt"] == claimed["lease"]["expiresAt"]


@pytest.mark.parametrize(
    "body", [{"leaseSeconds": 0}, {"leaseSeconds": 86401}, {"leaseSeconds": "60"}, {"instance": 1}, {"instance": "x" * 201}]
)
async def test_a_claim_of_the_wrong_form_takes_nothing(queue: Queue, body: Any) -> None:
    error = await queue.one.call("POST", f"{queue.path}/{queue.jobs[0]}/claim", body, want=400)
    assert error["details"][0]["path"] == f"/body/{next(iter(body))}"
    assert (await queue.one.call("GET", f"/jobs/{queue.jobs[0]}", want=200))["status"] == "queued"


# --- stopping and completing ------------------------------------------------------------------------------------------------------


async def test_a_person_stops_a_job(queue: Queue) -> None:
    first, second = queue.jobs[:2]
    stopped = await queue.one.call("POST", f"/jobs/{first}/cancel", {"reason": "wrong cluster"}, want=202)
    assert stopped["id"] == first
    job = await queue.one.call("GET", f"/jobs/{first}", want=200)
    assert (job["status"], job["message"]) == ("cancelled", "Cancelled: wrong cluster")
    await queue.one.call("POST", f"/jobs/{first}/cancel", want=409)
    await queue.one.call("POST", f"/jobs/{second}/cancel", want=202)
    await queue.one.call("POST", f"/jobs/{uuid4()}/cancel", want=404)
    await queue.one.call("POST", f"/jobs/{second}/cancel", {"reason": 5}, want=400)


async def test_the_next_try_and_what_came_of_stopping_can_be_seen(one: House) -> None:
    job = await job_of(one, "webhook", "pending", url="https://w.example", secret="s")
    assert (job["delay"]["call"], job["delay"]["message"]) == ("dispatch", "429: too many requests")
    assert instant(job["delay"]["nextAt"]) > instant(job["createdAt"])
    assert instant(job["deadlineAt"]) > instant(job["createdAt"])
    await one.call("POST", f"/jobs/{job['id']}/cancel", want=202)
    path = f"/jobs/{job['id']}"
    ended = await one.until(lambda: one.call("GET", path, want=200), lambda seen: "cancellation" in seen)
    assert (ended["status"], ended["cancellation"]["stopped"]) == ("cancelled", False)
    assert ended["cancellation"]["message"] == "it can not be stopped"
    assert "delay" not in ended


async def test_a_person_completes_a_job_with_evidence(one: House) -> None:
    job = await job_of(one, "manual", "actionRequired", requireEvidence=True)
    path = f"/jobs/{job['id']}/complete"
    error = await one.call("POST", path, want=400)
    assert error["details"][0]["path"] == "/body/evidence"
    await one.call("POST", path, {"status": "nonsense"}, want=400)
    await one.call("POST", path, {"status": "inProgress"}, want=400)
    body = {"message": "looked at it", "evidence": {"ticket": "OPS-1"}}
    assert (await one.call("POST", path, body, want=202))["id"] == job["id"]
    ended = await one.call("GET", f"/jobs/{job['id']}", want=200)
    assert (ended["status"], ended["message"], ended["metadata"]["evidence/ticket"]) == ("successful", "looked at it", "OPS-1")
    await one.call("POST", path, body, want=409)
    await one.call("POST", f"/jobs/{uuid4()}/complete", want=404)


async def test_a_person_may_say_that_it_went_wrong(one: House) -> None:
    job = await job_of(one, "manual", "actionRequired")
    await one.call("POST", f"/jobs/{job['id']}/complete", {"status": "failure"}, want=202)
    assert (await one.call("GET", f"/jobs/{job['id']}", want=200))["status"] == "failure"


async def test_a_target_says_that_it_waits_for_a_place() -> None:
    async with queued(maxConcurrentJobs=3) as queue:
        one = queue.one
        made = await one.call("PUT", one.path_of("one more"), {"name": "m", "kind": "Cluster", "version": "v1"}, want=202)
        job = await one.call("GET", f"/jobs/{queue.jobs[0]}", want=200)
        release = job["dispatchContext"]["release"]["releaseTarget"]
        path = f"/release-targets/{made['id']}-{release['environmentId']}-{release['deploymentId']}/state"
        state = await one.until(lambda: one.call("GET", path, want=200), lambda seen: "dispatchHold" in seen)
        hold = state["dispatchHold"]
        assert (hold["agentId"], hold["limit"], hold["releaseId"]) == (queue.agent, 3, state["desiredRelease"]["id"])
        states = await one.call(
            "POST", "/release-targets/state", {name: release[name] for name in ("environmentId", "deploymentId")}, want=200
        )
        assert [one["state"]["dispatchHold"] for one in states["items"] if "dispatchHold" in one["state"]] == [hold]
        await one.call("PUT", f"/jobs/{queue.jobs[0]}/status", {"status": "successful"}, want=202)
        state = await one.until(lambda: one.call("GET", path, want=200), lambda seen: "latestJob" in seen)
        assert "dispatchHold" not in state
