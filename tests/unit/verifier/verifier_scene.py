"""A target with a job, and what measurements answer, as the tests of verifier are given them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from contracts.facts.dispatcher import DispatchSnapshot, JobCreated, JobStatusChanged
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, ReleaseItem, ReleasesCreated, VersionCreated
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import MeasurementTaken, VerificationFailed, VerificationPassed
from contracts.shapes import MetricSpec
from libs.runtime.service import Intent
from libs.simulation.world import START, World
from services.verifier.app import service


def id_of(name: str) -> str:
    """A fixed uuid for a name."""
    return str(uuid5(NAMESPACE_OID, name))


ABOUT = {
    "release_id": id_of("release"),
    "resource_id": id_of("resource"),
    "environment_id": id_of("environment"),
    "deployment_id": id_of("deployment"),
    "version_id": id_of("version"),
}
GOOD: dict[str, Any] = {"ok": True, "statusCode": 200, "body": "{}", "headers": {}, "duration": 3}
BAD: dict[str, Any] = {"ok": False, "statusCode": 500, "body": "down", "headers": {}, "duration": 3}
ERROR: dict[str, Any] = {"error": "connection refused"}


def metric(name: str = "health", **fields: Any) -> MetricSpec:
    """A metric that asks an endpoint three times, a minute apart."""
    defaults: dict[str, Any] = {
        "interval_seconds": 60,
        "count": 3,
        "provider": {"type": "http", "url": "http://{{.resource.name}}/health"},
        "success_condition": "result.ok",
    }
    return MetricSpec.model_validate({"name": name, **defaults, **fields})


class Outside:
    """Answers metric by metric what it was told, the last one for ever; keeps the questions and when they came."""

    def __init__(self) -> None:
        self.script: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, datetime, Any]] = []

    def __call__(self, intent: Intent, now: datetime) -> dict[str, Any]:
        name = intent.key.split("/", 2)[2]
        self.asked.append((name, now, intent.request))
        answers = self.script.get(name, [GOOD])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def seconds(self, name: str = "health") -> list[float]:
        """When a metric was asked, in seconds since the start."""
        return [(at - START).total_seconds() for one, at, _ in self.asked if one == name]


class Scene(World):
    """The world with verifier alone; what the other services would record is given."""

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self.outside = Outside()
        self.outside.script.update(answers)
        super().__init__([service], {"verifier": self.outside})
        self.record(
            ResourceSaved(
                resource_id=ABOUT["resource_id"],
                identifier="eu-1",
                name="eu-1",
                kind="Cluster",
                version="v1",
                metadata={"git/sha": "abc"},
                created_at=START,
                updated_at=START,
            ),
            EnvironmentSaved(environment_id=ABOUT["environment_id"], name="staging", created_at=START),
            DeploymentSaved(deployment_id=ABOUT["deployment_id"], name="shop", created_at=START),
            VersionCreated(
                version_id=ABOUT["version_id"],
                deployment_id=ABOUT["deployment_id"],
                tag="v2.0.0",
                name="v2.0.0",
                created_at=START,
            ),
            ReleasesCreated(
                deployment_id=ABOUT["deployment_id"],
                environment_id=ABOUT["environment_id"],
                version_id=ABOUT["version_id"],
                items=(
                    ReleaseItem(
                        resource_id=ABOUT["resource_id"], release_id=ABOUT["release_id"], variables={"port": 8080.0, "x": "y"}
                    ),
                ),
                cleared_at=1,
                created_at=START,
            ),
            JobCreated(
                job_id=id_of("job"),
                **ABOUT,
                agent_id=id_of("agent"),
                status="pending",
                snapshot=DispatchSnapshot(resource=1, environment=2, deployment=3, version=4, release=5),
                created_at=START,
                deadline_at=START,
            ),
            JobStatusChanged(
                job_id=id_of("job"),
                **ABOUT,
                status="successful",
                previous="pending",
                external_id="run-7",
                completed_at=START,
                changed_at=START,
            ),
        )
        self.run()

    def require(self, *metrics: MetricSpec, rule: str = "rule", job: str = "job") -> None:
        """Policy requires a verification, and verifier has acted on it."""
        self.record(
            VerificationRequired(
                job_id=id_of(job),
                **ABOUT,
                policy_id=id_of("policy"),
                rule_id=id_of(rule),
                metrics=metrics,
                required_at=self.now,
            )
        )
        self.run()

    def taken(self, name: str = "health") -> list[str]:
        """The statuses of a metric's measurements."""
        return [one.status for one in self.facts(MeasurementTaken) if one.metric == name]

    def outcome(self) -> str:
        """How the only verification stands."""
        passed, failed = self.facts(VerificationPassed), self.facts(VerificationFailed)
        assert len(passed) + len(failed) <= 1
        return "passed" if passed else "failed" if failed else "running"
