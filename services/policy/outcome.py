"""What a version came to on a target, and at which target its rollout goes no further."""

from __future__ import annotations

from typing import NamedTuple

from services.policy.state import NOWHERE, Job, Outcome, Pair, State


class Stop(NamedTuple):
    """Why a rollout goes no further: what a target came to.

    Attributes:
        job: the one that failed, or whose verification did or ended without a verdict; None where the version was only marked bad.
        marked: whether the version was marked bad there, so that nothing but the end of the mark lets it go on.
    """

    resource_id: str
    job: Job | None
    marked: bool

    @property
    def is_held(self) -> bool:
        """Whether nothing failed: a verification ended without a verdict."""
        return not self.marked and self.job is not None and self.job.outcome == "held"

    @property
    def rank(self) -> tuple[bool, bool, int, str]:
        """What tells the most comes first: a failure before what is only held, a job before a mark, then the earliest."""
        return (self.is_held, self.job is None, self.job.position if self.job is not None else 0, self.resource_id)


def outcome_of(pair: Pair, resource_id: str, version_id: str) -> tuple[Outcome, Job] | None:
    """What the newest dispatch of a version came to on a target; None when the rollout made no job there, or it counts no more.

    Several agents make several jobs of one attempt: all must pass. Jobs that returned to the version after a newer one failed say
    nothing about its rollout.
    """
    jobs = [job for job in pair.jobs_of(resource_id, version_id) if not job.rollback]
    if not jobs or (pair.standings and _is_over(pair, resource_id, version_id)):
        return None
    newest = jobs[-1]
    together = [job for job in jobs if (job.release_id, job.attempt) == (newest.release_id, newest.attempt)]
    for wanted in ("failed", "running", "held"):
        for job in together:
            if job.outcome == wanted:
                return job.outcome, job
    return "passed", newest


def stop_at(pair: Pair, resource_id: str, version_id: str, came_to: tuple[Outcome, Job] | None) -> Stop | None:
    """Why the rollout of a version goes no further because of a target; None where it may."""
    marked = version_id in pair.marks and version_id in pair.standings.get(resource_id, NOWHERE).bad
    if came_to is not None and came_to[0] in ("failed", "held"):
        return Stop(resource_id, came_to[1], marked)
    return Stop(resource_id, None, True) if marked else None


def marked_at(pair: Pair, version_id: str) -> Stop | None:
    """Of the targets that had a version and on which it is marked bad, the one that tells best why; None where there is none."""
    first: Stop | None = None
    for one in pair.jobs.get(version_id, ()) if version_id in pair.marks else ():
        if one in pair.targets and version_id in pair.standings.get(one, NOWHERE).bad:
            stop = stop_at(pair, one, version_id, outcome_of(pair, one, version_id))
            if stop is not None and (first is None or stop.rank < first.rank):
                first = stop
    return first


def may_go_back(state: State, pair: Pair, resource_id: str, leaving: Job) -> bool:
    """Whether an earlier release of a target is good, and no pin forbids it, so that a person can roll back to it."""
    if pair.pin_of(resource_id) is not None:
        return False
    bad = pair.standings.get(resource_id, NOWHERE).bad
    for version_id, by_resource in pair.jobs.items():
        version = state.versions.get(version_id)
        if version is None or version.status == "rejected" or version_id in bad:
            continue
        others = [job for job in by_resource.get(resource_id, ()) if job.release_id != leaving.release_id]
        if any(job.status == "successful" and job.verified for job in others):
            return True
    return False


def _is_over(pair: Pair, resource_id: str, version_id: str) -> bool:
    """Whether a person let a version go once more to a target that has left it: it is as if it had never been there."""
    standing = pair.standings.get(resource_id, NOWHERE)
    return version_id in standing.lifted and standing.job_version != version_id
