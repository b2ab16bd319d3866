"""What is measured is not there any more: another release runs on the target, or the target is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobStatusChanged
from contracts.facts.planner import TargetsChanged
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import VerificationCancelled, VerificationStarted, WatchEnded
from libs.runtime.service import Draft
from services.verifier.about import about_of
from services.verifier.ending import dropped
from services.verifier.state import KnownJob, Running, State, target_key
from services.verifier.watching import watch_ended

OVERTAKEN: Final = "Another release runs on the target."
GONE: Final = "The target is gone."


def cancellations(state: State, recorded: Sequence[Recorded], now: datetime) -> list[Draft]:
    """End what is measured where another release began to run, or where the target vanished."""
    ended: dict[str, Draft] = {}
    for one in recorded:
        for verification_id, reason in _ended(state, one):
            if verification_id not in ended:
                ended[verification_id] = Draft(cancelled(state.running[verification_id], reason, now), one)
    return list(ended.values())


def cancelled(running: Running, reason: str, now: datetime) -> VerificationCancelled | WatchEnded:
    """The end of a verification without a verdict; of one that had passed, the end of its watch."""
    if running.watched_until is not None:
        return watch_ended(running, now, reason)
    about = about_of(running.fact, running.fact.verification_id)
    return VerificationCancelled(**about, reason=reason, finished_at=now, dropped=dropped(running))


def overtaken(state: State, key: str, job_id: str, release_id: str) -> bool:
    """Whether a job of another release, newer than this one, has begun to run on the target."""
    return any(job.begun and job.release_id != release_id for job in _newer(state.jobs.get(key, ()), job_id))


def gone(state: State, fact: VerificationRequired | VerificationStarted) -> bool:
    """Whether the target is not there any more, or what makes it."""
    return (
        fact.resource_id not in state.resources
        or fact.environment_id not in state.environments
        or fact.deployment_id not in state.deployments
        or state.is_dropped(fact.resource_id, fact.environment_id, fact.deployment_id)
    )


def _ended(state: State, one: Recorded) -> Iterator[tuple[str, str]]:
    match one.fact:
        case JobStatusChanged() as fact:
            key = target_key(fact.resource_id, fact.environment_id, fact.deployment_id)
            for verification_id in _running_on(state, key):
                about = state.running[verification_id].fact
                if about.release_id != fact.release_id and overtaken(state, key, about.job_id, about.release_id):
                    yield verification_id, OVERTAKEN
        case TargetsChanged() as fact:
            for resource_id in fact.removed:
                for verification_id in _running_on(state, target_key(resource_id, fact.environment_id, fact.deployment_id)):
                    yield verification_id, GONE
        case _:
            return


def _running_on(state: State, key: str) -> Iterator[str]:
    return (one for one in state.by_target.get(key, ()) if one in state.running)


def _newer(jobs: Sequence[KnownJob], job_id: str) -> Iterator[KnownJob]:
    """Jobs of a target that were made after one of them; all that are known when that one is not known any more."""
    for job in jobs:
        if job.job_id == job_id:
            return
        yield job
