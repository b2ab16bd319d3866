"""What verifier remembers of a workspace."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from immutables import Map

from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, ReleaseItem, VersionCreated
from contracts.facts.verifier import MeasurementTaken, VerificationStarted
from contracts.shapes import JobStatus, MetricSpec


class Tally(NamedTuple):
    """What the measurements of one metric came to so far.

    Attributes:
        asked: how often the provider was asked; the next question has the number after it.
        measured: measurements that count, passed, failed or inconclusive.
        failed: those of them that failed.
        streak: passed measurements since the last one that was not.
        errors: questions in a row that brought no result.
        last_at: when the provider was asked last.
    """

    asked: int = 0
    measured: int = 0
    failed: int = 0
    streak: int = 0
    errors: int = 0
    last_at: datetime | None = None

    def with_measurement(self, fact: MeasurementTaken) -> Tally:
        """The tally after one more answer of the provider."""
        errors = self.errors + 1 if fact.error else 0
        if fact.error and fact.status == "inconclusive":
            return self._replace(asked=fact.number, errors=errors, last_at=fact.measured_at)
        return Tally(
            asked=fact.number,
            measured=self.measured + 1,
            failed=self.failed + (fact.status == "failed"),
            streak=self.streak + 1 if fact.status == "passed" else 0,
            errors=errors,
            last_at=fact.measured_at,
        )


class Running(NamedTuple):
    """A verification that is not decided yet; one tally per metric, in the order of its metrics."""

    fact: VerificationStarted
    tallies: tuple[Tally, ...]

    def find(self, metric: str) -> tuple[MetricSpec, Tally] | None:
        """A metric and its tally by name."""
        for spec, tally in zip(self.fact.metrics, self.tallies, strict=True):
            if spec.name == metric:
                return spec, tally
        return None

    def with_measurement(self, fact: MeasurementTaken) -> Running:
        """The verification after one more answer of a metric's provider."""
        tallies = tuple(
            tally.with_measurement(fact) if spec.name == fact.metric else tally
            for spec, tally in zip(self.fact.metrics, self.tallies, strict=True)
        )
        return Running(self.fact, tallies)


class KnownRelease(NamedTuple):
    """A release of a target, for templates."""

    version_id: str
    created_at: datetime
    item: ReleaseItem


class KnownJob(NamedTuple):
    """A job of a target, for templates."""

    job_id: str
    release_id: str
    agent_id: str
    status: JobStatus
    message: str | None
    external_id: str | None
    metadata: tuple[tuple[str, str], ...]
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


class State(NamedTuple):
    """The fold of a workspace's log; a named tuple, because changing one of many fields is cheap.

    Attributes:
        running: verifications under way, by id.
        finished: `passed` or `failed` of those that ended, by id.
        resources, environments, deployments, versions: today's documents, by id.
        releases, jobs: the newest few of each target, by its key, newest first.
    """

    workspace_id: str
    running: Map[str, Running] = Map()
    finished: Map[str, str] = Map()
    resources: Map[str, ResourceSaved] = Map()
    environments: Map[str, EnvironmentSaved] = Map()
    deployments: Map[str, DeploymentSaved] = Map()
    versions: Map[str, VersionCreated] = Map()
    releases: Map[str, tuple[KnownRelease, ...]] = Map()
    jobs: Map[str, tuple[KnownJob, ...]] = Map()
