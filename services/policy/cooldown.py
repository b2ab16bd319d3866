"""versionCooldown: versions that follow one another too closely are passed over, so that a target takes some of them and not each.

What counts is the age of the version that runs on the target, or is on its way to it: not when it was deployed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.shapes import ACTIVE, VersionCooldown
from services.policy.finding import Finding, positions
from services.policy.instants import lasting, later, spoken
from services.policy.state import NOWHERE, Job, Pair, Version


class Reference(NamedTuple):
    """The version of a target that others must keep their distance from."""

    version: Version
    on_its_way: bool


def reference_of(pair: Pair, resource_id: str, versions: Mapping[str, Version]) -> Reference | None:
    """The version of the newest job that runs; else of the newest success that no verification speaks against, or is still to."""
    standing = pair.standings.get(resource_id, NOWHERE)
    if any(job.status in ACTIVE for job in pair.jobs_of(resource_id, standing.job_version)):
        return _of(standing.job_version, versions, on_its_way=True)
    current = standing.current
    if current is None:
        return None
    jobs = pair.jobs_of(resource_id, current.version_id)
    ran = next((job for job in jobs if job.job_id == current.job_id), None)
    if ran is None or ran.verified:  # what is forgotten passed long ago
        return _of(current.version_id, versions, on_its_way=False)
    best: tuple[datetime, str, Job] | None = None
    for by_resource in pair.jobs.values():
        for job in by_resource.get(resource_id, ()):
            if job.status == "successful" and job.verified and job.completed_at is not None:
                known = (job.completed_at, job.job_id, job)
                best = known if best is None or known[:2] > best[:2] else best
    return _of(best[2].version_id, versions, on_its_way=False) if best is not None else None


def judge_cooldown(body: VersionCooldown, candidate: Version, reference: Reference | None, now: datetime) -> Finding:
    """Whether a version keeps its distance. One that is older than the reference must as well."""
    if reference is None:
        return Finding("allowed", "Nothing was deployed here before, so nothing cools down.")
    version, facts = reference.version, positions((reference.version.position,))
    where = "is on its way here" if reference.on_its_way else "runs here"
    if version.version_id == candidate.version_id:
        return Finding("allowed", f"{version.tag} {where} already.", facts=facts)
    interval = timedelta(seconds=body.interval_seconds)
    over = later(version.created_at, interval)
    if now >= over:
        return Finding("allowed", f"{version.tag}, which {where}, has cooled down.", satisfied_at=over, facts=facts)
    return Finding(
        "waiting",
        f"{version.tag}, which {where}, was created less than {lasting(interval)} ago: other versions wait until {spoken(over)}.",
        detail=f"{version.tag}, which {where}, was created {lasting(now - version.created_at)} ago, and other versions follow after "
        f"{lasting(interval)}: at {spoken(over)}, in {lasting(over - now)}.",
        ended_by=f"the end of the cooldown at {spoken(over)}",
        look_again_at=over,
        facts=facts,
    )


def _of(version_id: str, versions: Mapping[str, Version], *, on_its_way: bool) -> Reference | None:
    version = versions.get(version_id)
    return Reference(version, on_its_way) if version is not None else None
