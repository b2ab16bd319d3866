"""Performs dispatcher's effects: finds the agent of a job's type and asks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contracts.agents import config_problems
from libs.runtime.service import Intent, NotYet, Performer
from services.dispatcher.adapters.http_pull import HttpPull
from services.dispatcher.adapters.port import Agent, AgentAnswer, AgentRequest, CancelAnswer, Delayed
from services.dispatcher.adapters.test_runner import TestRunner

LOOK_AGAIN_S: Final = 5.0
"""Before an agent is asked again that could not be asked."""


def built_in_agents() -> Mapping[str, Agent]:
    """Every agent type that can execute jobs."""
    return {"http-pull": HttpPull(), "test-runner": TestRunner()}


def performing(agents: Mapping[str, Agent]) -> Performer:
    """Return the performer of dispatcher's intents over these agents."""

    async def perform(intent: Intent) -> dict[str, Any] | NotYet:
        told = intent.request
        known = told["known"]
        request = AgentRequest(
            told["job_id"],
            told["type"],
            told["config"],
            known["external_id"],
            agent_id=told["agent_id"],
            metadata=known["metadata"],
            again=intent.again,
        )
        answer = await _answer(agents, told["call"], request)
        if isinstance(answer, Delayed):
            if told["call"] == "observe":
                return NotYet(max(answer.retry_after_s or 0.0, LOOK_AGAIN_S))
            return {"delayed": answer.model_dump(mode="json")}
        if told["call"] == "observe" and isinstance(answer, AgentAnswer) and answer.look_again_s and _is_known(answer, known):
            return NotYet(answer.look_again_s)
        return answer.model_dump(mode="json")

    return perform


def _is_known(answer: AgentAnswer, known: Mapping[str, Any]) -> bool:
    """Whether an answer says nothing new: polling leaves no trace then."""
    return (
        answer.status == known["status"]
        and answer.message in (None, known["message"])
        and answer.external_id in (None, known["external_id"])
        and answer.metadata.items() <= known["metadata"].items()
    )


async def _answer(agents: Mapping[str, Agent], call: str, request: AgentRequest) -> AgentAnswer | CancelAnswer | Delayed:
    agent = agents.get(request.type)
    if agent is None:
        known = ", ".join(sorted(agents))
        return _refused(call, f"No job agent type '{request.type}' is known here; known are: {known}.")
    if problems := config_problems(request.type, request.config, whole=True):
        said = "; ".join(f"{one['path']}: {one['message']}" for one in problems)
        why = f"The merged configuration of agent, deployment and version can not be used by {request.type}: {said}."
        return _refused(call, why)
    match call:
        case "dispatch":
            return await agent.dispatch(request)
        case "observe":
            return await agent.observe(request)
        case "cancel":
            return await agent.cancel(request)
        case _:
            raise AssertionError(f"an agent can not {call}")


def _refused(call: str, message: str) -> AgentAnswer | CancelAnswer:
    return CancelAnswer(stopped=False, message=message) if call == "cancel" else AgentAnswer(status="failure", message=message)
