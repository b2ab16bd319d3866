"""What was tried on each target and how it went: enough to know its last good release, and which versions are marked bad there.

It outlives the target, since a target that comes back has its history again, and ends with the resource, deployment or environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from immutables import Map

from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.planner import RollbackStarted
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import VerificationStarted
from contracts.shapes import ACTIVE, JobStatus

RECENT_RUNS: Final = 4
"""The newest runs of a target are kept whatever they came to, so that it is known what a late verdict or rollback is about."""
GOOD_RUNS: Final = 5
"""So many good releases of a target are kept; a rollback past that many marked or rejected ones finds nothing."""


Outcome = Literal["open", "passed", "failed", "none"]
"""What a verification came to: `open` while it is required or runs; `none` when it ended without a verdict."""


class Check(NamedTuple):
    """A verification of a job, required by one rule: the newest of them, where it was begun again.

    `verification_id` is empty until it started.
    """

    rule_id: str
    verification_id: str = ""
    outcome: Outcome = "open"


@dataclass(frozen=True, slots=True)
class Run:
    """One job of a release on a target.

    Attributes:
        rollback: it was made to undo a bad version.
        succeeded: the job's status is successful.
        failed: the job ended in another way.
        checks: its verifications, one for each rule.
    """

    job_id: str
    release_id: str
    version_id: str
    rollback: bool = False
    succeeded: bool = False
    failed: bool = False
    checks: tuple[Check, ...] = ()

    @property
    def good(self) -> bool:
        """The job succeeded, and its verification passed or there was none."""
        return self.succeeded and all(check.outcome == "passed" for check in self.checks)

    @property
    def bad(self) -> bool:
        """The job or a verification of it failed."""
        return self.failed or any(check.outcome == "failed" for check in self.checks)

    @property
    def awaited(self) -> bool:
        """It may still become good or bad by itself."""
        return not self.bad and (not self.succeeded or any(check.outcome == "open" for check in self.checks))


@dataclass(frozen=True, slots=True)
class Past:
    """The history of one target.

    Attributes:
        runs: in the order in which their jobs were made; bounded.
        marked: versions that a rollback marked bad here. Only a person ends a mark.
    """

    runs: tuple[Run, ...] = ()
    marked: frozenset[str] = frozenset()


Pasts = Map[str, Map[str, Past]]
"""By deployment and environment (`past_key`), then by resource id."""

NO_PASTS: Final[Map[str, Past]] = Map()
NO_PAST: Final = Past()


def past_key(deployment_id: str, environment_id: str) -> str:
    """The key of a deployment in an environment."""
    return f"{deployment_id}/{environment_id}"


def with_past(pasts: Pasts, key: str, resource_id: str, past: Past) -> Pasts:
    """Put the history of a target."""
    return pasts.set(key, pasts.get(key, NO_PASTS).set(resource_id, past))


def without_resource(pasts: Pasts, resource_id: str, keys: Iterable[str]) -> Pasts:
    """Forget a resource that was deleted; its id never returns. `keys` are of the pairs in which it may have a past."""
    for key in keys:
        of_pair = pasts.get(key, NO_PASTS)
        if resource_id in of_pair:
            left = of_pair.delete(resource_id)
            pasts = pasts.set(key, left) if left else pasts.delete(key)
    return pasts


def begun(past: Past, job: JobCreated) -> Past:
    """The history after a job was made."""
    run = _moved(Run(job.job_id, job.release_id, job.version_id, job.rollback), job.status)
    return Past(_bounded((*past.runs, run)), past.marked)


def moved(past: Past, job: JobStatusChanged) -> Past:
    """The history after a job's status changed. One that was let go and now succeeded is the newest that did."""
    if job.status == "successful" and not any(run.job_id == job.job_id for run in past.runs):
        return Past(_bounded((*past.runs, Run(job.job_id, job.release_id, job.version_id, succeeded=True))), past.marked)
    return _changed(past, job.job_id, lambda run: _moved(run, job.status))


def verification_required(past: Past, required: VerificationRequired) -> Past:
    """The history after a verification was required for a job."""
    rule_id = required.rule_id

    def change(run: Run) -> Run:
        known = any(check.rule_id == rule_id for check in run.checks)
        return run if known else replace(run, checks=(*run.checks, Check(rule_id)))

    return _changed(past, required.job_id, change)


def verification_started(past: Past, started: VerificationStarted) -> Past:
    """The history after a verification began, for the first time or again: what an earlier one came to counts no more."""
    newest = Check(started.rule_id, started.verification_id)

    def change(run: Run) -> Run:
        others = (check for check in run.checks if check.rule_id != newest.rule_id)
        return replace(run, checks=(*others, newest))

    return _changed(past, started.job_id, change)


def verification_ended(past: Past, job_id: str, verification_id: str, outcome: Outcome) -> Past:
    """The history after a verification of a job came to something, or to something else than before."""

    def change(run: Run) -> Run:
        ended = (one._replace(outcome=outcome) if one.verification_id == verification_id else one for one in run.checks)
        return replace(run, checks=tuple(ended))

    return _changed(past, job_id, change)


def marked(past: Past, rolled_back: RollbackStarted) -> Past:
    """The history after a rollback. One to another release of the same version marks nothing: that version is good."""
    left = () if rolled_back.version_id == rolled_back.to_version_id else (rolled_back.version_id,)
    return replace(past, marked=past.marked.union(left, rolled_back.also_marked))


def unmarked(past: Past, version_id: str) -> Past:
    """The history after a person wanted the version all the same."""
    return replace(past, marked=past.marked - {version_id}) if version_id in past.marked else past


def last_good(past: Past, allowed: Callable[[Run], bool]) -> Run | None:
    """The newest run whose release is good and that is allowed; the newest job that ended decides over its release."""
    return next((run for run in _good_releases(past.runs) if allowed(run)), None)


def _good_releases(runs: tuple[Run, ...]) -> Iterator[Run]:
    judged: set[str] = set()
    for run in reversed(runs):
        if run.release_id not in judged and run.good:
            yield run
        if run.good or run.bad:
            judged.add(run.release_id)


def _moved(run: Run, status: JobStatus) -> Run:
    succeeded = status == "successful"
    failed = not succeeded and status not in ACTIVE
    if (succeeded, failed) == (run.succeeded, run.failed):
        return run
    return replace(run, succeeded=succeeded, failed=failed)


def _changed(past: Past, job_id: str, change: Callable[[Run], Run]) -> Past:
    runs = tuple([change(run) if run.job_id == job_id else run for run in past.runs])
    return past if runs == past.runs else Past(_bounded(runs), past.marked)


def _bounded(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    if len(runs) <= RECENT_RUNS:
        return runs
    kept = {run.job_id for run in runs[-RECENT_RUNS:]}
    kept.update(run.job_id for run in list(_good_releases(runs))[:GOOD_RUNS])
    kept.update(run.job_id for run in runs if run.awaited)
    return tuple(run for run in runs if run.job_id in kept)
