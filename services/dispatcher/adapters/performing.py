"""Performs dispatcher's effects: finds the agent of a job's type and asks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.agents import config_problems
from libs.runtime.service import Intent, Performer
from services.dispatcher.adapters.http_pull import HttpPull
from services.dispatcher.adapters.port import Agent, AgentAnswer, AgentRequest, Delayed
from services.dispatcher.adapters.test_runner import TestRunner


def built_in_agents() -> Mapping[str, Agent]:
    """Every agent type that can execute jobs."""
    return {"http-pull": HttpPull(), "test-runner": TestRunner()}


def performing(agents: Mapping[str, Agent]) -> Performer:
    """Return the performer of dispatcher's intents over these agents."""

    async def perform(intent: Intent) -> dict[str, Any]:
        told = intent.request
        request = AgentRequest(told["job_id"], told["type"], told["config"], told["external_id"])
        return (await _answer(agents, told["call"], request)).model_dump(mode="json")

    return perform


async def _answer(agents: Mapping[str, Agent], call: str, request: AgentRequest) -> AgentAnswer | Delayed:
    agent = agents.get(request.type)
    if agent is None:
        known = ", ".join(sorted(agents))
        return AgentAnswer(status="failure", message=f"No job agent type '{request.type}' is known here; known are: {known}.")
    if problems := config_problems(request.type, request.config, whole=True):
        said = "; ".join(f"{one['path']}: {one['message']}" for one in problems)
        return AgentAnswer(
            status="failure",
            message=f"The merged configuration of agent, deployment and version can not be used by {request.type}: {said}.",
        )
    assert call in ("dispatch", "observe"), f"an agent can not {call}"
    return await (agent.dispatch(request) if call == "dispatch" else agent.observe(request))
