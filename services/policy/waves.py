"""gradualRollout in waves: a wave begins when the one before it runs the version healthily, and has done so for its soak time.

Inside a wave targets follow one another by the clock. A failure that makes the share of a wave impossible stops the rollout there, and so
do verifications without a verdict until a person decides. Waves
are not paced one target at a time where a verification or rollback rule applies: the wave is what is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest

from contracts.shapes import GradualRollout
from services.policy.finding import KEPT_FACTS, Finding, RuleKey, positions
from services.policy.instants import later, spoken
from services.policy.outcome import Stop, outcome_of, stop_at
from services.policy.rollout import LONGEST_S, Turns
from services.policy.state import NOWHERE, Job, Pair, State, Version
from services.policy.turn_findings import REACHED, facts_of, mended_by, not_started, what_stopped
from services.policy.wave_plan import Plan, plan_of


@dataclass(frozen=True, slots=True)
class Tally:
    """How a version does in a wave.

    Attributes:
        targets: of the wave; those that are pinned to another version are none of it.
        needed, healthy, failed, held: on how many of them it must run healthily, does, failed, and has no verdict.
        since: when the last one needed became healthy; None when some are missing, or none is needed.
        first: what tells best of those that are not healthy and will not be by themselves.
        facts: positions of the newest successes, or of the failure.
    """

    targets: int
    needed: int
    healthy: int
    failed: int
    held: int
    since: datetime | None
    first: Stop | None
    facts: tuple[int, ...]

    @property
    def passes(self) -> bool:
        return self.healthy >= self.needed

    @property
    def is_lost(self) -> bool:
        """Whether too many targets failed, or have no verdict, for the share to be reached by itself."""
        return self.targets - self.failed - self.held < self.needed


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rollout is.

    Attributes:
        begins: of each wave when it began, or will by time alone; None when something must happen first.
        tallies: of the waves up to the one that is waited for.
        stopped: whether the last of these is lost.
    """

    begins: tuple[datetime | None, ...]
    tallies: tuple[Tally, ...]
    stopped: bool


def judge_waves(
    rules: Sequence[tuple[RuleKey, GradualRollout]],
    start: datetime | None,
    version: Version,
    state: State,
    pair: Pair,
    now: datetime,
    resource_ids: Sequence[str],
    *,
    wordy: bool = False,
) -> dict[str, Turns]:
    """What rollouts in waves say about targets; those with the same verdicts share them.

    Args:
        start: when the first wave begins; None when approval or progression it starts with is not satisfied.
        wordy: also build the sentences of the moment, one per target.
    """
    told = [(key, _Teller(body, start, version, state, pair, now, wordy)) for key, body in rules]
    judged: dict[str, Turns] = {}
    joined: dict[tuple[int, ...], Turns] = {}
    for one in resource_ids:
        findings = [teller.finding(one) for _, teller in told]
        alike = tuple(id(finding) for finding in findings)
        turns = joined.get(alike)
        if turns is None or wordy:
            turns = joined[alike] = tuple((key, finding) for (key, _), finding in zip(told, findings, strict=True))
        judged[one] = turns
    return judged


def tally_of(plan: Plan, wave: int, pair: Pair, version_id: str) -> Tally:
    """Count how a version does in a wave."""
    jobs: Mapping[str, tuple[Job, ...]] = pair.jobs.get(version_id, {})
    targets, failed, held = 0, 0, 0
    healthy: list[tuple[datetime, int]] = []
    first: Stop | None = None
    for one in plan.members[wave]:
        pin = pair.pin_of(one)
        if pin is not None and pin.version_id != version_id:
            continue
        targets += 1
        came_to = outcome_of(pair, one, version_id) if one in jobs else None
        stop = stop_at(pair, one, version_id, came_to)
        if stop is not None:
            failed, held = failed + (not stop.is_held), held + stop.is_held
            if first is None or stop.rank < first.rank:
                first = stop
        elif came_to is not None and came_to[0] == "passed":
            healthy.append(_healthy_since(pair.jobs_of(one, version_id)))
    needed = plan.needed(wave, targets)
    healthy.sort()
    since = healthy[needed - 1][0] if 0 < needed <= len(healthy) else None
    facts = tuple(nlargest(KEPT_FACTS, (position for _, position in healthy)))
    return Tally(targets, needed, len(healthy), failed, held, since, first, facts)


def progress_of(plan: Plan, start: datetime, pair: Pair, version_id: str) -> Progress:
    """How far the rollout of a version is: wave by wave, up to the first one that is not through."""
    begins: list[datetime | None] = []
    tallies: list[Tally] = []
    at: datetime = start
    for wave, body in enumerate(plan.waves):
        begins.append(at)
        tally = tally_of(plan, wave, pair, version_id)
        tallies.append(tally)
        if tally.is_lost or not tally.passes:
            begins += [None] * (len(plan.waves) - len(begins))
            return Progress(tuple(begins), tuple(tallies), tally.is_lost)
        if tally.targets:
            since = at if tally.since is None else max(at, tally.since)
            at = later(since, timedelta(minutes=body.soak_minutes or 0))
    return Progress(tuple(begins), tuple(tallies), False)


def _healthy_since(jobs: Sequence[Job]) -> tuple[datetime, int]:
    """When a target that is healthy first was, with the position that says so."""
    times: list[tuple[datetime, int]] = []
    for job in jobs:
        if job.rollback or job.outcome != "passed" or job.completed_at is None:
            continue
        ends = [check.ended_at for check in job.checks if check.ended_at is not None]
        times.append((max(job.completed_at, *ends) if ends else job.completed_at, job.position))
    assert times, "a target is healthy by a job that passed"
    return min(times)


class _Teller:
    """One rule's findings about targets; equal ones are built once."""

    def __init__(
        self, body: GradualRollout, start: datetime | None, version: Version, state: State, pair: Pair, now: datetime, wordy: bool
    ) -> None:
        self._body, self._version, self._state, self._pair, self._now, self._wordy = body, version, state, pair, now, wordy
        self._plan = plan_of(body, state, pair, version.version_id)
        self._progress = progress_of(self._plan, start, pair, version.version_id) if start is not None else None
        self._jobs: Mapping[str, tuple[Job, ...]] = pair.jobs.get(version.version_id, {})
        self._known: dict[tuple[int, datetime | None], Finding] = {}
        self._reached = Finding("allowed", REACHED)
        self._early = not_started("")
        self._broken: dict[tuple[int, str], Finding] = {}

    def finding(self, one: str) -> Finding:
        """What the rule says about a target."""
        wave, place = self._plan.where[one]
        if self._had_turn(one):
            return self._reached
        error = self._plan.errors.get(one)
        if error is not None:
            return self._broken.setdefault((wave, error), self._unreadable(wave, error))
        if self._progress is None:
            return not_started(self._place(wave, place)) if self._wordy else self._early
        stops = self._progress.stopped and wave >= len(self._progress.tallies) - 1
        begins = self._progress.begins[wave]
        due: datetime | None = None
        if not stops and begins is not None:
            due = later(begins, timedelta(seconds=min(place * self._body.time_scale_interval, LONGEST_S)))
            if due <= self._now and not self._wordy:
                return self._reached
        key = (wave, due)
        known = self._known.get(key)
        if known is None or self._wordy:
            if stops:
                known = self._stopped()
            elif due is None:
                known = self._waits(wave, place)
            else:
                known = self._timed(wave, place, due)
            self._known[key] = known
        return known

    def _had_turn(self, one: str) -> bool:
        """Whether a target need not wait: it has a job of the version already, or falls back to it from a newer one."""
        if one not in self._jobs:
            return False
        last = self._state.versions.get(self._pair.standings.get(one, NOWHERE).job_version)
        return last is None or last.rank >= self._version.rank

    def _place(self, wave: int, place: int) -> str:
        return f"It is number {place + 1} of {len(self._plan.members[wave])} in {self._plan.labels[wave]}"

    def _unreadable(self, wave: int, error: str) -> Finding:
        return Finding(
            "blocked",
            f"Whether this target belongs to {self._plan.labels[wave]} can not be told, so it stays where it is: {error}",
            ended_by="a person who mends the selector of that wave",
        )

    def _timed(self, wave: int, place: int, due: datetime) -> Finding:
        label, where = self._plan.labels[wave], self._place(wave, place)
        if due <= self._now:
            return Finding("allowed", REACHED, detail=f"{where}, due since {spoken(due)}." if self._wordy else "")
        detail = ""
        assert self._progress is not None
        begins = self._progress.begins[wave]
        if self._wordy:
            detail = f"{where}, due at {spoken(due)}."
            if begins is not None and self._now < begins and wave > 0:
                detail += f" Until {spoken(begins)} {self._plan.labels[wave - 1]} soaks."
        return Finding(
            "waiting",
            f"The rollout has not reached this target yet: it goes in {label}.",
            detail=detail,
            ended_by=f"its turn in {label}",
            look_again_at=due,
            facts=positions(*(tally.facts for tally in self._progress.tallies[:wave])),
        )

    def _waits(self, wave: int, place: int) -> Finding:
        assert self._progress is not None
        awaited = len(self._progress.tallies) - 1
        tally = self._progress.tallies[awaited]
        tag, label = self._version.tag, self._plan.labels[awaited]
        on = f"{_of(tally.needed, tally.targets)} of {label}"
        soak = self._plan.waves[awaited].soak_minutes
        lasts = f", and has done so for {soak} minutes" if soak else ""
        comes = f"{self._plan.labels[wave]}, which begins"
        if wave > awaited + 1:
            comes = f"{self._plan.labels[wave]}; {self._plan.labels[awaited + 1]} begins"
        what = f"once {tag} runs healthily on {on}{lasts}."
        detail = ""
        if self._wordy:
            place_there = f"It is number {place + 1} of {len(self._plan.members[wave])} in {comes} {what}"
            detail = f"{place_there} So far it does on {tally.healthy}."
        return Finding(
            "waiting",
            f"This target is in {comes} {what}",
            detail=detail,
            ended_by=f"{tag} deployed and verified on {on}",
            facts=positions(tally.facts),
        )

    def _stopped(self) -> Finding:
        assert self._progress is not None
        wave = len(self._progress.tallies) - 1
        tally = self._progress.tallies[wave]
        stop, tag = tally.first, self._version.tag
        assert stop is not None, "a wave is lost by its failures"
        share = "" if tally.needed == tally.targets else f" It must run healthily on {_of(tally.needed, tally.targets)} there."
        return Finding(
            "blocked",
            f"The rollout of {tag} {'is held' if stop.is_held else 'stopped'} in {self._plan.labels[wave]}: "
            f"on {self._state.resource_name(stop.resource_id)} {what_stopped(stop)}.{share}",
            ended_by=mended_by(stop, self._version, self._state),
            facts=facts_of(stop),
        )


def _of(needed: int, targets: int) -> str:
    if needed == targets:
        return "the one target" if targets == 1 else f"all {targets} targets"
    return f"{needed} of the {targets} targets"
