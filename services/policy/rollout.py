"""gradualRollout: targets follow one another in time, each at its place.

A target is covered when a verification or rollback rule applies to it: then it goes only when every target before it has passed its
job and its verification, one at a time, and a failure stops the rollout. Otherwise the clock alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.shapes import ACTIVE, GradualRollout
from services.policy.finding import Finding, RuleKey, positions
from services.policy.instants import later, spoken
from services.policy.order import Places
from services.policy.state import NOWHERE, Job, Outcome, Pair, State, Version

TURN = "Targets follow one another: this one goes when those before it are deployed and verified."
LATER = "The rollout has not reached this target yet."
REACHED = "The rollout has reached this target."

LONGEST_S: Final = 10_000 * 366 * 24 * 3600
"""An offset of more seconds leads past every instant that can be written."""

Turns = tuple[tuple[RuleKey, Finding], ...]
"""What each rollout rule says about a target."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Targets that may be next, and to which the same rules apply.

    Attributes:
        rules: the rollout rules.
        start: when the rollout starts for them; None when approval or progression it starts with is not satisfied.
        covered: whether the rollout waits for the targets before.
        free: whether all other rules allow them.
    """

    rules: tuple[tuple[RuleKey, GradualRollout], ...]
    start: datetime | None
    covered: bool
    free: bool
    resource_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a rollout is: what stops it, and who is under way (both None: it may go on).

    Attributes:
        opened: of the targets that are cleared and have no job yet the one that may get it. There are several only when a rollout
            came to wait for what the targets before come to after they were cleared.
    """

    failed: tuple[str, Job] | None
    running: str | None
    opened: str | None
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


def in_line(body: GradualRollout) -> bool:
    """Whether a rollout's targets follow one another, and not in waves."""
    return body.rollout_type != "waves"


def offset_of(body: GradualRollout, place: int, targets: int) -> timedelta:
    """How long after the start a place is due; whole seconds."""
    if body.rollout_type == "linear-normalized":
        return timedelta(seconds=int(place / targets * body.time_scale_interval))
    return timedelta(seconds=min(place * body.time_scale_interval, LONGEST_S))


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


def pace_of(pair: Pair, version_id: str, places: Places) -> Pace:
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
    opened: str | None = None
    if running is None:
        open_ = [one for one, cleared in pair.open.items() if cleared == version_id and one in pair.targets]
        running = opened = min((one for one in open_ if not _runs(pair, one, version_id)), key=places.__getitem__, default=None)
    return Pace(failed, running, opened, pair.paced.get(version_id))


def _runs(pair: Pair, resource_id: str, version_id: str) -> bool:
    """Whether a version runs on a target as it is wanted there: its clearance comes to no job."""
    standing = pair.standings.get(resource_id, NOWHERE)
    current, desired = standing.current, standing.desired
    if current is None or current.version_id != version_id:
        return False
    return desired is None or desired.version_id != version_id or desired.release_id == current.release_id


class OthersNeeded(Exception):
    """Whose turn it is can not be told from some of the targets alone."""


@dataclass(frozen=True, slots=True)
class Question:
    """How the rollouts of a version in an environment stand at an instant.

    Attributes:
        wordy: also build the sentences of the moment, one per target.
        alone: the candidates may be only some of the covered targets.
    """

    version: Version
    state: State
    pair: Pair
    now: datetime
    wordy: bool = False
    alone: bool = False


def judge_line(groups: Sequence[Candidates], asked: Question) -> dict[str, Turns]:
    """Judge what rollouts that are not in waves say; the candidates together, since only one covered target may go at a time.

    Args:
        groups: every covered target of the pair that the version may go to now; a part of them would let several go at once. Others
            depend on the clock alone, and may be judged one by one.

    Raises:
        OthersNeeded: it is the turn of one of the covered targets, and they are not all there.
    """
    version, state, pair, now, wordy = asked.version, asked.state, asked.pair, asked.now, asked.wordy
    places, total = Places(pair, version.version_id), len(pair.targets)
    covered = any(group.covered for group in groups)
    pace = pace_of(pair, version.version_id, places) if covered else Pace(None, None, None, None)
    stopped = _stopped(pace.failed, version, state)
    goes_on = stopped is None and pace.running is None
    if asked.alone and goes_on and any(group.covered and group.free and group.start is not None for group in groups):
        raise OthersNeeded
    had = _had_turns(state, pair, version, pace) if covered else set()
    turn = _next(groups, places, had, pair, pace) if goes_on else None
    judged: dict[str, Turns] = {}
    for group in groups:
        shared: dict[tuple[datetime, ...], Turns] = {}
        waits = _all(group, _turn(state, version, pace.running, ""))
        stops = _all(group, stopped) if stopped is not None else ()
        early = _all(group, not_started(""))
        reached = _all(group, _timed(now, now, ""))
        last: dict[datetime | None, bool] = {}
        for one in group.resource_ids:
            where = f"It is number {places[one] + 1} of {total} in the rollout of {version.tag}" if wordy else ""
            paced = group.covered and one not in had
            if group.start is None:
                judged[one] = _all(group, not_started(where)) if wordy else early
            elif paced and stopped is not None:
                judged[one] = stops
            elif paced and (pace.running is not None or (group.free and one != turn)):
                judged[one] = _all(group, _turn(state, version, pace.running, where)) if wordy else waits
            else:
                since = pace.last_cleared_at if paced else None
                if since not in last:
                    # Where even the last place is due, as in every rollout that is over, nobody's place matters.
                    last[since] = all(at <= now for at in _due(group, group.start, total - 1, total, since))
                if last[since] and not wordy:
                    judged[one] = reached
                    continue
                due = _due(group, group.start, places[one], total, since)
                known = shared.get(due)
                if known is None or wordy:
                    rules = zip(group.rules, due, strict=True)
                    known = shared[due] = tuple((key, _timed(at, now, where)) for (key, _), at in rules)
                judged[one] = known
    return judged


def _had_turns(state: State, pair: Pair, version: Version, pace: Pace) -> set[str]:
    """Targets that need not wait for others: they were cleared for the version, or fall back to it from a newer one.

    A target that had the version, left it and now comes up to it again takes its turn anew. Only asked "is it in?", so that the order
    of the set reaches no fact.
    """
    had = set() if pace.opened is None else {pace.opened}
    for one in pair.jobs.get(version.version_id, ()):
        since = state.versions.get(pair.standings.get(one, NOWHERE).job_version)
        if since is None or since.rank >= version.rank:
            had.add(one)
    return had


def _due(group: Candidates, start: datetime, place: int, total: int, last_cleared_at: datetime | None) -> tuple[datetime, ...]:
    """When a target is due, by each rule."""
    due = []
    for _, body in group.rules:
        at = later(start, offset_of(body, place, total))
        due.append(at if last_cleared_at is None else max(at, later(last_cleared_at, step_of(body, total))))
    return tuple(due)


def _next(groups: Sequence[Candidates], places: Places, had: set[str], pair: Pair, pace: Pace) -> str | None:
    """The covered target that goes next: of each group the first one, since no later place is due earlier; of these the earliest."""
    firsts: list[tuple[datetime, int, str]] = []
    waiting_in = [
        (group, [one for one in group.resource_ids if one not in had])
        for group in groups
        if group.covered and group.free and group.start is not None
    ]
    everybody = [one for _, waiting in waiting_in for one in waiting]
    if len(everybody) <= 1:
        return everybody[0] if everybody else None
    for group, waiting in waiting_in:
        if waiting and group.start is not None:
            place, one = min((places[one], one) for one in waiting)
            firsts.append((max(_due(group, group.start, place, len(pair.targets), pace.last_cleared_at)), place, one))
    return min(firsts)[2] if firsts else None


def line_of(groups: Sequence[Candidates], version: Version, pair: Pair, now: datetime) -> dict[str, datetime]:
    """When each of the targets that follow one another goes if each passes at the instant at which it goes; in this order.

    Args:
        groups: covered and free, with a start; their targets are all that have not had their turn.
    """
    places, total, last = Places(pair, version.version_id), len(pair.targets), pair.paced.get(version.version_id)
    queues = [(group, group.start, sorted(group.resource_ids, key=places.__getitem__, reverse=True)) for group in groups]
    line: dict[str, datetime] = {}
    at = now
    while True:
        firsts = [
            (max(_due(group, start, places[ids[-1]], total, last)), places[ids[-1]], n)
            for n, (group, start, ids) in enumerate(queues)
            if ids and start is not None
        ]
        if not firsts:
            return line
        due, _, n = min(firsts)
        last = at = max(at, due)
        line[queues[n][2].pop()] = at


def _all(group: Candidates, finding: Finding) -> Turns:
    return tuple((key, finding) for key, _ in group.rules)


def not_started(where: str) -> Finding:
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
    facts = (job.position, *(check.position for check in job.checks))
    return Finding(
        "blocked",
        f"The rollout of {version.tag} stopped: on {state.resource_name(resource_id)} {failure_of(job)}.",
        ended_by=mended_by(job, version, state),
        facts=positions(facts),
    )


def failure_of(job: Job) -> str:
    """What went wrong with a job that failed, or whose verification did."""
    assert job.status not in ACTIVE, "a running job can not stop a rollout"
    if job.status == "successful":
        return "its verification failed"
    return f"its job ended as {job.status}" + (f" ({job.told})" if job.message else "")


def mended_by(job: Job | None, version: Version, state: State) -> str:
    """Who or what ends the stop of a rollout; `job` is the failed one, None where there is none."""
    deployment = state.deployments.get(version.deployment_id)
    every = deployment is not None and deployment.supersession == "every"
    otherwise = f"a person who rejects {version.tag}" if every else "a newer version"
    return f"{'a job agent for that target' if job is not None and job.found_no_agent else 'a person who mends that target'}, or {otherwise}"
