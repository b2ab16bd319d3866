"""gradualRollout: targets follow one another in time, each at its place.

A target is covered when a verification or rollback rule applies to it: then it goes only when every target before it has passed its
job and its verification, one at a time; a failure stops the rollout, and a verification without a verdict holds it. Otherwise the clock
alone decides, until the version is marked bad on a target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.shapes import GradualRollout
from services.policy.finding import Finding, RuleKey
from services.policy.instants import later
from services.policy.order import Places
from services.policy.outcome import Stop, marked_at, outcome_of, stop_at
from services.policy.state import NOWHERE, Pair, State, Version
from services.policy.turn_findings import not_started, stopped_by, timed, turn_of

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
    """How far a rollout is: what stops or holds it, and who is under way (both None: it may go on).

    Attributes:
        opened: of the targets that wait for others, are cleared and have no job yet the one that may get it. There are several only
            when a rollout came to wait for what the targets before come to after they were cleared. It keeps its turn when a target
            that waits for nobody goes meanwhile; whatever stops the rollout takes it.
    """

    stop: Stop | None
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


def pace_of(asked: Question, places: Places) -> Pace:
    """How far the rollout of a version in an environment is; targets that vanished count no more."""
    pair, version_id = asked.pair, asked.version.version_id
    stop: Stop | None = None
    running: str | None = None
    under_way: list[str] = []
    for one in pair.jobs.get(version_id, {}):
        if one not in pair.targets:
            continue
        came_to = outcome_of(pair, one, version_id)
        here = stop_at(pair, one, version_id, came_to)
        if here is not None and (stop is None or here.rank < stop.rank):
            stop = here
        elif here is None and came_to is not None and came_to[0] == "running":
            under_way.append(one)
    open_ = [one for one, cleared in pair.open.items() if cleared == version_id and one in pair.targets]
    open_ = [one for one in open_ if not _runs(pair, one, version_id)]
    if under_way:
        running = min(under_way)
    elif open_:
        running = min(open_, key=places.__getitem__)
    opened: str | None = None
    if open_ and stop is None and not any(asked.in_line(one) for one in under_way):
        turns = [one for one in open_ if not _had_it(asked, one) and asked.in_line(one)]
        opened = min(turns, key=places.__getitem__, default=None)
    return Pace(stop, running, opened, pair.paced.get(version_id))


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
        in_line: whether a target waits for the targets before it.
        wordy: also build the sentences of the moment, one per target.
        alone: the candidates may be only some of the covered targets.
        going: a target that no rollout holds and that goes now, as do the candidates that wait for nobody; None for none.
    """

    version: Version
    state: State
    pair: Pair
    now: datetime
    in_line: Callable[[str], bool]
    wordy: bool = False
    alone: bool = False
    going: str | None = None


def judge_line(groups: Sequence[Candidates], asked: Question) -> dict[str, Turns]:
    """Judge what rollouts that are not in waves say; the candidates together, since only one covered target may go at a time.

    Nobody is given a turn while another target goes, be it one that goes at this very instant: it would be under way at once.

    Args:
        groups: every covered target of the pair that the version may go to now; a part of them would let several go at once. Others
            depend on the clock alone, and may be judged one by one.

    Raises:
        OthersNeeded: it is the turn of one of the covered targets, and they are not all there.
    """
    version, state, pair, now, wordy = asked.version, asked.state, asked.pair, asked.now, asked.wordy
    places, total = Places(pair, version.version_id), len(pair.targets)
    covered = any(group.covered for group in groups)
    pace = pace_of(asked, places) if covered else Pace(None, None, None, None)
    stopped = stopped_by(pace.stop, version, state)
    # Where the clock alone decides a failure stops nobody, but a version that was marked bad somewhere goes to no further target.
    marked = stopped_by(marked_at(pair, version.version_id), version, state)
    had = _had_turns(asked, pace) if covered or marked is not None else set()
    running = pace.running
    if covered and stopped is None and running is None:
        running = asked.going or _goes_now(groups, asked, places, had)
    goes_on = stopped is None and running is None
    if asked.alone and goes_on and any(group.covered and group.free and group.start is not None for group in groups):
        raise OthersNeeded
    turn = _next(groups, places, had, pair, pace) if goes_on else None
    judged: dict[str, Turns] = {}
    for group in groups:
        shared: dict[tuple[datetime, ...], Turns] = {}
        waits = _all(group, turn_of(state, version, running, ""))
        against = stopped if group.covered else marked
        stops = _all(group, against) if against is not None else ()
        early = _all(group, not_started(""))
        reached = _all(group, timed(now, now, ""))
        last: dict[datetime | None, bool] = {}
        for one in group.resource_ids:
            where = f"It is number {places[one] + 1} of {total} in the rollout of {version.tag}" if wordy else ""
            paced = group.covered and one not in had
            if group.start is None:
                judged[one] = _all(group, not_started(where)) if wordy else early
            elif against is not None and one not in had:
                judged[one] = stops
            elif paced and (running is not None or (group.free and one != turn)):
                judged[one] = _all(group, turn_of(state, version, running, where)) if wordy else waits
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
                    known = shared[due] = tuple((key, timed(at, now, where)) for (key, _), at in rules)
                judged[one] = known
    return judged


def _had_turns(asked: Question, pace: Pace) -> set[str]:
    """Targets that need not wait for others: they were cleared for the version, or fall back to it from a newer one.

    Only asked "is it in?", so that the order of the set reaches no fact.
    """
    had = set() if pace.opened is None else {pace.opened}
    had.update(one for one in asked.pair.jobs.get(asked.version.version_id, ()) if _had_it(asked, one))
    return had


def _had_it(asked: Question, one: str) -> bool:
    """Whether a target got a job of the version, and has gone no lower since: one that left it and comes up again takes its turn anew."""
    if one not in asked.pair.jobs.get(asked.version.version_id, ()):
        return False
    since = asked.state.versions.get(asked.pair.standings.get(one, NOWHERE).job_version)
    return since is None or since.rank >= asked.version.rank


def _goes_now(groups: Sequence[Candidates], asked: Question, places: Places, had: set[str]) -> str | None:
    """A target that waits for nobody and goes at this instant; of each group the first one tells, since no later place is due earlier."""
    total = len(asked.pair.targets)
    for group in groups:
        if not group.free or group.start is None:
            continue
        ids = [one for one in group.resource_ids if one in had] if group.covered else group.resource_ids
        first = min(ids, key=places.__getitem__, default=None)
        if first is not None and all(at <= asked.now for at in _due(group, group.start, places[first], total, None)):
            return first
    return None


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
