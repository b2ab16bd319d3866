"""A workspace with one deployment, one environment and resources, as the tests of dispatcher are given it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from contracts.commands.dispatcher import SaveJobAgent, SetJobStatus
from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated, JobDispatched, JobStatusChanged
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import (
    DeploymentSaved,
    EnvironmentSaved,
    ReleaseItem,
    ReleasesCreated,
    RollbackStarted,
    TargetsChanged,
    VersionCreated,
)
from contracts.facts.policy import ClearanceWithdrawn, TargetsCleared
from contracts.shapes import JobStatus, Json
from libs.runtime.service import Intent
from libs.simulation.world import START, World
from services.dispatcher.app import performer, service


def id_of(name: str) -> str:
    """A fixed uuid for a name."""
    return str(uuid5(NAMESPACE_OID, name))


DEPLOYMENT = id_of("deployment")
ENVIRONMENT = id_of("environment")


def run(coroutine: Any) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the coroutine waits for something")


def agents(intent: Intent, now: datetime) -> dict[str, Any]:
    """The real agents as a simulated outside."""
    result: dict[str, Any] = run(performer()(intent))
    return result


def nobody(intent: Intent, now: datetime) -> None:
    """An outside that never answers."""


class Scene(World):
    """The world with dispatcher alone; what the other services would record is given."""

    def __init__(
        self,
        *names: str,
        selector: str = "true",
        config: Json | None = None,
        resources: Mapping[str, Json] | None = None,
        outside: Any = agents,
        seed: int | None = None,
    ) -> None:
        super().__init__([service], {"dispatcher": outside}, seed=seed)
        self.save_deployment(selector=selector, config=config)
        self.record(EnvironmentSaved(environment_id=ENVIRONMENT, name="staging", created_at=START))
        for name in names or ("eu-1",):
            self.save_resource(name, (resources or {}).get(name, {}))
        self.record(
            TargetsChanged(
                deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, added=tuple(id_of(name) for name in names or ("eu-1",))
            )
        )
        self.run()

    # --- given -----------------------------------------------------------------------------------------------------------------

    def save_deployment(self, *, selector: str = "true", config: Json | None = None) -> None:
        self.record(
            DeploymentSaved(
                deployment_id=DEPLOYMENT,
                name="shop",
                resource_selector="true",
                job_agent_selector=selector,
                job_agent_config=config or {},
                created_at=START,
            )
        )

    def save_resource(self, name: str, metadata: Json) -> None:
        self.record(
            ResourceSaved(
                resource_id=id_of(name),
                identifier=name,
                name=name,
                kind="Cluster",
                version="v1",
                metadata=metadata,
                created_at=START,
                updated_at=START,
            )
        )

    def save_agent(self, name: str = "puller", type: str = "http-pull", config: Json | None = None) -> str:
        self.do(SaveJobAgent(agent_id=id_of(name), name=name, type=type, config=config or {}))
        return id_of(name)

    def save_version(self, tag: str, config: Json | None = None) -> str:
        version_id = id_of(tag)
        self.record(
            VersionCreated(
                version_id=version_id,
                deployment_id=DEPLOYMENT,
                tag=tag,
                name=tag,
                job_agent_config=config or {},
                created_at=self.now,
            )
        )
        return version_id

    def clear(self, tag: str, *names: str, valid_for: timedelta | None = None, at: int | None = None) -> int:
        """Record a clearance; returns its `at`."""
        at = len(self.log) if at is None else at
        self.record(
            TargetsCleared(
                deployment_id=DEPLOYMENT,
                environment_id=ENVIRONMENT,
                version_id=id_of(tag),
                resource_ids=tuple(id_of(name) for name in names or ("eu-1",)),
                at=at,
                valid_until=None if valid_for is None else self.now + valid_for,
                cleared_at=self.now,
            )
        )
        return at

    def create_releases(self, tag: str, *names: str, cleared_at: int) -> None:
        self.record(
            ReleasesCreated(
                deployment_id=DEPLOYMENT,
                environment_id=ENVIRONMENT,
                version_id=id_of(tag),
                items=tuple(
                    ReleaseItem(resource_id=id_of(name), release_id=release_of(tag, name)) for name in names or ("eu-1",)
                ),
                cleared_at=cleared_at,
                created_at=self.now,
            )
        )

    def release(self, tag: str, *names: str, config: Json | None = None) -> None:
        """A version is created, cleared and released, and dispatcher has acted on it."""
        if id_of(tag) not in self.room("dispatcher").state.versions:
            self.save_version(tag, config)
        self.create_releases(tag, *names, cleared_at=self.clear(tag, *names))
        self.run()

    def roll_back(self, tag: str, to: str | None, name: str = "eu-1") -> None:
        self.record(
            RollbackStarted(
                deployment_id=DEPLOYMENT,
                environment_id=ENVIRONMENT,
                resource_id=id_of(name),
                version_id=id_of(tag),
                job_id=self.jobs()[-1].job_id,
                release_id=None if to is None else release_of(to, name),
                to_version_id=None if to is None else id_of(to),
                reason="its job failed",
                policy_id=id_of("policy"),
                rule_id=id_of("rule"),
                started_at=self.now,
            )
        )
        self.run()

    def withdraw(self, tag: str) -> None:
        self.record(
            ClearanceWithdrawn(
                deployment_id=DEPLOYMENT,
                environment_id=ENVIRONMENT,
                version_id=id_of(tag),
                reason="an approval was taken back",
                withdrawn_at=self.now,
            )
        )

    def finish(self, status: JobStatus = "successful", job_id: str | None = None) -> None:
        """A person tells how the newest job (or a given one) ended."""
        self.do(SetJobStatus(job_id=job_id or self.jobs()[-1].job_id, status=status))

    # --- then ------------------------------------------------------------------------------------------------------------------

    def jobs(self) -> list[JobCreated]:
        return self.facts(JobCreated)

    def dispatched(self) -> list[str]:
        return [one.job_id for one in self.facts(JobDispatched)]

    def changes(self) -> list[JobStatusChanged]:
        return self.facts(JobStatusChanged)

    def statuses(self) -> list[str]:
        """Today's statuses of all jobs, in the order of their creation."""
        jobs = self.room("dispatcher").state.jobs
        return [jobs[one.job_id].status for one in self.jobs()]

    def recorded(self, kind: type) -> Iterable[Recorded]:
        return (one for one in self.log if isinstance(one.fact, kind))


def release_of(tag: str, name: str) -> str:
    """The id of a version's release on a resource."""
    return id_of(f"{tag}@{name}")
