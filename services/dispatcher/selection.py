"""Who executes: the job agents that a deployment's selector picks for a resource, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.documents import agent_document, resource_document
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved
from contracts.shapes import Json
from libs.cel import CelProblems, Outcome, Program, contexts
from services.dispatcher.state import State

NAMED = 5
"""Agents that a message names before it only counts the rest."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The positions of the chosen agents' documents, in the order of the agents' ids; if there is none, the reason."""

    agents: tuple[int, ...]
    why_none: str = ""


class Selector:
    """Chooses agents during one decision: every document is shaped once, a selector that reads no resource is evaluated once."""

    def __init__(self, state: State) -> None:
        self._workspace_id = state.workspace_id
        self._agents = [(position, fact, agent_document(state.workspace_id, fact)) for position, fact in state.todays_agents()]
        self._programs: dict[str, Program | str] = {}
        self._resources: dict[str, Json] = {}
        self._for_any_resource: dict[str, tuple[int, ...]] = {}

    def select(self, deployment: DeploymentSaved, resource: ResourceSaved) -> Selection:
        """Choose the agents for a deployment on a resource."""
        source = deployment.job_agent_selector.strip()
        if source in ("", "false"):
            return Selection((), _none_configured(deployment))
        program = self._program(source)
        if isinstance(program, str):
            return Selection((), f"The job agent selector of deployment '{deployment.name}' can not be read: {program}")
        if "resource" in program.roots:
            agents = self._matching(program, resource)
        else:
            known = self._for_any_resource.get(source)
            if known is None:
                known = self._for_any_resource[source] = self._matching(program, resource)
            agents = known
        return Selection(agents) if agents else Selection((), self._none_matched(program, deployment, resource))

    def _program(self, source: str) -> Program | str:
        program = self._programs.get(source)
        if program is None:
            try:
                program = contexts.AGENT.compile(source)
            except CelProblems as refused:
                program = str(refused)
            self._programs[source] = program
        return program

    def _matching(self, program: Program, resource: ResourceSaved) -> tuple[int, ...]:
        document = self._resource(resource)
        return tuple(position for position, _, agent in self._agents if program.matches(jobAgent=agent, resource=document))

    def _resource(self, resource: ResourceSaved) -> Json:
        document = self._resources.get(resource.resource_id)
        if document is None:
            document = self._resources[resource.resource_id] = resource_document(self._workspace_id, resource)
        return document

    def _none_matched(self, program: Program, deployment: DeploymentSaved, resource: ResourceSaved) -> str:
        document = self._resource(resource)
        missing, broken = [], []
        for _, fact, agent in self._agents:
            verdict = program.verdict(jobAgent=agent, resource=document)
            if verdict.outcome is Outcome.MISSING:
                missing.append(fact.name)
            elif verdict.outcome is Outcome.ERROR:
                broken.append(f"{fact.name} ({verdict.message})")
        agents = f"{len(self._agents)} job agents" if len(self._agents) != 1 else "1 job agent"
        text = (
            f"No job agent matches: the selector `{program.source}` of deployment '{deployment.name}' picks none of {agents} "
            f"for resource {resource.kind} '{resource.identifier}'."
        )
        if missing:
            text += f" Left out because a key that the selector reads is missing: {_listed(missing)}."
        if broken:
            text += f" Left out because the selector fails on them: {_listed(broken)}."
        return text


def _none_configured(deployment: DeploymentSaved) -> str:
    shown = deployment.job_agent_selector.strip() or "empty"
    return (
        f"No job agent is configured: the job agent selector of deployment '{deployment.name}' is {shown}. "
        'Set one, for example `jobAgent.name == "my-agent"`.'
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown
