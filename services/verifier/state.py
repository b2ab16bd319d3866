"""What verifier remembers of a workspace."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from immutables import Map

from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, ReleaseItem, VersionCreated
from contracts.facts.verifier import MeasurementTaken, VerificationStarted
from contracts.shapes import JobStatus, MetricSpec
from services.verifier.baseline import Good
from services.verifier.tally import Tally

Ending = Literal["passed", "failed", "inconclusive", "cancelled"]


class Running(NamedTuple):
    """A verification whose metrics are measured; one tally per metric, in the order of its metrics.

    Attributes:
        watched_until: it has passed, and is measured on until then; None while it is not decided.
    """

    fact: VerificationStarted
    tallies: tuple[Tally, ...]
    watched_until: datetime | None = None

    def find(self, metric: str) -> tuple[MetricSpec, Tally] | None:
        """A metric and its tally by name."""
        for spec, tally in zip(self.fact.metrics, self.tallies, strict=True):
            if spec.name == metric:
                return spec, tally
        return None

    def with_measurement(self, fact: MeasurementTaken) -> Running:
        """The verification after one more answer of a metric's provider."""
        tallies = tuple(
            tally.with_measurement(spec, first_at, fact) if spec.name == fact.metric else tally
            for spec, first_at, tally in zip(self.fact.metrics, self.fact.first_at, self.tallies, strict=True)
        )
        return self._replace(tallies=tallies)


def begun(fact: VerificationStarted) -> Running:
    """A verification of which nothing is measured yet."""
    return Running(fact, tuple(Tally(due_at=at) for at in fact.first_at))


class Known(NamedTuple):
    """A verification that was started, as long as its target may ask about it.

    Attributes:
        key: its target's.
        attempt: of the same job and rule.
        ending: how it ended; None while it was not decided.
        document: the fact about its start as JSON, when it is not measured any more and could be again; else empty.
    """

    key: str
    job_id: str
    release_id: str
    rule_id: str
    attempt: int
    version_id: str
    ending: Ending | None = None
    document: str = ""


class KnownVersions(NamedTuple):
    """The versions of a deployment that are known, newest first; when they are more than `most`, those are let go of that nothing needs."""

    ids: tuple[str, ...]
    most: int


class KnownRelease(NamedTuple):
    """A release of a target, for templates."""

    version_id: str
    created_at: datetime
    item: ReleaseItem


class KnownJob(NamedTuple):
    """A job of a target, for templates.

    Attributes:
        begun: it ran, or runs.
        attempt: of the release; jobs of one attempt are of several agents.
    """

    job_id: str
    release_id: str
    version_id: str
    agent_id: str
    status: JobStatus
    message: str | None
    external_id: str | None
    metadata: tuple[tuple[str, str], ...]
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    begun: bool = False
    attempt: int = 1


class State(NamedTuple):
    """The fold of a workspace's log; a named tuple, because changing one of many fields is cheap.

    Attributes:
        running: verifications that are measured, by id; those that passed and are watched too.
        known: every verification of the newest jobs of each target, by id.
        by_target: ids of the known ones of each target, by its key, newest first.
        good: the newest releases of each target that passed, with the numbers of their metrics, newest first.
        slots: until when the slots of a party are taken.
        resources, environments, deployments, versions: today's documents, by id; of versions those that may be needed.
        versions_of: by deployment, which versions these are.
        releases, jobs: the newest few of each target, by its key, newest first; of jobs, the newest few dispatches.
        dropped: of resources, the (environment, deployment) pairs in which they are no targets any more although all three may be there.
    """

    workspace_id: str
    running: Map[str, Running] = Map()
    known: Map[str, Known] = Map()
    by_target: Map[str, tuple[str, ...]] = Map()
    good: Map[str, tuple[Good, ...]] = Map()
    slots: Map[str, datetime] = Map()
    resources: Map[str, ResourceSaved] = Map()
    environments: Map[str, EnvironmentSaved] = Map()
    deployments: Map[str, DeploymentSaved] = Map()
    versions: Map[str, VersionCreated] = Map()
    versions_of: Map[str, KnownVersions] = Map()
    releases: Map[str, tuple[KnownRelease, ...]] = Map()
    jobs: Map[str, tuple[KnownJob, ...]] = Map()
    dropped: Map[str, tuple[tuple[str, str], ...]] = Map()

    def is_dropped(self, resource_id: str, environment_id: str, deployment_id: str) -> bool:
        """Whether something was a target and is none any more, because a selector does not match it or a link ended."""
        return (environment_id, deployment_id) in self.dropped.get(resource_id, ())


def target_key(resource_id: str, environment_id: str, deployment_id: str) -> str:
    """The key of a release target."""
    return f"{resource_id}-{environment_id}-{deployment_id}"


def key_of(about: VerificationStarted) -> str:
    """The key of the target that a verification is about."""
    return target_key(about.resource_id, about.environment_id, about.deployment_id)
