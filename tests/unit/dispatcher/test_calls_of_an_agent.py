"""How the calls of one agent are counted, and what a pause that it asks for does to the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from contracts.shapes import Json
from libs.eventlog.port import EventLog
from libs.outbound.addresses import AddressRules
from libs.outbound.asking import Outbound
from libs.runtime.outside import Outside
from libs.runtime.service import Intent, NotYet, Performer
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.dispatcher.adapters.opening import LOOK_AGAIN_S
from services.dispatcher.adapters.performing import built_in_agents, performing
from services.dispatcher.adapters.port import (
    AgentAnswer,
    AgentRequest,
    CancelAnswer,
    Delayed,
    PlanAnswer,
    PlanRequest,
)
from tests.unit.dispatcher.dispatcher_scene import Scene
from tests.unit.dispatcher.test_dispatch_context import Written


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Counted:
    """An agent that counts its calls and answers as it was told."""

    def __init__(self, answer: AgentAnswer | Delayed) -> None:
        self.answer = answer
        self.asked: list[AgentRequest] = []

    async def dispatch(self, request: AgentRequest) -> AgentAnswer | Delayed:
        self.asked.append(request)
        return self.answer

    observe = dispatch

    async def cancel(self, request: AgentRequest) -> CancelAnswer | Delayed:
        self.asked.append(request)
        return CancelAnswer(stopped=True)

    async def plan(self, request: PlanRequest) -> PlanAnswer | Delayed:
        return PlanAnswer(status="unsupported")


class Asking:
    """An agent of type `counted` behind the performer, and jobs of it."""

    def __init__(self, tmp_path: Path, answer: AgentAnswer | Delayed, config: Json | None = None) -> None:
        self.clock = Clock()
        self.agent = Counted(answer)
        self.scene = Scene("eu-1", "eu-2", "eu-3", outside=lambda intent, now: None)
        self.scene.save_agent("counted", "counted", config)
        self.scene.release("v1", "eu-1", "eu-2", "eu-3")
        environ: Mapping[str, str] = {"SIGNALBOX_SECRET_TOKEN": "hush-hush"}
        vault = Vault(Sources(environ, tmp_path), None)
        outside = Outside(cast(EventLog, Written(self.scene)), Outbound(AddressRules.parse("")), vault)
        self.perform: Performer = performing({**built_in_agents(), "counted": self.agent}, outside, ticks=self.clock)

    def intent(self, number: int, call: str = "dispatch") -> Intent:
        job_id = self.scene.jobs()[number].job_id
        effects = self.scene.room("dispatcher").service.effects
        assert effects is not None
        intent = effects.intent(self.scene.room("dispatcher").state, f"{job_id}/dispatch/0")
        assert intent is not None
        return Intent(f"{job_id}/{call}/0", {**intent.request, "call": call}, lane=intent.lane)

    async def ask(self, number: int, call: str = "dispatch") -> Any:
        return await self.perform(self.intent(number, call))


async def test_a_call_that_has_to_wait_holds_nothing(tmp_path: Path) -> None:
    asking = Asking(tmp_path, AgentAnswer(status="queued"), {"maxCallsPerMinute": 2})
    assert [(await asking.ask(number))["status"] for number in (0, 1)] == ["queued", "queued"]
    assert await asking.ask(2) == NotYet(60.0)
    assert len(asking.agent.asked) == 2
    asking.clock.now += 60
    assert (await asking.ask(2))["status"] == "queued"


async def test_all_kinds_of_calls_count(tmp_path: Path) -> None:
    asking = Asking(tmp_path, AgentAnswer(status="inProgress"), {"maxCallsPerMinute": "2"})
    await asking.ask(0)
    await asking.ask(0, "cancel")
    assert await asking.ask(0, "observe") == NotYet(60.0)


async def test_one_job_s_pause_is_every_job_s(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Delayed(message="secondary limit", retry_after_s=90))
    assert (await asking.ask(0))["delayed"]["retry_after_s"] == 90
    assert [await asking.ask(1), await asking.ask(2, "observe")] == [NotYet(90.0), NotYet(90.0)]
    assert len(asking.agent.asked) == 1
    asking.clock.now += 90
    asking.agent.answer = AgentAnswer(status="queued")
    assert (await asking.ask(1))["status"] == "queued"


async def test_an_outage_that_names_no_time_stops_nobody_else(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Delayed(message="no connection"))
    assert "delayed" in await asking.ask(0)
    assert "delayed" in await asking.ask(1)
    assert await asking.ask(2, "observe") == NotYet(LOOK_AGAIN_S)


async def test_secrets_are_opened_for_the_agent_and_taken_out_of_its_answer(tmp_path: Path) -> None:
    asking = Asking(tmp_path, Delayed(message="hush-hush is not right"), {"token": "${secret:env:SIGNALBOX_SECRET_TOKEN}"})
    delayed = (await asking.ask(0))["delayed"]
    (request,) = asking.agent.asked
    assert request.config["token"] == "hush-hush"
    assert request.context["jobAgentConfig"]["token"] == "${secret:env:SIGNALBOX_SECRET_TOKEN}"
    assert "hush" not in str(delayed)


async def test_agents_that_call_nobody_are_not_counted() -> None:
    perform = performing(built_in_agents())
    scene = Scene(outside=lambda intent, now: None)
    scene.save_agent(config={"maxCallsPerMinute": 1})
    scene.release("v1")
    effects = scene.room("dispatcher").service.effects
    assert effects is not None
    intent = effects.intent(scene.room("dispatcher").state, f"{scene.jobs()[0].job_id}/dispatch/0")
    assert intent is not None
    answers = [await perform(intent) for _ in range(3)]
    assert [one["status"] for one in answers if isinstance(one, dict)] == ["queued"] * 3


@pytest.mark.parametrize("call,key", [("dispatch", "status"), ("cancel", "stopped")])
async def test_a_type_that_nobody_knows_fails(tmp_path: Path, call: str, key: str) -> None:
    asking = Asking(tmp_path, AgentAnswer(status="queued"))
    intent = asking.intent(0, call)
    result = await asking.perform(Intent(intent.key, {**intent.request, "type": "jenkins"}))
    assert isinstance(result, dict)
    assert result[key] in ("failure", False)
    assert "No job agent type 'jenkins' is known here" in result["message"]
