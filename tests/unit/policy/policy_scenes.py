"""Policy alone in a world: what the other services would say is given as facts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.explanations import ExplainTarget, Explanation, VersionStanding
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.commands.policy.reasons import Reason
from contracts.fact import Fact
from contracts.facts.dispatcher import DispatchSnapshot, JobCreated, JobStatusChanged
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import (
    DeploymentLinked,
    DeploymentSaved,
    EnvironmentLinked,
    EnvironmentSaved,
    ReleaseItem,
    ReleasesCreated,
    RollbackStarted,
    TargetsChanged,
    VersionCreated,
    VersionUpdated,
)
from contracts.facts.policy import TargetsCleared, VerificationRequired
from contracts.facts.verifier import VerificationFailed, VerificationPassed, VerificationStarted
from contracts.shapes import (
    ACTIVE,
    AnyApproval,
    EnvironmentProgression,
    GradualRollout,
    JobStatus,
    MetricProvider,
    MetricSpec,
    Rollback,
    Verification,
    VersionStatus,
)
from libs.simulation.world import World
from services.policy.app import service
from services.policy.state import NOWHERE, State, pair_key

METRIC = MetricSpec(
    name="m",
    interval_seconds=1,
    count=1,
    provider=MetricProvider.model_validate({"type": "sleep", "durationSeconds": 1}),
    success_condition="result.ok",
)
SNAPSHOT = DispatchSnapshot(resource=1, environment=1, deployment=1, version=1, release=1)
T = TypeVar("T")


def uid(name: str) -> str:
    """A uuid that is the same in every run."""
    return str(uuid5(NAMESPACE_OID, name))


def approval(needed: int = 1) -> RuleInput:
    return RuleInput(any_approval=AnyApproval(min_approvals=needed))


def progression(
    selector: str = 'environment.name == "staging"',
    *,
    percent: float | None = None,
    statuses: tuple[JobStatus, ...] | None = None,
    soak: int | None = None,
    age: int | None = None,
    verified: bool = False,
) -> RuleInput:
    return RuleInput(
        environment_progression=EnvironmentProgression(
            depends_on_environment_selector=selector,
            minimum_success_percentage=percent,
            success_statuses=statuses,
            minimum_soak_time_minutes=soak,
            maximum_age_hours=age,
            require_verification_passed=verified,
        )
    )


def linear(seconds: int) -> RuleInput:
    return RuleInput(gradual_rollout=GradualRollout(rollout_type="linear", time_scale_interval=seconds))


def normalized(seconds: int) -> RuleInput:
    return RuleInput(gradual_rollout=GradualRollout(rollout_type="linear-normalized", time_scale_interval=seconds))


def verification(name: str = "m") -> RuleInput:
    return RuleInput(verification=Verification(metrics=(METRIC.model_copy(update={"name": name}),)))


def rollback(*statuses: JobStatus, verification_failure: bool = False) -> RuleInput:
    return RuleInput(rollback=Rollback(on_job_statuses=statuses, on_verification_failure=verification_failure))


class Scene:
    """One deployment in staging and production, which share a system; `resources` are its targets in production."""

    def __init__(self, *resources: str) -> None:
        self.world = World([service])
        self._together = False
        self.deployment, self.system = uid("deployment"), uid("system")
        self.production = self.environment("production")
        self.staging = self.environment("staging")
        self.world.record(
            DeploymentSaved(deployment_id=self.deployment, name="api", created_at=self.world.now),
            DeploymentLinked(system_id=self.system, deployment_id=self.deployment),
        )
        self.appear(*resources)
        self._jobs = 0
        self._followed = 0

    # --- what exists -----------------------------------------------------------------------------------------------------------

    def environment(self, name: str, *, system: str | None = None, metadata: dict[str, str] | None = None) -> str:
        """An environment; in the scene's system unless told otherwise."""
        saved = EnvironmentSaved(
            environment_id=uid(f"environment {name}"), name=name, metadata=metadata or {}, created_at=self.world.now
        )
        self.record(saved, EnvironmentLinked(system_id=system or self.system, environment_id=saved.environment_id))
        return saved.environment_id

    def resource(self, name: str, *, id_: str | None = None, **metadata: str) -> str:
        """A resource's document."""
        saved = ResourceSaved(
            resource_id=id_ or uid(f"resource {name}"), identifier=name, name=name, kind="Cluster", version="v1", metadata=metadata,
            created_at=self.world.now, updated_at=self.world.now,
        )  # fmt: skip
        self.record(saved)
        return saved.resource_id

    def appear(self, *resources: str, env: str | None = None) -> None:
        if resources:
            self.record(
                TargetsChanged(deployment_id=self.deployment, environment_id=env or self.production, added=tuple(resources))
            )

    def vanish(self, *resources: str, env: str | None = None) -> None:
        self.record(TargetsChanged(deployment_id=self.deployment, environment_id=env or self.production, removed=resources))

    def version(self, tag: str, *, status: VersionStatus = "ready", id_: str | None = None) -> str:
        """CI posts a version now."""
        self.record(self._version(VersionCreated, tag, id_ or uid(f"version {tag}"), status, self.world.now))
        return id_ or uid(f"version {tag}")

    def set_status(self, version_id: str, status: VersionStatus) -> None:
        known = self.state.versions[version_id]
        self.record(self._version(VersionUpdated, known.tag, version_id, status, known.created_at))

    def _version(
        self, kind: type[VersionCreated] | type[VersionUpdated], tag: str, id_: str, status: VersionStatus, at: datetime
    ) -> VersionCreated | VersionUpdated:
        return kind(version_id=id_, deployment_id=self.deployment, tag=tag, name=tag, status=status, created_at=at)

    # --- what happens ----------------------------------------------------------------------------------------------------------

    def record(self, *facts: Fact) -> None:
        """Facts of other services, and what policy makes of them."""
        self.world.record(*facts)
        if not self._together:
            self.world.run()

    @contextmanager
    def in_one_round(self) -> Iterator[None]:
        """Policy sees what is recorded meanwhile in one round."""
        self._together = True
        yield
        self._together = False
        self.world.run()

    def advance(self, *, minutes: float = 0, seconds: float = 0) -> None:
        self.world.advance(minutes * 60 + seconds)

    def policy(
        self, *rules: RuleInput, selector: str = "true", enabled: bool = True, id_: str | None = None, name: str = "policy"
    ) -> str:
        policy_id: str = self.world.do(SavePolicy(policy_id=id_, name=name, selector=selector, rules=rules, enabled=enabled))[
            "id"
        ]
        return policy_id

    def production_policy(self, *rules: RuleInput, enabled: bool = True, id_: str | None = None) -> str:
        return self.policy(*rules, selector='environment.name == "production"', enabled=enabled, id_=id_, name="careful")

    def approve(self, version_id: str, user: str = "ana", *, env: str | None = None, status: str = "approved") -> None:
        self.world.do(
            RecordApproval.model_validate(
                {"version_id": version_id, "environment_ids": (env or self.production,), "user_id": user, "status": status}
            )
        )

    def release(self, version_id: str, *resources: str, env: str | None = None, deployment: str | None = None) -> None:
        """Planner makes the version the desired one."""
        self.record(
            ReleasesCreated(
                deployment_id=deployment or self.deployment,
                environment_id=env or self.production,
                version_id=version_id,
                items=tuple(ReleaseItem(resource_id=one, release_id=self.release_id(version_id, one)) for one in resources),
                cleared_at=len(self.world.log),
                created_at=self.world.now,
            )
        )

    def release_id(self, version_id: str, resource_id: str) -> str:
        return uid(f"release {version_id} {resource_id}")

    def job(
        self,
        version_id: str,
        resource_id: str,
        status: JobStatus = "pending",
        *,
        env: str | None = None,
        deployment: str | None = None,
        rollback: bool = False,
        agent: str = "agent",
        attempt: int = 1,
        release: str = "release",
    ) -> str:
        """Dispatcher makes a job, and tells what became of it unless it stays pending."""
        self._jobs += 1
        job_id = uid(f"job {self._jobs}")
        self.record(
            JobCreated(
                job_id=job_id, release_id=uid(f"{release} {version_id} {resource_id}"), resource_id=resource_id,
                environment_id=env or self.production, deployment_id=deployment or self.deployment, version_id=version_id,
                agent_id=agent,
                status="pending" if agent else "invalidJobAgent", snapshot=SNAPSHOT, rollback=rollback, attempt=attempt,
                created_at=self.world.now, deadline_at=self.world.now,
            )
        )  # fmt: skip
        if status != "pending":
            self.job_status(job_id, status)
        return job_id

    def job_status(
        self,
        job_id: str,
        status: JobStatus,
        *,
        completed: datetime | None = None,
        message: str | None = None,
        metrics: tuple[MetricSpec, ...] = (),
    ) -> None:
        """Dispatcher tells how a job stands."""
        created = next(one for one in self.world.facts(JobCreated) if one.job_id == job_id)
        at = completed or (None if status in ACTIVE else self.world.now)
        self.record(
            JobStatusChanged(
                job_id=job_id, release_id=created.release_id, resource_id=created.resource_id,
                environment_id=created.environment_id, deployment_id=created.deployment_id, version_id=created.version_id,
                agent_id=created.agent_id, status=status, previous=created.status, message=message, completed_at=at,
                changed_at=self.world.now, metrics=metrics,
            )
        )  # fmt: skip

    def deploy(self, version_id: str, *resources: str, status: JobStatus = "successful", env: str | None = None) -> None:
        """Planner and dispatcher follow: the version is desired on these targets and its jobs end so."""
        self.release(version_id, *resources, env=env)
        for one in resources:
            self.job(version_id, one, status, env=env)

    def verify(self, job_id: str, passed: bool = True) -> None:
        """Verifier measures what was required of a job, and says what came of it."""
        for required in self.world.facts(VerificationRequired):
            if required.job_id != job_id:
                continue
            about = {
                "verification_id": str(uuid5(UUID(job_id), required.rule_id)),
                **required.model_dump(
                    include={"job_id", "release_id", "resource_id", "environment_id", "deployment_id", "version_id"}
                ),
            }
            started = {**about, "policy_id": required.policy_id, "rule_id": required.rule_id, "metrics": required.metrics}
            self.record(
                VerificationStarted(**started, first_at=(self.world.now,) * len(required.metrics), started_at=self.world.now)
            )
            if passed:
                self.record(VerificationPassed(**about, finished_at=self.world.now))
            else:
                self.record(VerificationFailed(**about, metric="m", message="too many errors", finished_at=self.world.now))

    def roll_back(self, version_id: str, resource_id: str, to: str | None) -> None:
        """Planner marks the version bad and goes back to another, or stays."""
        self.record(
            RollbackStarted(
                deployment_id=self.deployment, environment_id=self.production, resource_id=resource_id, version_id=version_id,
                job_id=uid("failed job"), release_id=self.release_id(to, resource_id) if to else None, to_version_id=to,
                reason="it failed", policy_id=uid("policy"), rule_id=uid("rule"), started_at=self.world.now,
            )
        )  # fmt: skip

    def follow(self, status: JobStatus | None = "successful") -> list[str]:
        """Planner and dispatcher act on every clearance since the last call; returns the targets that got a job, in this order."""
        moved: list[str] = []
        news = self.world.log[self._followed :]
        self._followed = len(self.world.log)
        for one in news:
            if isinstance(fact := one.fact, TargetsCleared):
                pair = self.state.pairs[pair_key(fact.deployment_id, fact.environment_id)]
                fresh = [
                    target for target in fact.resource_ids if pair.open.get(target) == fact.version_id and target in pair.targets
                ]
                if not fresh:
                    continue
                env, deployment = fact.environment_id, fact.deployment_id
                self.release(fact.version_id, *fresh, env=env, deployment=deployment)
                for target in fresh:
                    attempt = len(pair.jobs_of(target, fact.version_id)) + 1
                    self.job(fact.version_id, target, status or "pending", env=env, deployment=deployment, attempt=attempt)
                moved += fresh
        return moved

    # --- what policy says ------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        state: State = self.world.room("policy").state
        return state

    def open(self, version_id: str, env: str | None = None) -> set[str]:
        """Targets that are cleared for a version and have no job of it yet."""
        pair = self.state.pairs[pair_key(self.deployment, env or self.production)]
        return {one for one, cleared in pair.open.items() if cleared == version_id}

    def cleared(self, version_id: str, env: str | None = None) -> list[str]:
        """Targets in the order in which they were cleared for a version."""
        return [
            one
            for fact in self.world.facts(TargetsCleared)
            if fact.version_id == version_id and fact.environment_id == (env or self.production)
            for one in fact.resource_ids
        ]

    def is_cleared(self, version_id: str, resource_id: str) -> bool:
        """Whether the newest clearance of a target is of this version."""
        standing = self.state.pairs[pair_key(self.deployment, self.production)].standings.get(resource_id, NOWHERE)
        return standing.cleared is not None and standing.cleared.version_id == version_id

    def explain(self, resource_id: str, env: str | None = None) -> Explanation:
        answer: Explanation = self.world.ask(
            ExplainTarget(resource_id=resource_id, environment_id=env or self.production, deployment_id=self.deployment)
        )
        return answer

    def standing(self, version_id: str, resource_id: str, env: str | None = None) -> VersionStanding:
        """Where a version stands on a target."""
        return next(one for one in self.explain(resource_id, env).versions if one.version_id == version_id)

    def reason(self, rule_type: str, version_id: str, resource_id: str, env: str | None = None) -> Reason:
        """What one rule says about a version on a target."""
        reasons = self.standing(version_id, resource_id, env).reasons
        return next(one for one in reasons if one.rule_type == rule_type)

    def facts(self, kind: type[T]) -> list[T]:
        return [one.fact for one in self.world.log if isinstance(one.fact, kind)]
