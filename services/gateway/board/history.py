"""What happened on a release target, in words: one line a fact, from facts that name the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.facts import dispatcher, planner, policy, verifier
from contracts.shapes import Json, Target
from services.gateway.board.state import Board
from services.gateway.board.touching import resources_of

TYPES: Final = tuple(
    one.TYPE
    for one in (
        planner.TargetsChanged, planner.ReleasesCreated, planner.RollbackStarted, planner.MarkLifted, planner.VersionPinned,
        planner.PinReleased, planner.RedeployRequested, policy.RuleEvaluated, policy.TargetsCleared, policy.ClearanceWithdrawn,
        policy.VersionSuperseded, policy.RollbackRequired, dispatcher.JobCreated, dispatcher.JobStatusChanged,
        dispatcher.JobDelayed, dispatcher.JobCancelAnswered, dispatcher.DispatchHeld, verifier.VerificationStarted,
        verifier.VerificationPassed, verifier.VerificationFailed, verifier.VerificationInconclusive,
        verifier.VerificationCancelled, verifier.WatchEnded,
    )
)  # fmt: skip
"""What a history tells of. Single measurements are in the verification, and would hide everything else."""


class _Line(NamedTuple):
    """What happened, and why; `status` is how it looks, as statuses of targets are."""

    what: str
    message: str = ""
    status: str = "pending"


def concerns(recorded: Recorded, target: Target) -> bool:
    """Whether a fact of `TYPES` is about a target. Most are not, which their bytes tell before they are read."""
    data = recorded.data
    if target.deployment_id.encode() not in data or target.environment_id.encode() not in data:
        return False
    fact: Any = recorded.fact
    if (fact.deployment_id, fact.environment_id) != (target.deployment_id, target.environment_id):
        return False
    named = tuple(resources_of(fact))
    # A fact that names no target is about all of its pair: a pin, or a clearance that was withdrawn.
    return target.resource_id in named or not named


def rows_of(board: Board, found: Sequence[Recorded], target: Target) -> list[Json]:
    """The lines of facts that concern a target, in the order in which they are given."""
    return [_row(board, one, target) for one in found]


def _row(board: Board, recorded: Recorded, target: Target) -> Json:
    fact: Any = recorded.fact
    line = _line(board, fact, target)
    version_id = _version_id(fact, target)
    return {
        "position": recorded.position,
        "time": stamp(recorded.recorded_time),
        "type": recorded.type,
        "by": recorded.auth_id,
        "what": line.what,
        "message": line.message,
        "status": line.status,
        "version": {"versionId": version_id, "tag": board.tag(version_id)} if version_id in board.versions else None,
        "jobId": getattr(fact, "job_id", "") or None,
        "verificationId": getattr(fact, "verification_id", None),
    }


def _version_id(fact: Any, target: Target) -> str:
    if isinstance(fact, planner.RedeployRequested):
        return next((one.version_id for one in fact.items if one.resource_id == target.resource_id), "")
    return getattr(fact, "version_id", "") or ""


def _line(board: Board, fact: Any, target: Target) -> _Line:
    tag = board.tag(_version_id(fact, target)) or "the version"
    match fact:
        case planner.TargetsChanged():
            there = target.resource_id in fact.added
            return _Line("became a target", "") if there else _Line("is no target any more", "")
        case planner.ReleasesCreated():
            return _Line(f"{tag} is wanted here", "", "progressing")
        case planner.RollbackStarted():
            to = board.tag(fact.to_version_id or "")
            where = f"goes back to {to}" if to else "there is nothing good to go back to"
            return _Line(f"{tag} was marked bad, {where}", fact.reason, "failed")
        case planner.MarkLifted():
            return _Line(f"the mark of {tag} was lifted", fact.reason)
        case planner.VersionPinned():
            where = "" if fact.resource_id else ", with its whole environment"
            return _Line(f"pinned to {tag}{where}", fact.reason, "paused")
        case planner.PinReleased():
            return _Line(f"pin of {tag} released", fact.reason)
        case planner.RedeployRequested():
            return _Line(f"{tag} is to be deployed again", fact.reason, "progressing")
        case dispatcher.DispatchHeld():
            at = f" at {fact.agent_name}" if fact.agent_name else ""
            return _Line(f"waits for a free place{at}", f"{fact.limit} jobs may run at a time.")
    if isinstance(fact, policy.RuleEvaluated | policy.TargetsCleared | policy.ClearanceWithdrawn | policy.VersionSuperseded):
        return _of_policy(board, fact, tag, target)
    return _of_job(fact, tag)


def _of_policy(board: Board, fact: Any, tag: str, target: Target) -> _Line:
    match fact:
        case policy.RuleEvaluated():
            group = next((one for one in fact.groups if target.resource_id in one.resource_ids), None)
            verdict = group.verdict if group is not None else "waiting"
            looks = {"allowed": "healthy", "waiting": "pending", "blocked": "blocked"}[verdict]
            name = board.policies[fact.policy_id].name if fact.policy_id in board.policies else ""
            said = {"allowed": "lets", "waiting": "makes", "blocked": "blocks"}[verdict]
            rest = {"allowed": f"{tag} pass", "waiting": f"{tag} wait", "blocked": tag}[verdict]
            rule = "approval" if fact.rule_type == "anyApproval" else _spelt(fact.rule_type)
            by = f"{name}: {rule}" if name else rule
            return _Line(f"{by} {said} {rest}", group.message if group is not None else "", looks)
        case policy.TargetsCleared():
            return _Line(f"every rule lets {tag} go", "", "healthy")
        case policy.ClearanceWithdrawn():
            return _Line(f"{tag} may not go any more", fact.reason, "blocked")
        case _:
            newer = board.tag(fact.by_version_id) or "a newer version"
            return _Line(f"{tag} is passed by", f"{newer} goes instead.")


def _of_job(fact: Any, tag: str) -> _Line:
    match fact:
        case policy.RollbackRequired():
            return _Line(f"a rollback rule applies to {tag}", fact.reason, "failed")
        case dispatcher.JobCreated():
            kind = "job to go back to" if fact.rollback else "job for"
            again = f", attempt {fact.attempt}" if fact.attempt > 1 else ""
            return _Line(f"{kind} {tag} created{again}", fact.message or "", "progressing")
        case dispatcher.JobStatusChanged():
            return _Line(f"job of {tag}: {_spelt(fact.status)}", fact.message or "", _LOOKS.get(fact.status, "failed"))
        case dispatcher.JobDelayed():
            done = "handed over" if fact.call == "dispatch" else "stopped"
            return _Line(f"job of {tag} could not be {done}", f"{fact.message} It is tried again.", "blocked")
        case dispatcher.JobCancelAnswered():
            return _Line("the agent stops the job" if fact.stopped else "the agent does not stop the job", fact.message or "")
        case verifier.VerificationStarted():
            again = f", attempt {fact.attempt}" if fact.attempt > 1 else ""
            return _Line(f"verification of {tag} began{again}", fact.reason, "progressing")
        case verifier.VerificationPassed():
            return _Line(f"verification of {tag} passed", fact.note or "", "healthy")
        case verifier.VerificationFailed():
            return _Line(f"verification of {tag} failed: {fact.metric}", fact.message, "failed")
        case verifier.VerificationInconclusive():
            return _Line(f"verification of {tag} is inconclusive: {fact.metric}", fact.message, "blocked")
        case verifier.VerificationCancelled():
            return _Line(f"verification of {tag} ended without a verdict", fact.reason)
        case _:
            return _Line(f"{tag} is measured no more", getattr(fact, "reason", ""))


_LOOKS: Final = {
    "pending": "pending", "queued": "pending", "inProgress": "progressing", "actionRequired": "blocked", "successful": "healthy",
    "cancelled": "paused", "skipped": "paused",
}  # fmt: skip


def _spelt(name: str) -> str:
    """`inProgress` as people write it."""
    return "".join(f" {one.lower()}" if one.isupper() else one for one in name).strip()
