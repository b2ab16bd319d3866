"""A target with a job, and what measurements answer, as the tests of verifier are given them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from contracts.commands.verifier import VerifyAgain
from contracts.facts.dispatcher import DispatchSnapshot, JobCreated, JobStatusChanged
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, ReleaseItem, ReleasesCreated, VersionCreated
from contracts.facts.policy import VerificationRequired
from contracts.facts.verifier import (
    MeasurementTaken,
    VerificationCancelled,
    VerificationFailed,
    VerificationInconclusive,
    VerificationPassed,
    VerificationStarted,
)
from contracts.shapes import JobStatus, MetricSpec
from libs.runtime.service import Intent
from libs.simulation.world import START, Performing, World
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


def about_of(release: str) -> dict[str, Any]:
    """What facts say of a release of the one target."""
    return {**ABOUT, "release_id": id_of(release), "version_id": id_of(release.replace("release", "version"))}


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
    """Answers metric by metric what it was told, the last one for ever; keeps the questions and when they came.

    An answer is a provider's result, or `{"error": …}` where there is none.
    """

    def __init__(self) -> None:
        self.script: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, datetime, Any]] = []

    def __call__(self, intent: Intent, now: datetime) -> dict[str, Any]:
        name = intent.key.split("/", 2)[2]
        self.asked.append((name, now, intent.request))
        answers = self.script.get(name, [GOOD])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return {"measured_at": now.isoformat(), **(answer if "error" in answer and "ok" not in answer else {"result": answer})}

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
        )
        self.job("job")
        self.run()

    def script(self, answer: Performing) -> None:
        """Answer every question so; None leaves it open."""
        self._performers["verifier"] = answer

    def job(self, name: str, release: str = "release", status: JobStatus = "successful", attempt: int = 1) -> None:
        """A job of a release was made, and came to a status; another release is one of another version."""
        about = about_of(release)
        self.record(
            JobCreated(
                job_id=id_of(name),
                **about,
                agent_id=id_of("agent"),
                status="pending",
                snapshot=DispatchSnapshot(resource=1, environment=2, deployment=3, version=4, release=5),
                attempt=attempt,
                created_at=self.now,
                deadline_at=self.now,
            )
        )
        if status != "pending":
            self.move(name, status, release)

    def move(self, name: str, status: JobStatus, release: str = "release", began: bool = True) -> None:
        """A job came to a status."""
        self.record(
            JobStatusChanged(
                job_id=id_of(name),
                **about_of(release),
                status=status,
                previous="pending",
                external_id="run-7",
                started_at=self.now if began else None,
                completed_at=self.now,
                changed_at=self.now,
            )
        )
        self.run()

    def require(
        self,
        *metrics: MetricSpec,
        rule: str | None = "rule",
        job: str = "job",
        release: str = "release",
        continue_seconds: int | None = None,
        note: str = "",
    ) -> None:
        """Policy requires a verification (without a rule: for the job's agent), and verifier has acted on it."""
        self.record(
            VerificationRequired(
                job_id=id_of(job),
                **about_of(release),
                policy_id=id_of("policy") if rule else "",
                rule_id=id_of(rule) if rule else "",
                metrics=metrics,
                continue_seconds=continue_seconds,
                note=note,
                required_at=self.now,
            )
        )
        self.run()

    def deploy(self, release: str, *metrics: MetricSpec, continue_seconds: int | None = None) -> str:
        """A release was deployed by a job of its own, and is verified: the id of its verification."""
        self.job(f"job of {release}", release)
        self.require(*metrics, job=f"job of {release}", release=release, continue_seconds=continue_seconds)
        return self.facts(VerificationStarted)[-1].verification_id

    def again(self, verification_id: str, reason: str = "") -> str:
        """A person has it verified again: the id of the new one."""
        answer: dict[str, str] = self.do(VerifyAgain(verification_id=verification_id, reason=reason))
        return answer["id"]

    def taken(self, name: str = "health") -> list[str]:
        """The statuses of a metric's measurements."""
        return [one.status for one in self.facts(MeasurementTaken) if one.metric == name]

    def outcome(self, verification_id: str | None = None) -> str:
        """How the only verification stands, or the named one."""
        ends = [
            name
            for name, kind in _ENDS.items()
            for one in self.facts(kind)
            if verification_id in (None, one.verification_id) and not (isinstance(one, VerificationFailed) and one.after_passing)
        ]
        assert len(ends) <= 1
        return ends[0] if ends else "running"


_ENDS: dict[str, type[VerificationPassed | VerificationFailed | VerificationInconclusive | VerificationCancelled]] = {
    "passed": VerificationPassed,
    "failed": VerificationFailed,
    "inconclusive": VerificationInconclusive,
    "cancelled": VerificationCancelled,
}
