"""Performs dispatcher's effects: finds the agent of a job's type and asks it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

from contracts.shapes import Json
from libs.runtime import clock
from libs.runtime.outside import Outside
from libs.runtime.service import Intent, NotYet, Performer
from libs.secrets.redaction import Redacted
from services.dispatcher.adapters.argo_cd import ArgoCd
from services.dispatcher.adapters.argo_workflow import ArgoWorkflow
from services.dispatcher.adapters.context import Documents
from services.dispatcher.adapters.github_api import GithubApi
from services.dispatcher.adapters.github_app import GithubApp
from services.dispatcher.adapters.http_pull import HttpPull
from services.dispatcher.adapters.kubernetes import Kubernetes
from services.dispatcher.adapters.kubernetes_api import KubernetesApi
from services.dispatcher.adapters.manual import Manual
from services.dispatcher.adapters.opening import LOOK_AGAIN_S, Unusable, opened
from services.dispatcher.adapters.plan_reporting import PlanReporting
from services.dispatcher.adapters.planning import Planning
from services.dispatcher.adapters.port import Agent, AgentAnswer, AgentRequest, CancelAnswer, Delayed
from services.dispatcher.adapters.test_runner import TestRunner
from services.dispatcher.adapters.tfe import TfeAgent
from services.dispatcher.adapters.turns import AllTurns
from services.dispatcher.adapters.webhook import Webhook
from services.dispatcher.places import number_in

CALLS: Final = "maxCallsPerMinute"
INSIDE: Final[Mapping[str, Agent]] = {"http-pull": HttpPull(), "test-runner": TestRunner()}
"""Agents that call nobody: they need neither secrets nor what the job was made from."""


def built_in_agents(outside: Outside | None = None) -> Mapping[str, Agent]:
    """Every agent type that can execute jobs; without an outside those that call nobody."""
    if outside is None:
        return INSIDE
    return {
        **INSIDE,
        "argo-cd": ArgoCd(outside.outbound),
        "argo-workflow": ArgoWorkflow(outside.outbound),
        "github-app": GithubApp(GithubApi.of(outside)),
        "kubernetes": Kubernetes(KubernetesApi(outside.outbound)),
        "manual": Manual(),
        "tfe": TfeAgent.of(outside),
        "webhook": Webhook(outside.outbound, public_url=outside.public_url),
    }


def performing(
    agents: Mapping[str, Agent], outside: Outside | None = None, *, ticks: Callable[[], float] = time.monotonic
) -> Performer:
    """Return the performer of dispatcher's intents over these agents; those that call somebody need an outside.

    Args:
        ticks: seconds, only going forward: the calls of one agent are counted by it.
    """
    all_turns = AllTurns(ticks)
    busy: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
    documents = Documents(outside.log) if outside is not None else None
    planning = Planning(agents, outside, documents, clock.now) if documents is not None else None
    reporting = None
    if outside is not None and documents is not None:
        reporting = PlanReporting(GithubApi.of(outside), outside.log, documents, outside.public_url, clock.now)

    async def of_job(intent: Intent) -> dict[str, Any] | NotYet:
        told = intent.request
        agent = agents.get(told["type"])
        if agent is None:
            known = ", ".join(sorted(agents))
            return _refused(told["call"], f"No job agent type '{told['type']}' is known here; known are: {known}.")
        context: Json = {}
        inside = told["type"] in INSIDE
        if not inside:
            assert documents is not None, f"a {told['type']} agent needs an outside"
            context = await documents.context_of(told["workspace_id"], told["position"], told["config"])
        try:
            config, redacted = await opened(None if inside else outside, told["workspace_id"], told["type"], told["config"])
        except Unusable as why:
            return _refused(told["call"], why.message)
        known = told["known"]
        request = AgentRequest(
            told["job_id"],
            told["type"],
            config,
            known["external_id"],
            told["workspace_id"],
            told["agent_id"],
            context,
            known["metadata"],
            intent.again,
            known["status"],
        )
        try:
            answer = await _asked(agent, told["call"], request)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again without the secrets in it
            raise RuntimeError(f"a {told['type']} agent broke: {redacted.error(error)}") from None
        if isinstance(answer, Delayed) and answer.retry_after_s:
            # Whoever asks to be left alone does not mean this one job: GitHub counts what its agent asks altogether.
            all_turns.of(told["workspace_id"], told["agent_id"]).pause(answer.retry_after_s)
        return _result(told["call"], known, answer, redacted)

    async def perform(intent: Intent) -> dict[str, Any] | NotYet:
        told = intent.request
        if told["call"] == "report":
            assert reporting is not None, "to report a plan needs an outside"
            return await reporting.perform(intent)
        turns = all_turns.of(told["workspace_id"], told["agent_id"])
        if told["type"] in agents and told["type"] not in INSIDE:
            wait_s = turns.wait_s(intent.key, number_in(told["config"], CALLS))
            if wait_s > 0:
                return NotYet(wait_s)
        if told["call"] == "plan":
            assert planning is not None, "a dry run needs an outside"
            return await planning.perform(intent)
        # What is to be stopped may be about to begin: while a job is handed over, its run would not be found yet.
        one_by_one = busy.setdefault((told["workspace_id"], told["job_id"]), asyncio.Lock())
        async with one_by_one:
            return await of_job(intent)

    return perform


def _result(call: str, known: Json, answer: AgentAnswer | CancelAnswer | Delayed, redacted: Redacted) -> dict[str, Any] | NotYet:
    """The answer as it may be recorded; polling that brings nothing new leaves no trace."""
    if isinstance(answer, Delayed):
        if call == "observe":
            return NotYet(max(answer.retry_after_s or 0.0, LOOK_AGAIN_S))
        return {"delayed": redacted.json(answer.model_dump(mode="json"))}
    if call == "observe" and isinstance(answer, AgentAnswer) and answer.look_again_s and _is_known(answer, known):
        return NotYet(answer.look_again_s)
    result: dict[str, Any] = redacted.json(answer.model_dump(mode="json"))
    return result


async def _asked(agent: Agent, call: str, request: AgentRequest) -> AgentAnswer | CancelAnswer | Delayed:
    match call:
        case "dispatch":
            return await agent.dispatch(request)
        case "observe":
            return await agent.observe(request)
        case "cancel":
            return await agent.cancel(request)
        case _:
            raise AssertionError(f"an agent can not {call}")


def _refused(call: str, message: str) -> dict[str, Any]:
    answer = CancelAnswer(stopped=False, message=message) if call == "cancel" else AgentAnswer(status="failure", message=message)
    return answer.model_dump(mode="json")


def _is_known(answer: AgentAnswer, known: Mapping[str, Any]) -> bool:
    """Whether an answer says nothing new: polling leaves no trace then."""
    return (
        answer.status == known["status"]
        and answer.message in (None, known["message"])
        and answer.external_id in (None, known["external_id"])
        and answer.metadata.items() <= known["metadata"].items()
    )
