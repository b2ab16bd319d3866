"""gradualRollout: targets follow one another in time, each at its place.

A target is covered when a verification or rollback rule applies to it: then it goes only when every target before it has passed its
job and its verification, one at a time, and a failure stops the rollout. Otherwise the clock alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.shapes import ACTIVE, GradualRollout
from services.policy.finding import Finding, RuleKey, positions
from services.policy.instants import spoken
from services.policy.order import places_of
from services.policy.state import Job, Outcome, Pair, State, Version

TURN = "Targets follow one another: this one goes when those before it are deployed and verified."
LATER = "The rollout has not reached this target yet."
REACHED = "The rollout has reached this target."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target that may be next.

    Attributes:
        rules: the rollout rules that apply to it.
        start: when the rollout starts for it; None when approval or progression it starts with is not satisfied.
        covered: whether the rollout waits for the targets before it.
        free: whether all other rules allow it.
        cleared: whether it was cleared for the version before, and so has had its turn.
    """

    resource_id: str
    rules: tuple[tuple[RuleKey, GradualRollout], ...]
    start: datetime | None
    covered: bool
    free: bool
    cleared: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a rollout is: what stops it, and who is under way (both None: it may go on)."""

    failed: tuple[str, Job] | None
    running: str | None
    last_cleared_at: datetime | None


def start_of(version: Version, approvals: Sequence[Finding], progressions: Sequence[Finding]) -> datetime | None:
    """When a rollout starts: with the version, or with the latest satisfied approval and progression where such rules exist.

    None when there are rules of a kind and none of them is satisfied.
    """
    base: list[datetime] = []
    for findings in (approvals, progressions):
        satisfied = [one.satisfied_at for one in findings if one.allows and one.satisfied_at is not None]
        if findings and not satisfied:
            return None
        if satisfied:
            base.append(max(satisfied))
    return max(base, default=version.created_at)


def offset_of(body: GradualRollout, place: int, targets: int) -> timedelta:
    """How long after the start a place is due; whole seconds."""
    if body.rollout_type == "linear-normalized":
        return timedelta(seconds=int(place / targets * body.time_scale_interval))
    return timedelta(seconds=place * body.time_scale_interval)


def step_of(body: GradualRollout, targets: int) -> timedelta:
    """The shortest time between two targets of a covered rollout."""
    return offset_of(body, 1, max(targets, 1)) if targets > 1 else timedelta(0)


def outcome_of(pair: Pair, resource_id: str, version_id: str) -> tuple[Outcome, Job] | None:
    """What the newest dispatch of a version came to on a target; None when the rollout made no job there.

    Several agents make several jobs of one attempt: all must pass. Jobs that returned to the version after a newer one failed say
    nothing about its rollout.
    """
    jobs = [job for job in pair.jobs_of(resource_id, version_id) if not job.rollback]
    if not jobs:
        return None
    newest = jobs[-1]
    together = [job for job in jobs if (job.release_id, job.attempt) == (newest.release_id, newest.attempt)]
    for wanted in ("failed", "running"):
        for job in together:
            if job.outcome == wanted:
                return job.outcome, job
    return "passed", newest


def pace_of(pair: Pair, version_id: str) -> Pace:
    """How far the rollout of a version in an environment is; targets that vanished count no more."""
    failed: tuple[str, Job] | None = None
    running: str | None = None
    for one in pair.jobs.get(version_id, {}):
        if one not in pair.targets:
            continue
        came_to = outcome_of(pair, one, version_id)
        if came_to is None:
            continue
        if came_to[0] == "failed" and (failed is None or (came_to[1].position, one) < (failed[1].position, failed[0])):
            failed = (one, came_to[1])
        elif came_to[0] == "running" and (running is None or one < running):
            running = one
    for one, cleared in pair.open.items():
        if cleared == version_id and one in pair.targets and (running is None or one < running):
            running = one
    return Pace(failed, running, pair.paced.get(version_id))


def judge_rollout(
    candidates: Sequence[Candidate], version: Version, state: State, pair: Pair, now: datetime, *, wordy: bool = False
) -> dict[str, list[tuple[RuleKey, Finding]]]:
    """Judge all candidates of one version together, since only one covered target may go at a time.

    Args:
        candidates: every target of the pair that the version may go to now; a part of them would let several go at once.
        wordy: also build the sentences of the moment, one per target.
    """
    places, total = places_of(pair, version.version_id), len(pair.targets)
    pace = pace_of(pair, version.version_id) if any(one.covered for one in candidates) else Pace(None, None, None)
    due: dict[str, list[datetime]] = {}
    for one in candidates:
        if one.start is None:
            continue
        instants = [one.start + offset_of(body, places[one.resource_id], total) for _, body in one.rules]
        if one.covered and not one.cleared and pace.last_cleared_at is not None:
            steps = [pace.last_cleared_at + step_of(body, total) for _, body in one.rules]
            instants = [max(pair_) for pair_ in zip(instants, steps, strict=True)]
        due[one.resource_id] = instants
    turn = _next(candidates, due, places, pace)
    judged: dict[str, list[tuple[RuleKey, Finding]]] = {}
    shared: dict[datetime, Finding] = {}
    stopped = _stopped(pace.failed, version, state)
    for one in candidates:
        where = f"It is number {places[one.resource_id] + 1} of {total} in the rollout of {version.tag}" if wordy else ""
        found: list[tuple[RuleKey, Finding]] = []
        for index, (key, _) in enumerate(one.rules):
            if one.start is None:
                finding = _not_started(where)
            elif one.covered and not one.cleared and stopped is not None:
                finding = stopped
            elif one.covered and not one.cleared and (pace.running is not None or (one.free and one.resource_id != turn)):
                finding = _turn(state, version, pace.running, where)
            else:
                at = due[one.resource_id][index]
                known = shared.get(at)
                finding = known if known is not None and not wordy else _timed(at, now, where)
                shared[at] = finding
            found.append((key, finding))
        judged[one.resource_id] = found
    return judged


def _next(candidates: Sequence[Candidate], due: dict[str, list[datetime]], places: dict[str, int], pace: Pace) -> str | None:
    """The covered target that goes next."""
    if pace.failed is not None or pace.running is not None:
        return None
    waiting = [
        (max(due[one.resource_id]), places[one.resource_id], one.resource_id)
        for one in candidates
        if one.covered and one.free and not one.cleared and one.resource_id in due
    ]
    return min(waiting)[2] if waiting else None


def _not_started(where: str) -> Finding:
    return Finding(
        "waiting",
        "The rollout has not started: it starts once approval and progression are satisfied.",
        detail=f"The rollout has not started: it starts once approval and progression are satisfied. {where}." if where else "",
        ended_by="the approval or progression that the rollout starts with",
    )


def _timed(at: datetime, now: datetime, where: str) -> Finding:
    if now >= at:
        return Finding("allowed", REACHED, detail=f"{where}, due since {spoken(at)}." if where else "")
    return Finding(
        "waiting",
        LATER,
        detail=f"{where}, due at {spoken(at)}." if where else "",
        ended_by="its turn in the rollout",
        look_again_at=at,
    )


def _turn(state: State, version: Version, running: str | None, where: str) -> Finding:
    detail = ""
    if where:
        before = f"{state.resource_name(running)}, which is not deployed and verified yet" if running else "the target before it"
        detail = f"{where}; it goes after {before}."
    return Finding(
        "waiting", TURN, detail=detail, ended_by=f"the targets before it, once {version.tag} is deployed and verified there"
    )


def _stopped(failed: tuple[str, Job] | None, version: Version, state: State) -> Finding | None:
    if failed is None:
        return None
    resource_id, job = failed
    what = f"job {job.job_id} ended as {job.status}" + (f" ({job.message})" if job.message else "")
    if job.status == "successful":
        what = f"the verification of job {job.job_id} failed"
    assert job.status not in ACTIVE, "a running job can not stop a rollout"
    facts = (job.position, *(check.position for check in job.checks))
    return Finding(
        "blocked",
        f"The rollout of {version.tag} stopped: on {state.resource_name(resource_id)} {what}.",
        ended_by="a person who mends that target, or a newer version",
        facts=positions(facts),
    )
