"""A planner alone in a world: what the other services would say is given as facts."""

from __future__ import annotations

from copy import copy
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from contracts.commands.planner import CreateVersion, LinkDeployment, LinkEnvironment, SaveDeployment, SaveEnvironment, SaveSystem
from contracts.facts.dispatcher import DispatchSnapshot, JobCreated, JobStatusChanged
from contracts.facts.inventory import MatchesChanged
from contracts.facts.planner import ReleaseItem, ReleasesCreated, RollbackStarted, TargetsChanged
from contracts.facts.policy import ClearanceWithdrawn, PolicySaved, RollbackRequired, TargetsCleared, VerificationRequired
from contracts.facts.verifier import (
    VerificationCancelled,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    VerificationStarted,
)
from contracts.shapes import JobStatus, MetricProvider, MetricSpec, Target
from libs.simulation.world import World
from services.planner.app import service
from services.planner.rollouts import Place, pair_of
from services.planner.state import past_of

METRIC = MetricSpec(
    name="m",
    interval_seconds=1,
    count=1,
    provider=MetricProvider.model_validate({"type": "sleep", "durationSeconds": 1}),
    success_condition="true",
)


def uid(name: str) -> str:
    """A uuid that is the same in every run."""
    return str(uuid5(NAMESPACE_OID, name))


R1, R2, R3 = sorted(uid(f"resource {n}") for n in (1, 2, 3))


class Scene:
    """One deployment in one environment that share a system and match `resources`; more by hand."""

    def __init__(self, *resources: str) -> None:
        self.world = World([service])
        self.system = self.world.ask(SaveSystem(name="shop"))["id"]
        self.deployment = self.world.ask(SaveDeployment(name="api", resource_selector="true"))["id"]
        self.environment = self.world.ask(SaveEnvironment(name="production", resource_selector="true"))["id"]
        self.world.ask(LinkDeployment(system_id=self.system, deployment_id=self.deployment))
        self.world.ask(LinkEnvironment(system_id=self.system, environment_id=self.environment))
        if resources:
            self.match(*resources)

    def beside(self, name: str, *resources: str) -> Scene:
        """Another deployment in the same environment of the same world, which matches these as well."""
        other = copy(self)
        other.deployment = self.world.do(SaveDeployment(name=name, resource_selector="true"))["id"]
        self.world.do(LinkDeployment(system_id=self.system, deployment_id=other.deployment))
        self.world.record(MatchesChanged(entity="deployment", entity_id=other.deployment, added=resources))
        self.world.run()
        return other

    # --- what happens ----------------------------------------------------------------------------------------------------------

    def match(self, *resources: str) -> None:
        """Both selectors match these."""
        self.world.record(
            MatchesChanged(entity="deployment", entity_id=self.deployment, added=resources),
            MatchesChanged(entity="environment", entity_id=self.environment, added=resources),
        )
        self.world.run()

    def unmatch(self, *resources: str) -> None:
        """The environment's selector matches these no more."""
        self.world.record(MatchesChanged(entity="environment", entity_id=self.environment, removed=resources))
        self.world.run()

    def version(self, tag: str) -> str:
        """CI posts a version, one second after whatever was before."""
        self.world.advance(1)
        version_id: str = self.world.do(CreateVersion(deployment_id=self.deployment, tag=tag))["id"]
        return version_id

    def cleared(
        self, version_id: str, *resources: str, at: int | None = None, valid_until: datetime | None = None
    ) -> TargetsCleared:
        """Policy's clearance of a version, knowing everything unless told otherwise."""
        return TargetsCleared(
            deployment_id=self.deployment,
            environment_id=self.environment,
            version_id=version_id,
            resource_ids=resources,
            at=len(self.world.log) if at is None else at,
            valid_until=valid_until,
            cleared_at=self.world.now,
        )

    def clear(self, version_id: str, *resources: str, at: int | None = None, valid_until: datetime | None = None) -> None:
        """Policy clears a version."""
        self.world.record(self.cleared(version_id, *resources, at=at, valid_until=valid_until))
        self.world.run()

    def save_policy(self) -> None:
        """Somebody saves a policy, which closes the gate."""
        self.world.record(PolicySaved(policy_id=uid("policy"), name="careful", created_at=self.world.now))
        self.world.run()

    def withdraw(self, version_id: str) -> None:
        """Policy withdraws a clearance."""
        self.world.record(
            ClearanceWithdrawn(
                deployment_id=self.deployment,
                environment_id=self.environment,
                version_id=version_id,
                reason="approval withdrawn",
                withdrawn_at=self.world.now,
            )
        )
        self.world.run()

    def job(self, resource: str, status: JobStatus = "successful", *, name: str = "", rollback: bool = False) -> str:
        """A job of the target's desired release is made and comes to something; returns its id."""
        job_id = uid(name or f"job {len(self.world.log)}")
        about = self.about(resource, job_id)
        now = self.world.now
        self.world.record(
            JobCreated(
                **about,
                status="pending",
                snapshot=DispatchSnapshot(resource=1, environment=1, deployment=1, version=1, release=1),
                rollback=rollback,
                created_at=now,
                deadline_at=now,
            ),
            JobStatusChanged(**about, status=status, previous="pending", changed_at=now),
        )
        self.world.run()
        return job_id

    def verify(self, resource: str, job_id: str, *outcomes: str, rule: str = "rule") -> None:
        """A verification of the desired release's job is required, unless that is told of already, and comes to this, one attempt each.

        Outcomes: `required` (that is all), `running`, `passed`, `failed`, `inconclusive`, `cancelled`, `failed after passing`.
        """
        about = self.about(resource, job_id)
        rules: dict[str, Any] = {"policy_id": uid("policy"), "rule_id": uid(rule)}
        required = [one for one in self.world.facts(VerificationRequired) if (one.job_id, one.rule_id) == (job_id, uid(rule))]
        if not required:
            self.world.record(VerificationRequired(**about, **rules, metrics=(METRIC,), required_at=self.world.now))
        for outcome in outcomes:
            if outcome != "required":
                self._attempt(about, rules, outcome)
        self.world.run()

    def _attempt(self, about: dict[str, Any], rules: dict[str, Any], outcome: str) -> None:
        now = self.world.now
        started = self.world.facts(VerificationStarted)
        attempt = 1 + sum(1 for one in started if (one.job_id, one.rule_id) == (about["job_id"], rules["rule_id"]))
        about = {**about, "verification_id": uid(f"{about['job_id']} {rules['rule_id']} {attempt}")}
        said: dict[str, Any] = {"metric": "m", "message": "too many errors"}
        begun = VerificationStarted(**about, **rules, metrics=(METRIC,), first_at=(now,), attempt=attempt, started_at=now)
        passed = VerificationPassed(**about, finished_at=now)
        ends = {
            "running": (),
            "passed": (passed,),
            "failed": (VerificationFailed(**about, **said, finished_at=now),),
            "failed after passing": (passed, VerificationFailed(**about, **said, after_passing=True, finished_at=now)),
            "inconclusive": (VerificationInconclusive(**about, **said, finished_at=now),),
            "cancelled": (VerificationCancelled(**about, reason="another release runs there", finished_at=now),),
        }[outcome]
        self.world.record(begun, *ends)

    def about(self, resource: str, job_id: str) -> dict[str, Any]:
        """What facts about a job of the target's desired release say of it."""
        release_id, version_id = self.release(resource)
        return {
            "job_id": job_id,
            "release_id": release_id,
            "resource_id": resource,
            "environment_id": self.environment,
            "deployment_id": self.deployment,
            "version_id": version_id,
        }

    def rollback_required(self, resource: str, version_id: str, job_id: str) -> RollbackRequired:
        """Policy's word that a version must leave a target, because of a job that was made."""
        return RollbackRequired(
            deployment_id=self.deployment,
            environment_id=self.environment,
            version_id=version_id,
            resource_id=resource,
            release_id=next(one.release_id for one in self.world.facts(JobCreated) if one.job_id == job_id),
            job_id=job_id,
            policy_id=uid("policy"),
            rule_id=uid("rule"),
            reason="the job failed",
            required_at=self.world.now,
        )

    def require_rollback(self, resource: str, version_id: str, job_id: str) -> None:
        """Policy requires a rollback."""
        self.world.record(self.rollback_required(resource, version_id, job_id))
        self.world.run()

    def finish(self, *resources: str) -> None:
        """Jobs of the desired releases are made and succeed, all at once."""
        now = self.world.now
        for one in resources:
            about = self.about(one, uid(f"job {one} {len(self.world.log)}"))
            self.world.record(JobStatusChanged(**about, status="successful", previous="inProgress", changed_at=now))
        self.world.run()

    def deployed(self, version_id: str, *resources: str) -> None:
        """The version is cleared, becomes desired, and its jobs succeed."""
        self.clear(version_id, *resources)
        for resource in resources:
            self.job(resource)

    # --- what is seen ----------------------------------------------------------------------------------------------------------

    def place(self, resource: str) -> Place | None:
        """What planner knows of a target."""
        pair = pair_of(self.world.room("planner").state.pairs, self.deployment, self.environment)
        return pair.places.get(resource) if pair else None

    def release(self, resource: str) -> tuple[str, str]:
        """The desired release of a target and its version."""
        place = self.place(resource)
        assert place is not None, "there is no such target"
        assert place.release_id is not None, "nothing is desired there"
        assert place.version_id is not None, "a release has a version"
        return place.release_id, place.version_id

    def desired(self, resource: str) -> str | None:
        """The version desired on a target."""
        place = self.place(resource)
        return place.version_id if place else None

    def marked(self, resource: str) -> frozenset[str]:
        """The versions marked bad on a target."""
        return past_of(self.world.room("planner").state, self.deployment, self.environment, resource).marked

    def targets(self) -> list[str]:
        """The resources of the targets, as the facts say."""
        there: dict[str, None] = {}
        for fact in self.world.facts(TargetsChanged):
            there.update(dict.fromkeys(fact.added))
            for one in fact.removed:
                del there[one]
        return sorted(there)

    def releases(self, version_id: str | None = None) -> list[ReleaseItem]:
        """Every release that became desired, in order; of one version if told."""
        facts = [one for one in self.world.facts(ReleasesCreated) if version_id in (None, one.version_id)]
        return [item for fact in facts for item in fact.items]

    def rollbacks(self) -> list[RollbackStarted]:
        """Every rollback, in order."""
        return self.world.facts(RollbackStarted)

    def target(self, resource: str) -> Target:
        """The target of a resource."""
        return Target(resource, self.environment, self.deployment)
