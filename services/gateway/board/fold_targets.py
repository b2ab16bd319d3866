"""How facts about targets change them: releases, verdicts, jobs, verifications.

Each function gives the targets that a fact changes, by resource id; whether they exist at the moment is for the caller to see to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Final

from contracts.facts import dispatcher, planner, policy, verifier
from contracts.shapes import ACTIVE
from services.gateway.board.standing import BAD_MARK, DEPLOYABLE
from services.gateway.board.state import Back, Board, Check, Hold, Job, Pair, Place, Run, Target

Changed = dict[str, Target | None]

MOST_RUNS: Final = 5
"""Successes of a target that are remembered, for when the newest is taken back."""
LONGEST_TOLD: Final = 1_000
"""Characters of what agents and people say that are kept."""
_DECISIVE: Final = frozenset({DEPLOYABLE, BAD_MARK, "versionOrder"})
"""Where one of these holds a version, nothing else is asked about it."""

Ended = (
    verifier.VerificationPassed | verifier.VerificationFailed | verifier.VerificationInconclusive | verifier.VerificationCancelled
)


def known(pair: Pair, resource_id: str) -> Target | None:
    """A target of the pair, or one that vanished from it."""
    return pair.targets.get(resource_id) or pair.away.get(resource_id)


def vanished(target: Target) -> Target:
    """What counts again when a target returns: what runs there, and what must not."""
    return target._replace(desired="", release="", holds=(), back=None, place=None)


def _each(pair: Pair, resource_ids: Iterable[str], change: Callable[[Target], Target]) -> Changed:
    """Those that change."""
    changed: Changed = {}
    for one in resource_ids:
        target = known(pair, one)
        if target is not None and (now := change(target)) is not target:
            changed[one] = now
    return changed


# --- what is wanted ----------------------------------------------------------------------------------------------------------------


def wanted(board: Board, pair: Pair, fact: planner.ReleasesCreated, time: datetime) -> Changed:
    """A version became the desired one."""
    changed: Changed = {}
    for item in fact.items:
        target = pair.targets.get(item.resource_id)
        if target is not None:
            changed[item.resource_id] = target._replace(desired=fact.version_id, release=item.release_id, back=None, place=None)
    return changed


def went_back(board: Board, pair: Pair, fact: planner.RollbackStarted, time: datetime) -> Changed:
    """Versions were marked bad, and the target returns; one that returns to another release of its version marks none."""
    left = () if fact.version_id == fact.to_version_id else (fact.version_id,)

    def back(target: Target) -> Target:
        target = target._replace(marked=tuple(dict.fromkeys((*target.marked, *left, *fact.also_marked))))
        if fact.release_id is None and target.desired != fact.version_id:
            return target  # it went elsewhere meanwhile
        by_hand = not fact.policy_id and not fact.job_id
        reason = fact.reason[:LONGEST_TOLD]
        gone = Back(fact.version_id, fact.to_version_id, fact.release_id, reason, _cause(target), by_hand)
        target = target._replace(back=gone, place=None)
        if fact.release_id is not None and fact.to_version_id is not None:
            target = target._replace(desired=fact.to_version_id, release=fact.release_id)
        return target

    return _each(pair, (fact.resource_id,), back)


def _cause(target: Target) -> str:
    failed = next((one for one in target.checks if one.status == "failed"), None)
    if failed is not None:
        return failed.metric
    bad = next((one for one in target.jobs if one.status not in ACTIVE and one.status != "successful"), None)
    return f"job {bad.status}" if bad is not None else ""


def lifted(board: Board, pair: Pair, fact: planner.MarkLifted, time: datetime) -> Changed:
    """A person lets a version return."""
    return _each(pair, fact.resource_ids, lambda target: unmarked(target, fact.version_id))


def redeployed(board: Board, pair: Pair, fact: planner.RedeployRequested, time: datetime) -> Changed:
    """A person wants releases once more, which lifts the marks of their versions."""
    changed: Changed = {}
    for item in fact.items:
        changed.update(_each(pair, (item.resource_id,), partial(unmarked, version_id=item.version_id)))
    return changed


def unmarked(target: Target, version_id: str) -> Target:
    """A target to which a version may return."""
    back = target.back
    if version_id not in target.marked and (back is None or back.version_id != version_id):
        return target
    left = tuple(one for one in target.marked if one != version_id)
    return target._replace(marked=left, back=None if back is not None and back.version_id == version_id else back)


# --- verdicts ----------------------------------------------------------------------------------------------------------------------


def evaluated(board: Board, pair: Pair, fact: policy.RuleEvaluated, time: datetime) -> Changed:
    """A rule's verdict changed for some targets."""
    key = (fact.version_id, fact.policy_id, fact.rule_id, fact.rule_type)
    decisive = fact.rule_type in _DECISIVE and not fact.policy_id
    changed: Changed = {}
    for group in fact.groups:
        allows = group.verdict == "allowed"
        said = Hold(*key, group.verdict, group.message, group.look_again_at, fact.evaluated_at or time)
        first = (said,)
        since: dict[datetime, Hold] = {}
        for one in group.resource_ids:
            target = pair.targets.get(one)
            if target is None:
                continue
            if not target.holds:
                if not allows:
                    changed[one] = target._replace(holds=first)
                continue
            before = next((hold for hold in target.holds if hold[:4] == key), None)
            others = tuple(
                hold for hold in target.holds if hold[:4] != key and not (decisive and not allows and hold.version_id == key[0])
            )
            if allows:
                if before is None:
                    continue
                changed[one] = target._replace(holds=others)
                continue
            mine = said
            if before is not None and before.verdict == said.verdict:
                # It is still held by this rule, only longer or for another reason.
                mine = since.setdefault(before.since, said._replace(since=before.since))
            changed[one] = target._replace(holds=(*others, mine))
    return changed


def cleared(board: Board, pair: Pair, fact: policy.TargetsCleared, time: datetime) -> Changed:
    """Every rule allows the version: verdicts on it, and on those that it passes by, have served their purpose."""
    this = board.versions.get(fact.version_id)

    def is_over(hold: Hold) -> bool:
        version = board.versions.get(hold.version_id)
        return hold.version_id == fact.version_id or version is None or this is None or version.rank < this.rank

    def without(target: Target) -> Target:
        left = tuple(hold for hold in target.holds if not is_over(hold))
        return target if len(left) == len(target.holds) else target._replace(holds=left)

    return {one: target for one, target in _each(pair, fact.resource_ids, without).items() if one in pair.targets}


def waits_for_a_place(board: Board, pair: Pair, fact: dispatcher.DispatchHeld, time: datetime) -> Changed:
    """As many jobs as are allowed run already."""
    changed: Changed = {}
    for item in fact.items:
        target = pair.targets.get(item.resource_id)
        if target is not None:
            changed[item.resource_id] = target._replace(place=Place(item.release_id, fact.agent_name, fact.limit))
    return changed


# --- jobs --------------------------------------------------------------------------------------------------------------------------


def job_created(board: Board, pair: Pair, fact: dispatcher.JobCreated, time: datetime) -> Changed:
    """A job was made. Of one dispatch there may be several, for several agents."""
    job = Job(
        fact.job_id, fact.release_id, fact.version_id, fact.status, (fact.message or "")[:LONGEST_TOLD], fact.attempt, fact.rollback,
        fact.created_at,
    )  # fmt: skip

    def dispatched(target: Target) -> Target:
        together = bool(target.jobs) and (target.jobs[-1].release_id, target.jobs[-1].attempt, target.jobs[-1].made_at) == (
            job.release_id, job.attempt, job.made_at,
        )  # fmt: skip
        if together:
            return target._replace(jobs=(*target.jobs, job), place=None)
        return target._replace(jobs=(job,), checks=(), place=None)

    return _each(pair, (fact.resource_id,), dispatched)


def job_moved(board: Board, pair: Pair, fact: dispatcher.JobStatusChanged, time: datetime) -> Changed:
    """A job moved on; a success is what runs on the target now."""

    def moved(target: Target) -> Target:
        message = (fact.message or "")[:LONGEST_TOLD]
        jobs = tuple(
            one._replace(status=fact.status, message=message) if one.job_id == fact.job_id else one for one in target.jobs
        )
        runs = target.runs
        if fact.status == "successful":
            run = Run(fact.job_id, fact.version_id, fact.completed_at or fact.changed_at)
            others = (one for one in runs if one.job_id != fact.job_id)
            runs = tuple(sorted((*others, run), key=lambda one: (one.at, one.job_id)))[-MOST_RUNS:]
        elif any(one.job_id == fact.job_id for one in runs):
            runs = tuple(one for one in runs if one.job_id != fact.job_id)
        return target if (jobs, runs) == (target.jobs, target.runs) else target._replace(jobs=jobs, runs=runs)

    return _each(pair, (fact.resource_id,), moved)


# --- verifications -----------------------------------------------------------------------------------------------------------------


def check_required(board: Board, pair: Pair, fact: policy.VerificationRequired, time: datetime) -> Changed:
    """What a job deployed is to be measured."""

    def required(target: Target) -> Target:
        if not any(one.job_id == fact.job_id for one in target.jobs):
            return target
        return target._replace(checks=(*target.checks, Check(fact.job_id, fact.rule_id, "", 0, "running", "", "")))

    return _each(pair, (fact.resource_id,), required)


def check_started(board: Board, pair: Pair, fact: verifier.VerificationStarted, time: datetime) -> Changed:
    """Measuring began, or began anew: what an earlier attempt came to counts no more."""

    def begun(target: Target) -> Target:
        return _checks(target, lambda one: one._replace(
            verification_id=fact.verification_id, attempt=fact.attempt, status="running", metric="", message=""
        ) if (one.job_id, one.rule_id) == (fact.job_id, fact.rule_id) and fact.attempt >= one.attempt else one)  # fmt: skip

    return _each(pair, (fact.resource_id,), begun)


def check_ended(board: Board, pair: Pair, fact: Ended, time: datetime) -> Changed:
    """A verification came to something."""

    def came_to(one: Check) -> Check:
        if one.verification_id != fact.verification_id:
            return one
        match fact:
            case verifier.VerificationPassed():
                return one._replace(status="passed", metric="", message=(fact.note or "")[:LONGEST_TOLD])
            case verifier.VerificationFailed():
                return one._replace(status="failed", metric=fact.metric, message=fact.message[:LONGEST_TOLD])
            case verifier.VerificationInconclusive():
                return one._replace(status="inconclusive", metric=fact.metric, message=fact.message[:LONGEST_TOLD])
            case verifier.VerificationCancelled():
                return one._replace(status="cancelled", metric="", message=fact.reason[:LONGEST_TOLD])

    return _each(pair, (fact.resource_id,), lambda target: _checks(target, came_to))


def _checks(target: Target, change: Callable[[Check], Check]) -> Target:
    checks = tuple(change(one) for one in target.checks)
    return target if checks == target.checks else target._replace(checks=checks)
