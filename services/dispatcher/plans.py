"""Plans: which dry runs one has, what each is asked, and what is recorded of its answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from contracts.command import Asked, Refused
from contracts.commands.dispatcher import CreatePlan
from contracts.documents import deployment_document, environment_document, resource_document
from contracts.envelope import Recorded
from contracts.facts.dispatcher import (
    PlannedVersion,
    PlanRequested,
    PlanResultItem,
    PlanResultRecorded,
    PlanResultsStarted,
    PlanValidation,
)
from contracts.facts.planner import PlanTarget, PlanTargetsResolved
from contracts.shapes import Json
from libs.cel import CelProblems, Outcome, contexts
from libs.eventlog.port import MAX_FACT_BYTES
from libs.runtime.ids import derived
from libs.runtime.service import Decided, Draft, Intent
from libs.runtime.service import Outcome as Answered
from services.dispatcher.agent_config import merged, too_large
from services.dispatcher.plan_expiry import expired_said
from services.dispatcher.plan_state import OpenPlan, OpenResult
from services.dispatcher.selection import Selector
from services.dispatcher.state import State

KEEPS: Final = timedelta(hours=1)
"""So long may a plan be looked at."""
PATIENCE: Final = timedelta(minutes=5)
"""So long is tried to get the answer of one dry run."""
RESULTS_PER_FACT: Final = 500
BYTES_PER_FACT: Final = 200_000
PLAN: Final = "plan/"
"""The calls of dry runs are named by this and the result's id."""


def create_plan(wish: CreatePlan, state: State, asked: Asked) -> Decided:
    """Ask what a version would change; planner says where.

    Raises:
        Refused: there is no such deployment (not_found), or the version is too large (invalid).
    """
    if wish.deployment_id not in state.deployments:
        raise Refused("not_found", f"There is no deployment {wish.deployment_id}.")
    plan_id = derived(asked.id, "plan")
    version = PlannedVersion(
        version_id=derived(asked.id, "version"),
        tag=wish.tag,
        name=wish.name or wish.tag,
        config=wish.config,
        job_agent_config=wish.job_agent_config,
        metadata=wish.version_metadata,
    )
    fact = PlanRequested(
        plan_id=plan_id,
        deployment_id=wish.deployment_id,
        version=version,
        metadata=wish.metadata,
        created_at=asked.now,
        expires_at=asked.now + KEEPS,
    )
    if (size := len(fact.to_json())) > MAX_FACT_BYTES:
        raise Refused("invalid", f"The version is too large: {size} bytes of JSON, at most {MAX_FACT_BYTES}; shorten its config.")
    return Decided((Draft(fact),), {"id": plan_id})


# --- which dry runs ----------------------------------------------------------------------------------------------------------------


def start_results(state: State, recorded: Sequence[Recorded], now: datetime) -> Iterator[Draft]:
    """The dry runs of every plan whose targets planner found."""
    selector: Selector | None = None
    for one in recorded:
        fact = one.fact
        if not isinstance(fact, PlanTargetsResolved) or (plan := state.planning.plans.get(fact.plan_id)) is None:
            continue
        selector = selector or Selector(state)
        targets: list[tuple[str, str]] = []
        items: list[PlanResultItem] = []
        size = 0
        for target in fact.targets:
            targets.append((target.environment_id, target.resource_id))
            # The agents of one target may not fit into one fact: each result is looked at by itself.
            for item in _items(state, fact, plan, target, one.position, selector, now):
                bytes_ = len(item.model_dump_json().encode())
                if items and (size + bytes_ > BYTES_PER_FACT or len(items) == RESULTS_PER_FACT):
                    yield Draft(_started(fact, targets, items, now, last=False), one)
                    targets, items, size = [], [], 0
                items.append(item)
                size += bytes_
        yield Draft(_started(fact, targets, items, now, last=fact.last), one)


def _items(
    state: State,
    fact: PlanTargetsResolved,
    plan: OpenPlan,
    target: PlanTarget,
    position: int,
    selector: Selector,
    now: datetime,
) -> Iterator[PlanResultItem]:
    """One dry run for every agent that takes the target; none where a part of it is gone. Of a plan that is over none is made."""
    deployment = state.deployments.get(fact.deployment_id)
    resource = state.resources.get(target.resource_id)
    environment = state.environments.get(target.environment_id)
    if deployment is None or resource is None or environment is None:
        return
    document = state.deployment(deployment)
    for agent_position in selector.select(document, resource.fact).agents:
        agent = state.agent(agent_position)
        config = merged(agent.config, document.job_agent_config, plan.version.job_agent_config)
        yield PlanResultItem(
            result_id=derived(fact.plan_id, f"{target.environment_id}/{target.resource_id}/{agent.agent_id}"),
            environment_id=target.environment_id,
            resource_id=target.resource_id,
            agent_id=agent.agent_id,
            job_agent_config={} if too_large(config) else config,
            problem=too_large(config) or (expired_said(plan) if now >= plan.expires_at else ""),
            agent=agent_position,
            resource=resource.position,
            environment=environment,
            deployment=deployment,
            targets=position,
            current_version_id=target.current_version_id,
        )


def _started(
    fact: PlanTargetsResolved, targets: list[tuple[str, str]], items: list[PlanResultItem], now: datetime, *, last: bool
) -> PlanResultsStarted:
    return PlanResultsStarted(
        plan_id=fact.plan_id,
        deployment_id=fact.deployment_id,
        targets=tuple(targets),
        results=tuple(items),
        last=last,
        started_at=now,
    )


# --- what each is asked ------------------------------------------------------------------------------------------------------------


class PlanCalls:
    """The calls of dry runs, named `plan/<result>`; those of one agent are a lane."""

    def keys(self, state: State) -> Iterable[str]:
        """Every dry run without an answer."""
        return (PLAN + result_id for result_id in sorted(state.planning.results))

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """Those that were started, or ended."""
        match recorded.fact:
            case PlanResultsStarted() as fact:
                return [PLAN + item.result_id for item in fact.results]
            case PlanResultRecorded() as fact:
                return (PLAN + fact.result_id,)
            case _:
                return ()

    def intent(self, state: State, key: str) -> Intent | None:
        """What the agent is asked, and by which rules its answer is judged."""
        open_ = state.planning.results.get(key.removeprefix(PLAN))
        if open_ is None:
            return None
        plan = state.planning.plans[open_.plan_id]
        item = open_.item
        current = state.versions.get(open_.current_version_id or "")
        request: Json = {
            "call": "plan",
            "workspace_id": state.workspace_id,
            "result_id": item.result_id,
            "agent_id": item.agent_id,
            "type": state.agent(item.agent).type,
            "config": item.job_agent_config,
            "problem": item.problem,
            "positions": item.model_dump(include={"agent", "resource", "environment", "deployment", "targets"}),
            "plan": plan.position,
            "current_version": current,
            "rules": list(_rules(state, plan, open_)),
            "give_up_at": (open_.started_at + PATIENCE).isoformat(),
        }
        return Intent(key, request, lane=item.agent_id)

    def settle(self, state: State, outcomes: Sequence[Answered], now: datetime) -> Sequence[Draft]:
        """Record what the dry runs came to."""
        drafts = []
        for outcome in outcomes:
            result_id = outcome.key.removeprefix(PLAN)
            open_ = state.planning.results.get(result_id)
            if open_ is None:
                continue
            told = outcome.result
            fact = PlanResultRecorded(
                plan_id=open_.plan_id,
                deployment_id=state.planning.plans[open_.plan_id].deployment_id,
                result_id=result_id,
                status=told["status"],
                has_changes=told["has_changes"],
                content_hash=told["content_hash"],
                current=told["current"],
                proposed=told["proposed"],
                cut=told["cut"],
                message=told["message"],
                validations=tuple(PlanValidation.model_validate(one) for one in told["validations"]),
                recorded_at=now,
            )
            drafts.append(Draft(fact))
        return drafts


def _rules(state: State, plan: OpenPlan, open_: OpenResult) -> Iterator[Json]:
    """The rules that judge a target's plan: of higher priority first, then the newer ones."""
    item = open_.item
    resource = state.resources.get(item.resource_id)
    environment = state.environment_documents.get(item.environment_id)
    if resource is None or environment is None or plan.deployment_id not in state.deployments:
        return
    document = {
        "resource": resource_document(state.workspace_id, resource.fact),
        "deployment": deployment_document(state.deployment(state.deployments[plan.deployment_id])),
        "environment": environment_document(state.workspace_id, environment),
        "version": {},
    }
    found = []
    for policy_id in sorted(state.planning.policies):
        policy = state.planning.policies[policy_id]
        if not _applies(policy.selector, document):
            continue
        for rule in policy.rules:
            if rule.plan_validation_opa is not None:
                opa = rule.plan_validation_opa
                about = {"policy_id": policy_id, "rule_id": rule.id, "name": opa.name, "rego": opa.rego}
                found.append((-policy.priority, rule.created_at, about))
    # Stable: what is older comes later within one priority.
    found.sort(key=lambda one: one[1], reverse=True)
    found.sort(key=lambda one: one[0])
    yield from (about for _, _, about in found)


def _applies(selector: str, document: Json) -> bool:
    """A missing key is no match; a selector that fails in another way counts as one, as it does for every other rule."""
    try:
        return contexts.TARGET.compile(selector).verdict(**document).outcome in (Outcome.MATCH, Outcome.ERROR)
    except CelProblems:
        return True
