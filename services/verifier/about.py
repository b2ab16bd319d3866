"""What every fact about a verification repeats."""

from __future__ import annotations

from typing import TypedDict

from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import VerificationStarted


class About(TypedDict):
    """The ids of a verification, its job, release, target and version."""

    verification_id: str
    job_id: str
    release_id: str
    resource_id: str
    environment_id: str
    deployment_id: str
    version_id: str


def about_of(fact: VerificationStarted | VerificationRequired, verification_id: str) -> About:
    """What the facts of a verification repeat of its beginning."""
    return About(
        verification_id=verification_id,
        job_id=fact.job_id,
        release_id=fact.release_id,
        resource_id=fact.resource_id,
        environment_id=fact.environment_id,
        deployment_id=fact.deployment_id,
        version_id=fact.version_id,
    )
