"""environmentProgression: has the version succeeded where it must succeed first?

One of the environments that the selector picks is enough. Each must reach the pass rate, then soak, and its last success must not be
too old. Everything is driven by events and exact instants; nothing is polled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.documents import environment_document
from contracts.shapes import EnvironmentProgression
from libs.cel import CelProblems, contexts
from services.policy.checks import against
from services.policy.finding import TICK, Finding, positions
from services.policy.instants import later, spoken
from services.policy.state import NOWHERE, Job, Pair, State, Successes, Version, pair_key

DEFAULT_STATUSES = frozenset({"successful"})
NO_SUCCESSES = Successes()


@dataclass(frozen=True, slots=True)
class Tally:
    """How a version did in one environment.

    Attributes:
        targets: release targets there now.
        tried: whether the version has any job on them.
        firsts: earliest success of each target that has one, ascending.
        newest: completion of the newest success of all.
        facts: positions of the newest successes.
        bad: on how many targets it failed and was marked bad.
        undecided: where only verified successes count, on how many its verification did not pass, or has no verdict, and a person decides.
    """

    targets: int
    tried: bool
    firsts: tuple[datetime, ...]
    newest: datetime | None
    facts: tuple[int, ...]
    bad: int = 0
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class Upstream:
    """What one environment says. `rank` orders the reasons when none is satisfied: the furthest one tells the most.

    Attributes:
        holds: whether it is satisfied, then since `since`, and until `until` (None: for ever).
        ready_at: when time alone will satisfy it; None when something must happen first.
        lost: whether so many targets went back that the version does not pass by itself.
        undecided: whether its verification did not pass somewhere, and a person decides.
    """

    name: str
    holds: bool
    rank: int
    message: str
    detail: str
    ended_by: str
    since: datetime | None = None
    until: datetime | None = None
    ready_at: datetime | None = None
    lost: bool = False
    undecided: bool = False
    facts: tuple[int, ...] = ()


Tallies = Callable[[Pair | None, str, frozenset[str], bool], Tally]


def judge_progression(
    body: EnvironmentProgression, version: Version, environment_id: str, state: State, now: datetime, tallies: Tallies
) -> Finding:
    """Look at every environment that shares a system with this one and that the selector picks.

    Args:
        tallies: counts (pair, version, statuses, verified); passed in so that a decision counts each environment once.
    """
    picked = picked_environments(body.depends_on_environment_selector, environment_id, state)
    if isinstance(picked, str):
        return Finding(
            "blocked", f"The rule's environment selector has no answer: {picked}", ended_by="a person who mends the rule"
        )
    if not picked:
        return Finding(
            "blocked",
            "No environment beside this one matches the rule's selector.",
            detail=f"No environment that shares a system with this one matches `{body.depends_on_environment_selector}`.",
            ended_by="an environment that matches, or a person who mends the rule",
        )
    return judge_picked(body, version, picked, state, now, tallies)


def judge_picked(
    body: EnvironmentProgression, version: Version, picked: Sequence[str], state: State, now: datetime, tallies: Tallies
) -> Finding:
    """What a rule says that picks these environments, at least one."""
    return _join(look_upstream(body, version, picked, state, now, tallies))


def is_enough(body: EnvironmentProgression, succeeded: int, targets: int) -> bool:
    """Whether the pass rate is reached on so many of an environment's targets."""
    minimum = body.minimum_success_percentage or 0.0
    return succeeded > 0 if minimum == 0 else succeeded * 100 >= minimum * targets


def look_upstream(
    body: EnvironmentProgression, version: Version, picked: Sequence[str], state: State, now: datetime, tallies: Tallies
) -> list[Upstream]:
    """What each of the environments that a rule picks says about a version, in their order."""
    statuses = DEFAULT_STATUSES if body.success_statuses is None else frozenset(body.success_statuses)
    seen = []
    for one in picked:
        pair = state.pairs.get(pair_key(version.deployment_id, one))
        tally = tallies(pair, version.version_id, statuses, body.require_verification_passed)
        seen.append(_judge_one(body, version, state.environment_name(one), tally, now))
    return seen


def picked_environments(selector: str, environment_id: str, state: State) -> tuple[str, ...] | str:
    """Environments that the selector picks, sorted; or what is wrong with it."""
    try:
        program = contexts.ENVIRONMENT.compile(selector)
    except CelProblems as problems:
        return str(problems)
    picked = []
    for one in state.environments_beside(environment_id):
        if one == environment_id:
            continue
        verdict = program.verdict(environment=environment_document(state.workspace_id, state.environments[one]))
        if verdict.is_error:
            return verdict.message or "it has no answer"
        if verdict.is_match:
            picked.append(one)
    return tuple(picked)


def may_pass(body: EnvironmentProgression, version: Version, environment_id: str, state: State) -> bool:
    """Whether the pass rate may be reached in any environment, without counting: False is certain, True is worth a look."""
    picked = picked_environments(body.depends_on_environment_selector, environment_id, state)
    if isinstance(picked, str) or body.success_statuses is not None:
        return True
    for one in picked:
        pair = state.pairs.get(pair_key(version.deployment_id, one))
        if pair is None or not pair.targets:
            return True
        known = pair.successes.get(version.version_id, NO_SUCCESSES)
        most = known.verified if body.require_verification_passed else known.jobs
        if most > 0 and most * 100 >= (body.minimum_success_percentage or 0.0) * len(pair.targets):
            return True
    return False


def count(pair: Pair | None, version_id: str, statuses: frozenset[str], verified: bool) -> Tally:
    """Count how a version did on the targets that a pair has now."""
    if pair is None or not pair.targets:
        return Tally(0, False, (), None, ())
    firsts: list[datetime] = []
    facts: list[int] = []
    newest: datetime | None = None
    tried = False
    bad = undecided = 0
    for resource_id, jobs in pair.jobs.get(version_id, {}).items():
        if resource_id not in pair.targets:
            continue
        tried = True
        is_bad = version_id in pair.standings.get(resource_id, NOWHERE).bad
        bad += is_bad
        first: datetime | None = None
        for job in jobs:
            at = job.completed_at
            if job.status not in statuses or at is None or (verified and not job.verified):
                continue
            first = at if first is None or at < first else first
            newest = at if newest is None or at > newest else newest
            facts.append(max(job.position, *(check.position for check in job.checks)) if job.checks else job.position)
        if first is not None:
            firsts.append(first)
        elif verified and not is_bad and is_undecided(jobs, statuses):
            undecided += 1
            facts += [check.position for check in jobs[-1].checks]
    return Tally(len(pair.targets), tried, tuple(sorted(firsts)), newest, positions(tuple(facts)), bad, undecided)


def is_undecided(jobs: Sequence[Job], statuses: frozenset[str]) -> bool:
    """Whether the newest job of a version on a target would count, were it not for its verification, which ended without passing."""
    return bool(jobs) and jobs[-1].status in statuses and against(jobs[-1]) is not None


def _judge_one(body: EnvironmentProgression, version: Version, name: str, tally: Tally, now: datetime) -> Upstream:
    if tally.targets == 0:
        said = f"{name} has no targets, so nothing is asked of it."
        return Upstream(name, True, 4, said, "", "", since=version.created_at, facts=positions((version.position,)))
    minimum = body.minimum_success_percentage or 0.0
    succeeded = len(tally.firsts)
    # A job counts once it is verified, so that is the word wherever the rule asks for it.
    done = "deployed and verified" if body.require_verification_passed else "deployed"
    if not is_enough(body, succeeded, tally.targets):
        asked = "at least one target" if minimum == 0 else f"{minimum:g} % of its targets"
        left = tally.targets - tally.bad
        if tally.bad and (left == 0 or left * 100 < minimum * tally.targets):
            return Upstream(
                name, False, 2,
                f"{version.tag} failed in {name} and was rolled back there: it does not pass by itself.",
                f"{version.tag} failed on {tally.bad} of {tally.targets} targets in {name} and was rolled back there; the rule asks for {asked}.",
                "a newer version, or a person who lifts the mark",
                lost=True, facts=tally.facts,
            )  # fmt: skip
        said, detail, ends = "", "", f"{version.tag} {done} on {asked} in {name}"
        if tally.undecided:
            said = " Its verification did not pass there, and a person decides."
            detail = f" On {tally.undecided} its verification did not pass or has no verdict, and a person decides."
            ends = f"a person who verifies {version.tag} again in {name}, redeploys it there or skips this rule, or {ends}"
        return Upstream(
            name, False, 2 if tally.tried else 1,
            f"{version.tag} must first be {done} in {name} ({asked}).{said}",
            f"{version.tag} is {done} on {succeeded} of {tally.targets} targets in {name}; the rule asks for {asked}.{detail}",
            ends, undecided=tally.undecided > 0,
            facts=tally.facts,
        )  # fmt: skip
    assert tally.newest is not None, "a success has an end"
    since = tally.firsts[0 if minimum == 0 else _kth(tally.targets, minimum, succeeded) - 1]
    soak = timedelta(minutes=body.minimum_soak_time_minutes or 0)
    if soak:
        soaked_at = later(tally.firsts[-1], soak)
        if now < soaked_at:
            left = -((now - soaked_at) // timedelta(minutes=1))
            return Upstream(
                name, False, 3,
                f"{version.tag} soaks in {name} for {body.minimum_soak_time_minutes} minutes after its last first success.",
                f"{version.tag} soaks in {name} until {spoken(soaked_at)}: {left} of {body.minimum_soak_time_minutes} minutes remain, "
                f"counted from {spoken(tally.firsts[-1])}.",
                f"the end of the soak time in {name}",
                ready_at=soaked_at, facts=tally.facts,
            )  # fmt: skip
        since = max(since, later(tally.newest, soak))
    until: datetime | None = None
    if body.maximum_age_hours:
        until = later(tally.newest, timedelta(hours=body.maximum_age_hours) + TICK)
        if now >= until:
            return Upstream(
                name, False, 2,
                f"The last success of {version.tag} in {name} is older than {body.maximum_age_hours} hours.",
                f"The last success of {version.tag} in {name} was at {spoken(tally.newest)}, more than {body.maximum_age_hours} hours ago.",
                f"a new success of {version.tag} in {name}",
                facts=tally.facts,
            )  # fmt: skip
    said = f"{version.tag} is {done} in {name}."
    detail = f"{version.tag} is {done} on {succeeded} of {tally.targets} targets in {name}."
    return Upstream(name, True, 4, said, detail, "", since=since, until=until, facts=tally.facts)


def _kth(targets: int, minimum: float, succeeded: int) -> int:
    """Which success, in time order, reached the percentage (1-based)."""
    return min(max(1, int(targets * minimum / 100 + 0.9999)), succeeded)


def _join(seen: list[Upstream]) -> Finding:
    """One satisfied environment suffices; else the one that is furthest speaks, and the earliest end of a soak is looked at."""
    holding = [one for one in seen if one.holds and one.since is not None]
    if holding:
        first = min(holding, key=lambda one: (one.since, one.name))
        untils = [one.until for one in holding]
        until = None if None in untils else max(one for one in untils if one is not None)
        return Finding(
            "allowed", first.message, detail=first.detail, satisfied_at=first.since, look_again_at=until,
            facts=positions(*(one.facts for one in holding)),
        )  # fmt: skip
    best = max(seen, key=lambda one: (one.rank, one.name))
    ready = [one.ready_at for one in seen if one.ready_at is not None]
    return Finding(
        "waiting", best.message, detail=" ".join(one.detail for one in seen),
        ended_by=" or ".join(dict.fromkeys(one.ended_by for one in seen)),
        look_again_at=min(ready, default=None),
        facts=positions(*(one.facts for one in seen)),
    )  # fmt: skip
