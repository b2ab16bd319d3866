"""What verifier says of a job's verifications, in all its forms, and a person who lifts marks."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID, uuid5

from contracts.facts.planner import MarkLifted
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import (
    VerificationCancelled,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    VerificationStarted,
    WatchEnded,
)
from services.policy.state import NOWHERE, Job, Standing, pair_key
from tests.unit.policy.policy_scenes import Scene

Reaction = Literal["hold", "rollBack"]


class Verifying:
    """One attempt at verifying a job, for the first rule that requires it, or the one of this number."""

    def __init__(self, scene: Scene, job_id: str, *, attempt: int = 1, rule: int = 0, begin: bool = True) -> None:
        self.scene = scene
        required = [one for one in scene.world.facts(VerificationRequired) if one.job_id == job_id][rule]
        self._required = required
        self._attempt = attempt
        name = required.rule_id if attempt == 1 else f"{required.rule_id}/{attempt}"
        about = required.model_dump(
            include={"job_id", "release_id", "resource_id", "environment_id", "deployment_id", "version_id"}
        )
        self.about: dict[str, Any] = {"verification_id": str(uuid5(UUID(job_id), name)), **about}
        if begin:
            self.begin()

    def begin(self) -> None:
        required, now = self._required, self.scene.world.now
        self.scene.record(
            VerificationStarted(
                **self.about, policy_id=required.policy_id, rule_id=required.rule_id, metrics=required.metrics,
                first_at=(now,) * len(required.metrics), attempt=self._attempt, started_at=now,
            )
        )  # fmt: skip

    @property
    def _end(self) -> dict[str, Any]:
        return {**self.about, "finished_at": self.scene.world.now}

    def passes(self) -> Verifying:
        self.scene.record(VerificationPassed(**self._end))
        return self

    def fails(self, reaction: Reaction | None = None, *, after_passing: bool = False) -> Verifying:
        self.scene.record(
            VerificationFailed(**self._end, metric="m", message="too many errors", reaction=reaction, after_passing=after_passing)
        )
        return self

    def is_inconclusive(self) -> Verifying:
        self.scene.record(VerificationInconclusive(**self._end, metric="m", message="no data"))
        return self

    def is_cancelled(self) -> Verifying:
        self.scene.record(VerificationCancelled(**self._end, reason="v2 runs there now"))
        return self

    def watch_ends(self) -> Verifying:
        self.scene.record(WatchEnded(**self._end))
        return self


def lift(scene: Scene, version_id: str, *resources: str, env: str | None = None) -> None:
    """A person ends the mark of a version on targets."""
    scene.record(
        MarkLifted(
            deployment_id=scene.deployment, environment_id=env or scene.production, version_id=version_id, resource_ids=resources,
            reason="it was the network", lifted_at=scene.world.now,
        )
    )  # fmt: skip


def standing(scene: Scene, resource_id: str, env: str | None = None) -> Standing:
    """What is known of a target."""
    return scene.state.pairs[pair_key(scene.deployment, env or scene.production)].standings.get(resource_id, NOWHERE)


def job_of(scene: Scene, version_id: str, resource_id: str, env: str | None = None) -> Job:
    """The newest job of a version on a target."""
    return scene.state.pairs[pair_key(scene.deployment, env or scene.production)].jobs_of(resource_id, version_id)[-1]
