"""Which pull requests are told of plans, and what next. One thing of a plan at a time: GitHub wants an App to write one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from contracts.envelope import Recorded
from contracts.facts.dispatcher import PlanReported, PlanRequested, PlanResultRecorded, PlanResultsStarted
from contracts.shapes import Json
from libs.runtime.service import Draft, Intent, Outcome
from services.dispatcher.fold_plan_reports import REST
from services.dispatcher.plan_state import Check, Report
from services.dispatcher.state import State

REPORT: Final = "report/"
"""Calls to a pull request are named by this, the plan, and whether their number is even: which number is next, facts do not tell."""
LANE: Final = "pull requests"

Shown = Literal["running", "failing", "done"]


class _Next(NamedTuple):
    what: Literal["comment", "check"]
    target: str
    state: Shown


class PlanReports:
    """The calls that show plans at their pull requests, at most one of a plan at a time."""

    def keys(self, state: State) -> Iterable[str]:
        """Every plan of which something is to be shown."""
        return (_key(plan_id, report.number) for plan_id, report in sorted(state.planning.reports.items()))

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """The plan that moved on."""
        match recorded.fact:
            case (PlanRequested() | PlanResultsStarted() | PlanResultRecorded() | PlanReported()) as fact:
                return (_key(fact.plan_id, 0), _key(fact.plan_id, 1))
            case _:
                return ()

    def intent(self, state: State, key: str) -> Intent | None:
        """What is to be shown next."""
        plan_id = key.removeprefix(REPORT).partition("/")[0]
        report = state.planning.reports.get(plan_id)
        if report is None or key != _key(plan_id, report.number) or (next_ := _next(report)) is None:
            return None
        check = report.checks.get(next_.target)
        request: Json = {
            "call": "report",
            "workspace_id": state.workspace_id,
            "deployment_id": report.deployment_id,
            "plan_id": plan_id,
            "plan": report.position,
            **next_._asdict(),
            "number": report.number,
            "external_id": check.external_id if check is not None else report.comment_id,
            "pull_request": report.pull_request,
            "tally": (check.tally if check is not None else report.tally)._asdict(),
            "first": check.first if check is not None else 0,
            "results": [list(one) for one in (*check.bad, *check.good)] if check is not None else [],
            "targets": report.targets,
            "deployment": state.deployments.get(report.deployment_id),
            "give_up_at": report.expires_at.isoformat(),
        }
        return Intent(key, request, lane=LANE)

    def settle(self, state: State, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
        """Record what was shown, or why it could not be."""
        drafts = []
        for outcome in outcomes:
            told = outcome.result
            report = state.planning.reports.get(told["plan_id"])
            if report is None or report.number != told["number"]:
                continue
            fact = PlanReported(
                plan_id=told["plan_id"],
                deployment_id=report.deployment_id,
                number=report.number,
                what=told["what"],
                target=told["target"],
                state=told["state"],
                external_id=told["external_id"],
                pull_request=told["pull_request"],
                error=told["error"],
                reported_at=now,
            )
            drafts.append(Draft(fact))
        return drafts


def _key(plan_id: str, number: int) -> str:
    return f"{REPORT}{plan_id}/{number % 2}"


def _next(report: Report) -> _Next | None:
    """The comment comes first, since it leads to all the rest; then checks that have come to a result."""
    is_through = report.last and not report.tally.open
    comment: Shown = "done" if is_through else "running"
    if report.comment != comment:
        return _Next("comment", "", comment)
    begun: _Next | None = None
    for name in report.order:
        check = report.checks[name]
        state = _state(check, is_through if name == REST else not check.tally.open)
        if check.shown == state:
            continue
        if state != "running":
            return _Next("check", name, state)
        begun = begun or _Next("check", name, state)
    return begun


def _state(check: Check, is_through: bool) -> Shown:
    if is_through:
        return "done"
    return "failing" if check.tally.is_bad else "running"
