"""When successes that are to come change what a progression rule says: most change nothing, as long as the pass rate is not reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from services.policy.finding import Finding
from services.policy.forecast_near import Watch
from services.policy.forecast_turns import Line
from services.policy.gate import Judge
from services.policy.progression import DEFAULT_STATUSES, Tally, is_enough, judge_picked
from services.policy.state import Pair, Version, pair_key

Turn = tuple[datetime, str, str]
"""Instant, resource and pair of a success."""


def first_change(judge: Judge, watches: Sequence[Watch], lines: Mapping[str, Line], end: datetime | None) -> datetime | None:
    """The first instant before `end` at which any rule says something else because of these turns, and the time they come at."""
    found = [end] if end is not None else []
    for watch in watches:
        deployment_id = judge.state.pairs[watch.key].deployment_id
        picked = {pair_key(deployment_id, one) for one in watch.picked}
        versions = {line.version.version_id: line.version for key, line in sorted(lines.items()) if key in picked}
        for version in versions.values():
            turns = sorted(
                (at, one, key)
                for key, line in lines.items()
                if key in picked and line.version.version_id == version.version_id
                for at, one in line.turns
                if not found or at < min(found)
            )
            if turns and (change := _change(judge, watch, version, turns)) is not None:
                found.append(change)
    return min(found, default=None)


def _change(judge: Judge, watch: Watch, version: Version, turns: Sequence[Turn]) -> datetime | None:
    body, state = watch.body, judge.state
    statuses = DEFAULT_STATUSES if body.success_statuses is None else frozenset(body.success_statuses)
    if "successful" not in statuses:
        return None
    verified = body.require_verification_passed
    keys = sorted({key for _, _, key in turns})
    tallies = {key: judge.tally(state.pairs[key], version.version_id, statuses, verified) for key in keys}
    firsts = {key: list(tally.firsts) for key, tally in tallies.items()}
    newest = {key: tally.newest for key, tally in tallies.items()}

    def counted(pair: Pair | None, version_id: str, statuses: frozenset[str], verified: bool) -> Tally:
        if pair is None or pair.key not in tallies:
            return judge.tally(pair, version_id, statuses, verified)
        key = pair.key
        return replace(tallies[key], tried=True, firsts=tuple(firsts[key]), newest=newest[key], facts=())

    says = judge_picked(body, version, watch.picked, state, judge.now, judge.tally)
    at: datetime
    for at, together in groupby(turns, key=lambda one: one[0]):
        if says.look_again_at is not None and says.look_again_at <= at:
            return says.look_again_at
        for _, one, key in together:
            newest[key] = at
            if not _succeeded(state.pairs[key], one, version.version_id, statuses, verified):
                firsts[key].append(at)
        if _is_awaited(says) and not any(is_enough(body, len(firsts[key]), tallies[key].targets) for key in keys):
            continue
        before, says = says, judge_picked(body, version, watch.picked, state, at, counted)
        if (says.verdict, says.satisfied_at) != (before.verdict, before.satisfied_at):
            return at
    return says.look_again_at


def _is_awaited(says: Finding) -> bool:
    """Whether the rule waits for successes, and not for the end of a soak time."""
    return says.verdict == "waiting" and says.look_again_at is None


def _succeeded(pair: Pair, resource_id: str, version_id: str, statuses: frozenset[str], verified: bool) -> bool:
    """Whether a version succeeded on a target before."""
    return any(
        job.status in statuses and job.completed_at is not None and (job.verified or not verified)
        for job in pair.jobs_of(resource_id, version_id)
    )
