"""retry: may a failed job be made again, and when?

A retry is a clearance of the version that the target has already, given after its job ended: it makes dispatcher try the same release
once more. All other rules are asked as for a first time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from contracts.shapes import ACTIVE, Retry
from services.policy.finding import Finding, positions
from services.policy.instants import lasting, later, spoken
from services.policy.state import NOWHERE, Job, Pair, Version

DEFAULT_STATUSES: Final = frozenset({"failure", "invalidIntegration", "invalidJobAgent"})
_LONGEST_S: Final = 10_000 * 366 * 24 * 3600


class Attempt(NamedTuple):
    """What one dispatch of a release came to; several agents make several jobs of it."""

    statuses: frozenset[str]
    ended_at: datetime | None
    position: int


def statuses_of(body: Retry) -> frozenset[str]:
    """Which ends of a job a rule retries."""
    return DEFAULT_STATUSES if body.retry_on_statuses is None else frozenset(body.retry_on_statuses)


def failed_attempts(pair: Pair, resource_id: str, version_id: str) -> tuple[Attempt, ...]:
    """The newest dispatches of the release that a target should have, newest first, back to where another release came between.

    Empty unless the newest one ended without success and may be made again: a return to an older release is not, nor a dispatch that
    found no agent, which goes on when there is one.
    """
    standing = pair.standings.get(resource_id, NOWHERE)
    desired, jobs = standing.desired, pair.jobs_of(resource_id, version_id)
    if desired is None or desired.rollback or desired.version_id != version_id or standing.job_version != version_id or not jobs:
        return ()
    newest = jobs[-1]
    if newest.release_id != desired.release_id or newest.rollback or newest.found_no_agent or newest.status in ACTIVE:
        return ()
    groups: list[list[Job]] = []
    oldest = _came_between(pair, resource_id, version_id)
    for job in reversed(jobs):
        if job.release_id != newest.release_id or job.rollback or job.made_at < oldest:
            break
        if groups and groups[-1][0].attempt == job.attempt:
            groups[-1].append(job)
        elif not job.found_no_agent:
            groups.append([job])
    attempts = tuple(_attempt(group) for group in groups)
    failed = attempts[0].statuses - {"successful"}
    return attempts if failed and not failed & ACTIVE else ()


def judge_retry(
    body: Retry,
    version: Version,
    attempts: Sequence[Attempt],
    now: datetime,
    *,
    returns: bool = False,
    returning: bool = False,
) -> Finding:
    """Count the attempts that failed in a row, and pause before the next.

    Args:
        attempts: newest first, at least one.
        returns: whether the target returns to its last good release when no retry follows.
        returning: whether it was decided that it does.
    """
    counted: list[Attempt] = []
    for attempt in attempts:
        if not attempt.statuses & statuses_of(body):
            break
        counted.append(attempt)
    facts = positions(tuple(attempt.position for attempt in counted))
    number, most = len(counted), body.max_retries
    if number > most or returning:
        said = f"{most} of {most} retries are used up" if most else "the rule allows no retry"
        said = said if number > most else "no retry is made"
        return Finding(
            "blocked",
            f"{version.tag} failed here, and {said}{': it is rolled back' if returning else ''}.",
            ended_by=f"{'the rollback, ' if returning else ''}a person who redeploys {version.tag}, or a newer version",
            facts=facts,
        )
    if not counted:
        return Finding("allowed", "The rule does not count how the job ended.")
    ended = max(attempt.ended_at for attempt in counted if attempt.ended_at is not None)
    pause = pause_of(body, number)
    due = later(ended, pause)
    if now < due:
        after = " It is rolled back after the last attempt." if returns else ""
        return Finding(
            "waiting",
            f"{version.tag} failed here; retry {number} of {most} is made at {spoken(due)}.{after}",
            detail=f"{version.tag} failed here at {spoken(ended)}; retry {number} of {most} is made at {spoken(due)}, "
            f"in {lasting(due - now)}.{after}",
            ended_by=f"retry {number} of {most} at {spoken(due)}, or a newer version",
            look_again_at=due,
            facts=facts,
        )
    return Finding("allowed", f"Retry {number} of {most} of {version.tag} is due.", satisfied_at=due, facts=facts)


def pause_of(body: Retry, number: int) -> timedelta:
    """How long after a failure the retry of this number (from 1) is made."""
    base = body.backoff_seconds or 0
    if body.backoff_strategy == "exponential":
        base *= 2 ** min(number - 1, 64)
        if body.max_backoff_seconds is not None and body.max_backoff_seconds > 0:
            base = min(base, body.max_backoff_seconds)
    return timedelta(seconds=min(base, _LONGEST_S))


def _attempt(jobs: Sequence[Job]) -> Attempt:
    ends = [job.completed_at for job in jobs if job.completed_at is not None]
    return Attempt(frozenset(job.status for job in jobs), max(ends, default=None), max(job.position for job in jobs))


def _came_between(pair: Pair, resource_id: str, version_id: str) -> int:
    """Where the newest job of another version on the target was made."""
    others = (by_resource.get(resource_id, ()) for other, by_resource in pair.jobs.items() if other != version_id)
    return max((jobs[-1].made_at for jobs in others if jobs), default=0)
