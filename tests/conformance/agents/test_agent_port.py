"""What every agent type promises, whatever is behind it."""

from __future__ import annotations

import pytest

from contracts.agents import AGENT_CONFIGS
from contracts.shapes import ACTIVE, Json
from libs.eventlog.memory import MemoryLog
from libs.runtime.outside import outside_of
from libs.runtime.service import Intent
from libs.runtime.settings import Settings
from services.dispatcher.adapters.performing import built_in_agents, performing
from services.dispatcher.adapters.port import Agent, AgentAnswer, AgentRequest
from services.dispatcher.adapters.test_runner import go_duration
from tests.conformance.agents.agent_scenes import JOB, answered

AGENTS = sorted(built_in_agents().items())
USABLE: list[tuple[str, Json]] = [
    ("http-pull", {}),
    ("http-pull", {"anything": ["else"]}),
    ("test-runner", {}),
    ("test-runner", {"delaySeconds": 0}),
    ("test-runner", {"delaySeconds": 1.5, "status": "failure", "message": "on purpose"}),
]


@pytest.fixture(params=USABLE, ids=lambda case: f"{case[0]}-{len(case[1])}")
def asked(request: pytest.FixtureRequest) -> tuple[Agent, AgentRequest]:
    type_, config = request.param
    return built_in_agents()[type_], AgentRequest(job_id=JOB, type=type_, config=config)


async def test_handing_over_twice_says_the_same(asked: tuple[Agent, AgentRequest]) -> None:
    agent, request = asked
    assert await agent.dispatch(request) == await agent.dispatch(request)


async def test_an_answer_is_plain_json_and_reads_back(asked: tuple[Agent, AgentRequest]) -> None:
    agent, request = asked
    for answer in (await agent.dispatch(request), await agent.observe(request)):
        assert AgentAnswer.model_validate_json(answer.model_dump_json()) == answer


async def test_a_job_that_was_taken_over_is_no_longer_pending(asked: tuple[Agent, AgentRequest]) -> None:
    agent, request = asked
    assert answered(await agent.dispatch(request)).status != "pending"


async def test_only_a_running_job_is_to_be_observed(asked: tuple[Agent, AgentRequest]) -> None:
    agent, request = asked
    answer = answered(await agent.dispatch(request))
    assert answer.look_again_s is None or answer.status in ACTIVE


async def test_the_configuration_is_not_changed(asked: tuple[Agent, AgentRequest]) -> None:
    agent, request = asked
    before = dict(request.config)
    await agent.dispatch(request)
    assert request.config == before


@pytest.mark.parametrize("type_", [name for name, _ in AGENTS])
@pytest.mark.parametrize("config", [{"timeoutSeconds": "1 h"}, {"timeoutSeconds": -1}])
async def test_a_configuration_that_can_not_be_used_is_a_failure_that_says_why(type_: str, config: Json) -> None:
    known: Json = {"status": "pending", "message": None, "external_id": None, "metadata": {}}
    told = {
        "call": "dispatch",
        "workspace_id": "w",
        "job_id": JOB,
        "position": 1,
        "agent_id": "a",
        "type": type_,
        "config": config,
        "known": known,
    }
    result = await performing(built_in_agents())(Intent(f"{JOB}/dispatch/0", told))
    assert isinstance(result, dict)
    assert result["status"] == "failure"
    assert "timeoutSeconds" in result["message"]


async def test_every_agent_type_has_a_checked_configuration_and_the_other_way_round() -> None:
    outside = outside_of(Settings(postgres=""), MemoryLog())
    assert set(built_in_agents(outside)) == set(AGENT_CONFIGS)
    await outside.close()


@pytest.mark.parametrize(
    "seconds,text",
    [(0, "0s"), (0.0001, "0s"), (0.25, "250ms"), (1, "1s"), (1.5, "1.5s"), (60, "1m0s"), (90.25, "1m30.25s"), (3661, "1h1m1s")],
)
def test_durations_are_written_as_go_does(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text
