"""Where two things happen to a job or a target at once: none is dispatched twice, forgotten, or waits for what is free."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from contracts.commands.dispatcher import CancelJob, CompleteJob, SetJobStatus, TellRun
from contracts.facts.dispatcher import DispatchHeld, JobDelayed
from contracts.facts.planner import RedeployItem, RedeployRequested
from contracts.facts.policy import FreezeSaved
from libs.eventlog.port import EventLog
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.runtime.outside import Outside
from libs.runtime.service import Intent
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.dispatcher.adapters.performing import performing
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer
from services.dispatcher.state import State
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of, release_of
from tests.unit.dispatcher.test_calls_again import Script, delayed, started
from tests.unit.dispatcher.test_dispatch_context import Written

NAMES = ("eu-1", "eu-2", "eu-3", "eu-4")
LARGE = 130_000
"""Characters of which two are more than a fact can hold."""


class Held:
    """An outside whose calls are under way until the test lets them end."""

    def __init__(self) -> None:
        self.intents: list[Intent] = []
        self.answer: Any = None

    def __call__(self, intent: Intent, now: datetime) -> Any:
        if intent not in self.intents:
            self.intents.append(intent)
        return self.answer


def state_of(scene: Scene) -> State:
    state: State = scene.room("dispatcher").state
    return state


def redeploy(scene: Scene, tag: str, *names: str) -> None:
    items = tuple(
        RedeployItem(resource_id=id_of(name), release_id=release_of(tag, name), version_id=id_of(tag)) for name in names
    )
    scene.record(RedeployRequested(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, items=items, requested_at=scene.now))


def freeze(scene: Scene, name: str, hours: float, **scope: Any) -> None:
    scene.record(
        FreezeSaved(
            freeze_id=id_of(name),
            reason="incident",
            created_by="user:ana",
            starts_at=scene.now,
            ends_at=scene.now + timedelta(hours=hours),
            holds_rollbacks=True,
            created_at=scene.now,
            **scope,
        )
    )


# --- places ------------------------------------------------------------------------------------------------------------------------


def test_a_target_that_goes_to_the_head_of_the_line_is_dispatched_once() -> None:
    """Its turn comes in two ways at once: a person wants it, and places became free in the line where it stood."""
    scene = Scene(*NAMES)
    scene.save_agent(config={"maxConcurrentJobs": 2})
    scene.release("v1", "eu-1", "eu-2", "eu-3")
    first, second = [one.job_id for one in scene.jobs()]
    assert set(state_of(scene).held) == {f"{id_of('eu-3')}-{ENVIRONMENT}-{DEPLOYMENT}"}
    redeploy(scene, "v1", "eu-3")
    scene.ask(SetJobStatus(job_id=first, status="successful"))
    scene.ask(SetJobStatus(job_id=second, status="successful"))
    scene.run()
    assert [one.job_id for one in scene.jobs()][2:] == [scene.jobs()[2].job_id]
    assert dict(state_of(scene).running.items()) == {f"agent/{id_of('puller')}": 1, f"deployment/{DEPLOYMENT}": 1}


def test_a_job_that_failed_as_it_was_made_takes_no_place() -> None:
    scene = Scene(*NAMES, config={"a": "x" * LARGE})
    scene.save_agent(config={"maxConcurrentJobs": 1})
    scene.save_version("large", {"b": "x" * LARGE})
    scene.save_version("small")
    scene.create_releases("large", "eu-1", cleared_at=scene.clear("large", "eu-1"))
    scene.create_releases("small", "eu-2", cleared_at=scene.clear("small", "eu-2"))
    scene.run()
    assert scene.statuses() == ["failure", "queued"]


def test_the_end_of_a_later_freeze_is_not_missed_while_others_wait_for_a_place() -> None:
    scene = Scene(*NAMES)
    scene.save_agent(config={"maxConcurrentJobs": 2})
    scene.release("v1", "eu-1", "eu-2")
    for job in scene.jobs():
        scene.finish(job_id=job.job_id)
    scene.release("v1", "eu-3", "eu-4")
    freeze(scene, "short", 0.25, selector='resource.identifier == "eu-1"')
    freeze(scene, "long", 0.5, selector='resource.identifier == "eu-2"')
    redeploy(scene, "v1", "eu-1", "eu-2")
    scene.advance(900)
    assert scene.statuses() == ["successful", "successful", "queued", "queued"]
    held = set(state_of(scene).held)
    assert held == {f"{id_of('eu-1')}-{ENVIRONMENT}-{DEPLOYMENT}"}
    scene.advance(900)
    assert set(state_of(scene).held) == {f"{id_of(name)}-{ENVIRONMENT}-{DEPLOYMENT}" for name in ("eu-1", "eu-2")}
    assert min(state_of(scene).instants, default=None) is None


def test_what_was_never_dispatched_does_not_wait_for_the_end_of_a_freeze() -> None:
    scene = Scene(*NAMES)
    scene.save_agent()
    scene.release("v1", "eu-1", "eu-2")
    for job in scene.jobs():
        scene.finish(job_id=job.job_id)
    scene.save_version("v2")
    scene.create_releases("v2", "eu-1", cleared_at=0)
    freeze(scene, "short", 0.25, selector='resource.identifier == "eu-1"')
    freeze(scene, "long", 0.5, selector='resource.identifier == "eu-2"')
    redeploy(scene, "v2", "eu-1")
    redeploy(scene, "v1", "eu-2")
    scene.advance(1_800)
    assert scene.statuses() == ["successful", "successful", "queued"], "the later one is let go on time"


# --- calls -------------------------------------------------------------------------------------------------------------------------


def test_a_job_that_moved_before_its_first_answer_is_handed_over_with_a_warning() -> None:
    """Its answer came when nobody waited for it: it may run outside."""
    outside = Held()
    scene, job_id = started(outside)
    scene.do(SetJobStatus(job_id=job_id, status="failure"))
    scene.do(SetJobStatus(job_id=job_id, status="pending"))
    calls = [(one.key, one.again) for one in outside.intents if one.request["call"] == "dispatch"]
    assert calls == [(f"{job_id}/dispatch/0", False), (f"{job_id}/dispatch/0", True)]


def test_a_webhook_before_the_first_answer_does_not_end_the_asking() -> None:
    outside = Held()
    scene, job_id = started(outside, "github-app", {})
    scene.do(TellRun(type="github-app", job_id=job_id, external_id="7", status="inProgress"), by="agent:hook")
    assert scene.statuses() == ["inProgress"]
    scene.advance(120)
    asked = [one.request["known"] for one in outside.intents if one.request["call"] == "observe"]
    assert [(one["status"], one["external_id"]) for one in asked] == [("inProgress", "7")]
    outside.answer = {"status": "successful"}
    scene.advance(60)
    assert scene.statuses() == ["successful"]


def test_the_agent_is_asked_about_the_job_as_it_stands() -> None:
    """What a webhook or a person tells meanwhile is known to the next question."""
    outside = Script(dispatch=[{"status": "pending", "look_again_s": 60}])
    seen: list[Any] = []

    def asked(intent: Intent, now: datetime) -> Any:
        if intent.request["call"] == "observe":
            seen.append(intent.request["known"])
            return None
        return outside(intent, now)

    scene, job_id = started(asked)
    scene.do(TellRun(type="webhook", job_id=job_id, status="inProgress", metadata={"log": "https://log"}), by="agent:hook")
    scene.advance(60)
    assert [(one["status"], one["metadata"]) for one in seen[:1]] == [("inProgress", {"log": "https://log"})]


def test_a_webhook_adds_to_the_links_of_a_job() -> None:
    log, page = ("ctrlplane/links", '{"Log":"https://log"}'), ("ctrlplane/links", '{"Page":"https://page"}')
    scene, job_id = started(Script(dispatch=[{"status": "inProgress", "metadata": dict([log])}]))
    scene.do(TellRun(type="webhook", job_id=job_id, metadata=dict([page])), by="agent:hook")
    metadata = dict(state_of(scene).jobs[job_id].metadata)
    assert json.loads(metadata["ctrlplane/links"]) == {"Log": "https://log", "Page": "https://page"}


def test_a_job_that_a_person_reopens_is_stopped_no_more() -> None:
    script = Script(dispatch=[{"status": "inProgress"}], cancel=[delayed()])
    scene, job_id = started(script)
    scene.do(CancelJob(job_id=job_id))
    scene.advance(4)
    assert state_of(scene).jobs[job_id].stops == 3
    scene.do(SetJobStatus(job_id=job_id, status="inProgress"))
    before = len(script.calls)
    scene.advance(600)
    assert len(script.calls) == before
    assert state_of(scene).jobs[job_id].stops is None


def test_a_run_that_is_queued_outside_gives_no_way() -> None:
    """Whether it begins is not ours to say: it has to end before another release takes its place."""
    scene, job_id = started(
        Script(dispatch=[{"status": "queued"}], cancel=[{"stopped": True}]),
        config={"url": "https://hook.example", "secret": "s", "supersedeQueued": True},
    )
    scene.release("v2")
    assert scene.statuses() == ["queued"]
    scene.finish(job_id=job_id)
    assert [one.version_id for one in scene.jobs()] == [id_of("v1"), id_of("v2")]


# --- commands ----------------------------------------------------------------------------------------------------------------------


def test_a_job_without_an_agent_can_be_completed() -> None:
    scene = Scene()
    scene.release("v1")
    job_id = scene.jobs()[0].job_id
    scene.do(SetJobStatus(job_id=job_id, status="actionRequired"))
    scene.do(CompleteJob(job_id=job_id))
    assert scene.statuses() == ["successful"]


def test_an_answer_that_is_too_large_to_be_kept_moves_the_job_all_the_same() -> None:
    script = Script(dispatch=[{"status": "inProgress", "metadata": {"a": "x" * LARGE * 2}, "look_again_s": 60}])
    scene, job_id = started(script)
    job = state_of(scene).jobs[job_id]
    assert (job.status, job.metadata) == ("inProgress", ())
    assert "too large" in str(job.message)


def test_an_agent_with_a_long_name_can_be_waited_for() -> None:
    """Facts that tell its name have to hold more than that."""
    long = "x" * 261_800
    scene = Scene(*NAMES, outside=Script(dispatch=[delayed()]))
    scene.save_agent(long, "webhook", {"maxConcurrentJobs": 1})
    scene.release("v1", "eu-1", "eu-2")
    assert len(scene.facts(JobDelayed)) == 1
    assert len(scene.facts(DispatchHeld)) == 1


# --- the calls themselves ----------------------------------------------------------------------------------------------------------


class Slow:
    """An agent that is handing a job over until the test lets it."""

    def __init__(self) -> None:
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.calls: list[str] = []

    async def dispatch(self, request: AgentRequest) -> AgentAnswer:
        self.begun.set()
        await self.go.wait()
        self.calls.append("it runs")
        return AgentAnswer(status="inProgress")

    async def cancel(self, request: AgentRequest) -> CancelAnswer:
        self.calls.append("it is stopped")
        return CancelAnswer(stopped=True)


async def test_a_job_is_stopped_once_it_was_handed_over(tmp_path: Path) -> None:
    """Before that its run would not be found, and go on beside the next one."""
    agent = Slow()
    scene, job_id = started(Held(), "slow", {})
    effects = scene.room("dispatcher").service.effects
    assert effects is not None
    intent = effects.intent(state_of(scene), f"{job_id}/dispatch/0")
    assert intent is not None
    outside = Outside(cast(EventLog, Written(scene)), Outbound(AddressRules.parse("")), Vault(Sources({}, tmp_path), None))
    perform = performing(cast(Any, {"slow": agent}), outside)
    handing_over = asyncio.create_task(_awaited(perform(intent)))
    await asyncio.wait_for(agent.begun.wait(), 60)
    stopping = asyncio.create_task(_awaited(perform(Intent(f"{job_id}/cancel/0", {**intent.request, "call": "cancel"}))))
    agent.go.set()
    await asyncio.wait_for(asyncio.gather(handing_over, stopping), 60)
    assert agent.calls == ["it runs", "it is stopped"]


async def _awaited(what: Awaitable[Any]) -> Any:
    return await what
