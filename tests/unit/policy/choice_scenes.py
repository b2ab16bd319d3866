"""What people choose by hand, the order of versions, and other deployments beside the scene's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from contracts.commands.policy.evaluations import EligibleVersions
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.planner import (
    DeploymentDeleted,
    DeploymentSaved,
    PinReleased,
    RedeployItem,
    RedeployRequested,
    ReleaseItem,
    ReleasesCreated,
    RollbackStarted,
    TargetsChanged,
    VersionCreated,
    VersionPinned,
    VersionUpdated,
)
from contracts.facts.policy import RuleEvaluated
from contracts.shapes import JobStatus, Supersession, VersionStatus
from services.policy.state import pair_key
from tests.unit.policy.policy_scenes import SNAPSHOT, Scene, uid


def posted(scene: Scene, *tags: str) -> list[str]:
    """Versions, a second apart."""
    made = []
    for tag in tags:
        scene.advance(seconds=1)
        made.append(scene.version(tag))
    return made


def pin(scene: Scene, version_id: str, resource_id: str | None = None, *, reason: str = "") -> None:
    scene.record(
        VersionPinned(
            deployment_id=scene.deployment, environment_id=scene.production, resource_id=resource_id, version_id=version_id,
            reason=reason, pinned_at=scene.world.now,
        )
    )  # fmt: skip


def unpin(scene: Scene, resource_id: str | None = None) -> None:
    pinned = scene.state.pairs[pair_key(scene.deployment, scene.production)].pins[resource_id or ""]
    scene.record(
        PinReleased(
            deployment_id=scene.deployment, environment_id=scene.production, resource_id=resource_id, version_id=pinned.version_id,
            released_at=scene.world.now,
        )
    )  # fmt: skip


def supersession(scene: Scene, which: Supersession) -> None:
    known = scene.state.deployments[scene.deployment]
    scene.record(known.model_copy(update={"supersession": which}))


def redeploy(scene: Scene, version_id: str, *resources: str) -> None:
    """A person wants the desired release of this version dispatched once more."""
    items = tuple(
        RedeployItem(resource_id=one, release_id=scene.release_id(version_id, one), version_id=version_id) for one in resources
    )
    scene.record(
        RedeployRequested(
            deployment_id=scene.deployment, environment_id=scene.production, items=items, requested_at=scene.world.now
        )
    )


def person_rolls_back(scene: Scene, version_id: str, resource_id: str, to: str, *also: str) -> None:
    scene.record(
        RollbackStarted(
            deployment_id=scene.deployment, environment_id=scene.production, resource_id=resource_id, version_id=version_id,
            job_id="", release_id=scene.release_id(to, resource_id), to_version_id=to, reason="it looks wrong", policy_id="",
            rule_id="", also_marked=also, started_at=scene.world.now,
        )
    )  # fmt: skip


def change_variables(scene: Scene, version_id: str, resource_id: str, to: str = "other") -> str:
    """Planner makes a release of the same version with other variables; it waits for a clearance. Answers its id."""
    item = ReleaseItem(resource_id=resource_id, release_id=uid(f"{to} {version_id} {resource_id}"), variables={"to": to})
    scene.record(
        ReleasesCreated(
            deployment_id=scene.deployment, environment_id=scene.production, version_id=version_id, items=(item,), cleared_at=0,
            created_at=scene.world.now,
        )
    )  # fmt: skip
    return item.release_id


def needing(scene: Scene, tag: str, needs: dict[str, str], *, update: bool = False) -> str:
    """A version of the scene's deployment that depends on others: selectors by deployment id."""
    if not update:
        scene.advance(seconds=1)
    version_id = uid(f"version {tag}")
    kind = VersionUpdated if update else VersionCreated
    created = scene.state.versions[version_id].created_at if update else scene.world.now
    scene.record(
        kind(
            version_id=version_id, deployment_id=scene.deployment, tag=tag, name=tag, dependencies=needs, created_at=created
        )
    )  # fmt: skip
    return version_id


def eligible(scene: Scene, resource_id: str, *, exclude: tuple[str, ...] = (), among: tuple[str, ...] | None = None) -> list[str]:
    """Tags of the eligible versions, newest first."""
    answer = scene.world.ask(
        EligibleVersions(
            resource_id=resource_id, environment_id=scene.production, deployment_id=scene.deployment, version_ids=among,
            exclude_rule_ids=exclude,
        )
    )  # fmt: skip
    return [scene.state.tag(one) for one in answer["version_ids"]]


def told(scene: Scene, rule_type: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """(tag, verdict, targets) of every recorded verdict of a rule."""
    return [
        (scene.state.tag(fact.version_id), group.verdict, group.resource_ids)
        for fact in scene.facts(RuleEvaluated)
        if fact.rule_type == rule_type
        for group in fact.groups
    ]


class Other:
    """Another deployment, whose versions the scene's own may depend on."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.scene = scene
        self.name = name
        self.id = uid(f"deployment {name}")
        self._jobs = 0
        scene.record(self._saved(name))

    def _saved(self, name: str) -> DeploymentSaved:
        return DeploymentSaved(deployment_id=self.id, name=name, created_at=self.scene.world.now)

    def rename(self, name: str) -> None:
        self.scene.record(self._saved(name))

    def delete(self) -> None:
        self.scene.record(DeploymentDeleted(deployment_id=self.id))

    def appear(self, *resources: str, env: str | None = None) -> None:
        self.scene.record(
            TargetsChanged(deployment_id=self.id, environment_id=env or self.scene.production, added=tuple(resources))
        )

    def vanish(self, *resources: str) -> None:
        self.scene.record(TargetsChanged(deployment_id=self.id, environment_id=self.scene.production, removed=tuple(resources)))

    def version(
        self, tag: str, *, status: VersionStatus = "ready", metadata: dict[str, str] | None = None, message: str | None = None
    ) -> str:
        """A version is posted, or changed where it exists."""
        version_id = uid(f"{self.name} {tag}")
        known = self.scene.state.versions.get(version_id)
        kind = VersionUpdated if known is not None else VersionCreated
        self.scene.record(
            kind(
                version_id=version_id, deployment_id=self.id, tag=tag, name=tag, status=status, metadata=metadata or {},
                message=message, created_at=known.created_at if known is not None else self.scene.world.now,
            )
        )  # fmt: skip
        return version_id

    def job(self, version_id: str, resource_id: str, *statuses: JobStatus, env: str | None = None) -> str:
        """A job of this deployment comes through these statuses."""
        self._jobs += 1
        job_id = uid(f"{self.name} job {self._jobs}")
        about: dict[str, Any] = {
            "job_id": job_id,
            "release_id": uid(f"{version_id} {resource_id}"),
            "resource_id": resource_id,
            "environment_id": env or self.scene.production,
            "deployment_id": self.id,
            "version_id": version_id,
            "agent_id": "agent",
        }
        now = self.scene.world.now
        self.scene.record(
            JobCreated(**about, status="pending", snapshot=SNAPSHOT, created_at=now, deadline_at=now + timedelta(hours=1))
        )
        for status in statuses:
            self.status(job_id, status)
        return job_id

    def status(self, job_id: str, status: JobStatus) -> None:
        """A job of this deployment moves on, told by its agent or by a person."""
        told_before = [one for one in self.scene.facts(JobStatusChanged) if one.job_id == job_id]
        created = next(one for one in self.scene.facts(JobCreated) if one.job_id == job_id)
        about = created.model_dump(
            include={"job_id", "release_id", "resource_id", "environment_id", "deployment_id", "version_id", "agent_id"}
        )
        self.scene.record(
            JobStatusChanged(
                **about, status=status, previous=told_before[-1].status if told_before else created.status,
                completed_at=self.scene.world.now if status in {"successful", "failure"} else None,
                changed_at=self.scene.world.now,
            )
        )  # fmt: skip
