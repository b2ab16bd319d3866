"""Folds plans, their results, and the policies that judge them."""

from __future__ import annotations

from contracts.facts.dispatcher import PlanReported, PlanRequested, PlanResultRecorded, PlanResultsStarted
from contracts.facts.policy import PolicyDeleted, PolicySaved
from services.dispatcher import fold_plan_reports
from services.dispatcher.plan_state import OpenPlan, OpenResult
from services.dispatcher.state import State


def requested(state: State, fact: PlanRequested, position: int) -> State:
    """A plan was asked for."""
    plan = OpenPlan(fact.deployment_id, position, fact.version, fact.expires_at)
    planning = state.planning
    reports = fold_plan_reports.requested(planning.reports, fact, position)
    return state._replace(planning=planning._replace(plans=planning.plans.set(fact.plan_id, plan), reports=reports))


def started(state: State, fact: PlanResultsStarted, position: int) -> State:
    """Dry runs of a plan are to be made."""
    planning = state.planning
    plan = planning.plans.get(fact.plan_id)
    if plan is None:
        return state
    results = planning.results.mutate()
    for item in fact.results:
        results[item.result_id] = OpenResult(fact.plan_id, item, fact.started_at, item.current_version_id, position)
    plan = plan._replace(open=plan.open + len(fact.results), last=plan.last or fact.last)
    planning = planning._replace(
        results=results.finish(),
        plans=planning.plans.set(fact.plan_id, plan),
        reports=fold_plan_reports.started(planning.reports, fact, position),
    )
    return _without_what_is_through(state._replace(planning=planning), fact.plan_id)


def recorded(state: State, fact: PlanResultRecorded, position: int) -> State:
    """A dry run ended."""
    planning = state.planning
    result = planning.results.get(fact.result_id)
    if result is None:
        return state
    plan = planning.plans[fact.plan_id]
    planning = planning._replace(
        results=planning.results.delete(fact.result_id),
        plans=planning.plans.set(fact.plan_id, plan._replace(open=plan.open - 1)),
        reports=fold_plan_reports.recorded(planning.reports, fact, result, position),
    )
    return _without_what_is_through(state._replace(planning=planning), fact.plan_id)


def reported(state: State, fact: PlanReported, position: int) -> State:
    """A pull request was told of a plan."""
    planning = state.planning
    return state._replace(planning=planning._replace(reports=fold_plan_reports.reported(planning.reports, fact)))


def policy_saved(state: State, fact: PolicySaved) -> State:
    """A policy judges plans where it is enabled and has a rule that does."""
    policies = state.planning.policies
    if fact.enabled and any(rule.plan_validation_opa is not None for rule in fact.rules):
        policies = policies.set(fact.policy_id, fact)
    elif fact.policy_id in policies:
        policies = policies.delete(fact.policy_id)
    return state._replace(planning=state.planning._replace(policies=policies))


def policy_deleted(state: State, fact: PolicyDeleted) -> State:
    """A policy judges no more."""
    policies = state.planning.policies
    if fact.policy_id not in policies:
        return state
    return state._replace(planning=state.planning._replace(policies=policies.delete(fact.policy_id)))


def _without_what_is_through(state: State, plan_id: str) -> State:
    plan = state.planning.plans[plan_id]
    if plan.open or not plan.last:
        return state
    return state._replace(planning=state.planning._replace(plans=state.planning.plans.delete(plan_id)))
