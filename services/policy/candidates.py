"""Which versions a target may take at all, before any policy is asked: its status, its marks, and what it has already."""

from __future__ import annotations

from enum import Enum, auto

from services.policy.finding import Finding, positions
from services.policy.instants import spoken
from services.policy.state import NOWHERE, Pair, Standing, Version


class Step(Enum):
    """What to do about a version on a target, on the way from the newest version down."""

    SETTLED = auto()
    """It is on its way or there: nothing to decide, and no older version matters."""
    MARKED = auto()
    """It failed there and was marked bad; look further down."""
    STUCK = auto()
    """It was marked bad, and there is nothing good to return to: the target stays, and waits for a newer version."""
    UNFIT = auto()
    """Its status forbids it; look further down."""
    RUNS = auto()
    """It runs there already, so no rule is asked."""
    CHANGED = auto()
    """It runs there, and is wanted with other variables: the rules decide when, and no older version goes instead."""
    OPEN = auto()
    """The rules decide."""


def step_for(pair: Pair, resource_id: str, version: Version) -> Step:
    """What to do about a version on a target."""
    standing = pair.standings.get(resource_id)
    if standing is None:
        return Step.OPEN if version.status == "ready" else Step.UNFIT
    desired = standing.desired
    wanted = desired is not None and desired.version_id == version.version_id
    if version.version_id in standing.bad:
        return Step.STUCK if wanted else Step.MARKED
    if not is_fit(pair, resource_id, version):
        return Step.UNFIT
    if wanted and desired is not None and (desired.rollback or pair.is_used(resource_id, standing)):
        return Step.SETTLED
    if standing.current is not None and standing.current.version_id == version.version_id:
        anew = wanted and desired is not None and desired.release_id != standing.current.release_id
        return Step.CHANGED if anew else Step.RUNS
    return Step.OPEN


def is_fit(pair: Pair, resource_id: str, version: Version) -> bool:
    """Whether a version's status lets it go to a target: it is ready, or paused and has a release there."""
    if version.status == "ready":
        return True
    return version.status == "paused" and _has_release(pair, pair.standings.get(resource_id, NOWHERE), resource_id, version)


def unfit(version: Version) -> Finding:
    """Why a version's status forbids it."""
    if version.status == "paused":
        message = f"{version.tag} is paused: it goes to no further target."
    else:
        message = f"{version.tag} is {version.status}: only versions that are ready are deployed."
    return Finding(
        "blocked", message, ended_by=f"a person or CI who sets {version.tag} to ready", facts=positions((version.position,))
    )


def fit_again(version: Version) -> Finding:
    """Recorded where the status of a version forbade it before."""
    return Finding("allowed", f"{version.tag} is {version.status}.", facts=positions((version.position,)))


def marked(pair: Pair, resource_id: str, version: Version) -> Finding:
    """Why a marked version does not return to the target, or why it stays there."""
    jobs = pair.jobs_of(resource_id, version.version_id)
    mark = pair.standings.get(resource_id, NOWHERE).mark_of(version.version_id)
    what = "was rolled back here by a person" if mark is not None and not mark.job_id else "failed here"
    facts = positions(tuple(job.position for job in jobs[-1:]), () if mark is None else (mark.position,))
    if mark is not None and step_for(pair, resource_id, version) is Step.STUCK:
        stays = "There was no earlier good release to go back to, so it stays until a person acts."
        because = f": {mark.reason.rstrip('.')}" if mark.reason else ""
        return Finding(
            "blocked",
            f"{version.tag} {what} and was marked bad. {stays}",
            detail=f"{version.tag} {what} and was marked bad at {spoken(mark.marked_at)}{because}. {stays}",
            ended_by=ends_of_stuck(pair, resource_id, version),
            facts=facts,
        )
    return Finding(
        "blocked",
        f"{version.tag} {what} and was marked bad: it does not come back by itself.",
        ended_by="a person who lifts the mark, or a newer version",
        facts=facts,
    )


def ends_of_stuck(pair: Pair, resource_id: str, version: Version) -> str:
    """Who goes on with a version that was marked bad and stays, in words. There is nothing to roll back to."""
    first = f" (perhaps after verifying {version.tag} again)" if can_verify_again(pair, resource_id, version) else ""
    return f"a person who lifts the mark{first} or redeploys {version.tag}, or a newer version"


def can_verify_again(pair: Pair, resource_id: str, version: Version) -> bool:
    """Whether a verification of the version's newest job on a target has ended, so that a person may have it measured anew."""
    jobs = pair.jobs_of(resource_id, version.version_id)
    return bool(jobs) and any(check.ended_at is not None for check in jobs[-1].checks)


def _has_release(pair: Pair, standing: Standing, resource_id: str, version: Version) -> bool:
    desired = standing.desired is not None and standing.desired.version_id == version.version_id
    return desired or bool(pair.jobs_of(resource_id, version.version_id))
