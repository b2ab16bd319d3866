"""Folds what a pull request is to be told of a plan, and what it was told."""

from __future__ import annotations

from typing import Final

from immutables import Map

from contracts.facts.dispatcher import PlanReported, PlanRequested, PlanResultItem, PlanResultRecorded, PlanResultsStarted
from services.dispatcher.plan_state import Check, OpenResult, Report, Seen, Tally

REST: Final = "rest"
"""The check of all targets that have none of their own."""
OWN_CHECKS: Final = 100
"""Targets of a plan with a check of their own: GitHub lets an App write 80 things a minute, and nobody reads more."""
KEPT: Final = 20
"""Results of each kind that a check shows."""
ASKS_FOR_IT: Final = ("github/owner", "github/repo", "git/sha")
"""A plan is reported where its version's metadata has all of these."""

Reports = Map[str, Report]


def requested(reports: Reports, fact: PlanRequested, position: int) -> Reports:
    """A plan was asked for."""
    if not all(fact.version.metadata.get(key) for key in ASKS_FOR_IT):
        return reports
    return reports.set(fact.plan_id, Report(fact.deployment_id, position, fact.expires_at))


def started(reports: Reports, fact: PlanResultsStarted, position: int) -> Reports:
    """Dry runs of it are to be made."""
    report = reports.get(fact.plan_id)
    if report is None:
        return reports
    checks, order = report.checks.mutate(), list(report.order)
    for item in fact.results:
        name = target_of(item)
        if name not in checks and len(order) >= OWN_CHECKS:
            name = REST
        if name not in checks:
            checks[name] = Check(position)
            order.append(name)
        checks[name] = checks[name]._replace(tally=_begun(checks[name].tally, 1))
    report = report._replace(
        targets=report.targets + len(fact.targets),
        last=report.last or fact.last,
        tally=_begun(report.tally, len(fact.results)),
        order=tuple(order),
        checks=checks.finish(),
    )
    return reports.set(fact.plan_id, report)


def recorded(reports: Reports, fact: PlanResultRecorded, result: OpenResult, position: int) -> Reports:
    """A dry run of it ended."""
    report = reports.get(fact.plan_id)
    if report is None:
        return reports
    name = target_of(result.item)
    name = name if name in report.checks else REST
    check = report.checks[name]
    seen = Seen(result.started, position)
    if is_bad(fact):
        check = check._replace(bad=(*check.bad, seen)[:KEPT])
    else:
        check = check._replace(good=(*check.good, seen)[:KEPT])
    check = check._replace(tally=_ended(check.tally, fact))
    report = report._replace(checks=report.checks.set(name, check), tally=_ended(report.tally, fact))
    return reports.set(fact.plan_id, report)


def reported(reports: Reports, fact: PlanReported) -> Reports:
    """GitHub was told; a report that failed, or that is complete, is forgotten."""
    report = reports.get(fact.plan_id)
    if report is None or fact.number != report.number:
        return reports
    if fact.error is not None:
        return reports.delete(fact.plan_id)
    report = report._replace(number=report.number + 1)
    if fact.what == "comment":
        report = report._replace(comment=fact.state, comment_id=fact.external_id, pull_request=fact.pull_request)
    else:
        check = report.checks[fact.target]._replace(shown=fact.state, external_id=fact.external_id)
        report = report._replace(checks=report.checks.set(fact.target, check))
    if report.comment == "done" and all(one.shown == "done" for one in report.checks.values()):
        return reports.delete(fact.plan_id)
    return reports.set(fact.plan_id, report)


def target_of(item: PlanResultItem) -> str:
    """How the check of a target is named among those of its plan."""
    return f"{item.environment_id}/{item.resource_id}"


def is_bad(fact: PlanResultRecorded) -> bool:
    """Whether it could not be made, or a rule objects to it; a rule that could not be asked has not agreed."""
    return fact.status == "errored" or _is_objected_to(fact)


def _is_objected_to(fact: PlanResultRecorded) -> bool:
    return any(not one.passed for one in fact.validations)


def _begun(tally: Tally, results: int) -> Tally:
    return tally._replace(total=tally.total + results, open=tally.open + results)


def _ended(tally: Tally, fact: PlanResultRecorded) -> Tally:
    return tally._replace(
        open=tally.open - 1,
        changed=tally.changed + (fact.has_changes is True),
        unchanged=tally.unchanged + (fact.has_changes is False),
        errored=tally.errored + (fact.status == "errored"),
        unsupported=tally.unsupported + (fact.status == "unsupported"),
        violated=tally.violated + _is_objected_to(fact),
    )
