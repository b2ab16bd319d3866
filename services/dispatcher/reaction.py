"""Which targets the newest facts concern, and what follows from each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from contracts.envelope import Recorded
from contracts.facts.dispatcher import (
    JobAgentDeleted,
    JobAgentSaved,
    JobCreated,
    JobStatusChanged,
    WorkflowJobCreated,
    WorkflowJobStatusChanged,
)
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, RedeployRequested, ReleasesCreated, RollbackStarted
from contracts.facts.policy import TargetsCleared
from contracts.shapes import ACTIVE
from libs.runtime.service import Draft
from services.dispatcher.fold import LETS_GO, waiting_for
from services.dispatcher.job import JobMaker
from services.dispatcher.line import everybody, goes_first, in_order
from services.dispatcher.places import Places, deployment_key, keys_of
from services.dispatcher.plans import start_results
from services.dispatcher.state import NOWHERE, State
from services.dispatcher.workflow_steps import go_on

_TRIGGERS = LETS_GO | frozenset(
    one.TYPE
    for one in (
        ReleasesCreated,
        RollbackStarted,
        RedeployRequested,
        TargetsCleared,
        JobStatusChanged,
        JobCreated,
        JobAgentSaved,
        JobAgentDeleted,
        DeploymentSaved,
        ResourceSaved,
        WorkflowJobCreated,
    )
)


def react(state: State, recorded: Sequence[Recorded], now: datetime) -> Sequence[Draft]:
    """Create the jobs that follow from new facts; each is caused by the newest fact that concerns its target."""
    causes: dict[str, Recorded] = {}
    for one in recorded:
        if one.type in _TRIGGERS:
            for key in _concerned(state, one):
                causes[key] = one
            for key in waiting_for(state, one) if one.type in LETS_GO else ():
                causes[key] = one
    freed = _freed(state, recorded)
    drafts = list(start_results(state, recorded, now)) if state.planning.plans else []
    places = Places(state)
    if causes or freed:
        maker = JobMaker(state, now, places)
        # While a place is free, nobody in line can go, or he would have gone before; so only those are asked beside whom something new is
        # known. Whoever comes only now gets what they leave.
        for first in (True, False):
            drafts += _served(
                state, maker, {name: one for name, one in freed.items() if state.lines[name].first is first}, causes
            )
            concerned = [key for key in causes if goes_first(state.targets.get(key, NOWHERE)) is first]
            for key in (*in_order(state, concerned), *(key for key in concerned if key not in state.held)):
                drafts += maker.create(key, causes[key])
        drafts += maker.holds()
    return [*drafts, *go_on(state, recorded, places, now)] if state.runs else drafts


def _freed(state: State, recorded: Sequence[Recorded]) -> dict[str, Recorded]:
    """The lines that need a place of which one may have become free, with the newest fact that says so."""
    freed: dict[str, Recorded] = {}
    for one in recorded if state.queues else ():
        match one.fact:
            # One that failed as it was made was given a place by the decision that made it, and never took it.
            case (JobStatusChanged() | WorkflowJobStatusChanged() | JobCreated()) as fact if fact.status not in ACTIVE:
                keys = keys_of(state.jobs[fact.job_id])
            case _:
                continue
        freed.update((line, one) for key in keys for line in state.queues.get(key, ()))
    return freed


def _served(state: State, maker: JobMaker, freed: dict[str, Recorded], causes: dict[str, Recorded]) -> list[Draft]:
    """The jobs of those whose turn it is. One that can not go now (its clearance went stale, say) lets the next one pass."""
    drafts: list[Draft] = []
    for target in maker.in_line(freed):
        made = maker.create(target, freed[state.held[target].line])
        if made:
            causes.pop(target, None)
            drafts += made
    return drafts


def _concerned(state: State, recorded: Recorded) -> Iterable[str]:
    """Keys of the targets for which a fact may have changed whether they get a job."""
    match recorded.fact:
        case (ReleasesCreated() | RedeployRequested()) as fact:
            suffix = f"-{fact.environment_id}-{fact.deployment_id}"
            return [item.resource_id + suffix for item in fact.items]
        case TargetsCleared() as fact:
            # A clearance that is issued anew may end the wait of a release that was made on the one before.
            suffix = f"-{fact.environment_id}-{fact.deployment_id}"
            return [resource_id + suffix for resource_id in fact.resource_ids]
        case RollbackStarted() as fact:
            return (f"{fact.resource_id}-{fact.environment_id}-{fact.deployment_id}",)
        case (JobStatusChanged() | JobCreated()) as fact if fact.status not in ACTIVE:
            return (f"{fact.resource_id}-{fact.environment_id}-{fact.deployment_id}",)
        case WorkflowJobCreated() as fact:
            # It may have stood back for somebody in line who can not go after all.
            return (fact.job_id,) if fact.waits else ()
        case JobAgentSaved():
            return [*everybody(state, sorted(state.lines)), *_without_agent(state)]
        case JobAgentDeleted():
            return everybody(state, sorted(state.lines))
        case DeploymentSaved() as fact:
            waiting = everybody(state, state.queues.get(deployment_key(fact.deployment_id), ()))
            return [*waiting, *(key for key in _without_agent(state) if key.endswith(fact.deployment_id))]
        case ResourceSaved() as fact:
            return (*state.held_on.get(fact.resource_id, ()), *state.without_agent.get(fact.resource_id, ()))
        case _:
            return ()


def _without_agent(state: State) -> Iterator[str]:
    """Targets whose newest job found no agent, in a fixed order: a new agent or selector may serve them."""
    for resource_id in sorted(state.without_agent):
        yield from state.without_agent[resource_id]
