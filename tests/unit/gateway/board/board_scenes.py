"""Facts of one cell and a board made of them: what a test does not care about is left to the default."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts import dispatcher, inventory, planner, policy, verifier
from contracts.shapes import ACTIVE, AnyApproval, MetricProvider, MetricSpec, Rule
from libs.simulation.world import WORKSPACE, decode
from services.gateway.board.live import Live
from services.gateway.board.rows import cell_row
from services.gateway.board.state import Pair, initial, pair_key
from services.gateway.board.targets import target_row

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def uid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


SYSTEM, API, PROD, POLICY, RULE = (uid(number) for number in range(1, 6))
V1, V2, V3 = uid(11), uid(12), uid(13)
R1, R2, R3 = uid(21), uid(22), uid(23)
TAGS = {V1: "v1", V2: "v2", V3: "v3"}
PLACE = {"deployment_id": API, "environment_id": PROD}


def recorded(position: int, fact: Fact, at: datetime = NOW, by: str = "user:ana") -> Recorded:
    return Recorded(
        workspace_id=WORKSPACE, position=position, id=uid(1000 + position), type=type(fact).TYPE, stream=fact.stream, time=at,
        recorded_time=at, correlation_id=uid(0), causation_id=uid(0), auth_id=by, traceparent="", data=fact.to_json(), decode=decode,
    )  # fmt: skip


class Scene:
    """A board that facts are given to.

    Attributes:
        live: the board.
    """

    def __init__(self, *given: Fact) -> None:
        self.live = Live(initial(WORKSPACE), 0, None)
        self.at = NOW
        self.when(*given)

    def when(self, *facts: Fact, by: str = "user:ana") -> Scene:
        for fact in facts:
            self.at += timedelta(seconds=1)
            self.live.take(recorded(self.live.position + 1, fact, self.at, by))
        return self

    @property
    def pair(self) -> Pair:
        return self.live.board.pairs[pair_key(API, PROD)]

    @property
    def cell(self) -> dict[str, Any]:
        return cell_row(self.live.board, self.pair)

    def target(self, resource_id: str = R1, version_id: str | None = None) -> dict[str, Any]:
        return target_row(self.live.board, self.pair, resource_id, version_id)


def world(*resources: str) -> Scene:
    """A deployment in an environment with these targets (one when none is named), and three versions."""
    ids = resources or (R1,)
    return Scene(
        planner.SystemSaved(system_id=SYSTEM, name="shop", created_at=NOW),
        planner.DeploymentSaved(deployment_id=API, name="api", created_at=NOW),
        environment(),
        planner.DeploymentLinked(system_id=SYSTEM, deployment_id=API),
        *(resource(one) for one in ids),
        *(version(one) for one in TAGS),
        planner.TargetsChanged(**PLACE, added=tuple(ids)),
    )


def environment(id_: str = PROD, name: str = "prod", at: datetime = NOW, **metadata: str) -> planner.EnvironmentSaved:
    return planner.EnvironmentSaved(environment_id=id_, name=name, created_at=at, metadata=metadata)


def resource(id_: str = R1, name: str | None = None) -> inventory.ResourceSaved:
    named = name or f"r{int(id_[-12:]) - 20}"
    return inventory.ResourceSaved(
        resource_id=id_, identifier=named, name=named, kind="Cluster", version="v1", created_at=NOW, updated_at=NOW
    )


def version(id_: str, status: Any = "ready", tag: str | None = None) -> planner.VersionCreated:
    made = NOW + timedelta(minutes=int(id_[-12:]))
    return planner.VersionCreated(
        version_id=id_, deployment_id=API, tag=tag or TAGS[id_], name="", status=status, created_at=made
    )


def changed(id_: str, status: Any = "ready", tag: str | None = None) -> planner.VersionUpdated:
    return planner.VersionUpdated.model_validate(version(id_, status, tag).model_dump())


def release(version_id: str, resource_id: str = R1) -> str:
    return uid(int(version_id[-12:]) * 1000 + int(resource_id[-12:]))


def wanted(version_id: str, *resources: str) -> planner.ReleasesCreated:
    items = tuple(planner.ReleaseItem(resource_id=one, release_id=release(version_id, one)) for one in resources or (R1,))
    return planner.ReleasesCreated(**PLACE, version_id=version_id, items=items, cleared_at=1, created_at=NOW)


def job_id(version_id: str, resource_id: str = R1) -> str:
    return uid(int(version_id[-12:]) * 10_000_000 + int(resource_id[-12:]))


def job(version_id: str, resource_id: str = R1, status: Any = "pending", **more: Any) -> dispatcher.JobCreated:
    snapshot = dispatcher.DispatchSnapshot(resource=1, environment=1, deployment=1, version=1, release=1)
    ids = {"resource_id": resource_id, "version_id": version_id, "release_id": release(version_id, resource_id)}
    fields = {"job_id": job_id(version_id, resource_id), "created_at": NOW, **more}
    return dispatcher.JobCreated(**PLACE, **ids, status=status, snapshot=snapshot, deadline_at=LATER, **fields)


def moved(version_id: str, status: Any, resource_id: str = R1, **more: Any) -> dispatcher.JobStatusChanged:
    done = None if status in ACTIVE else NOW
    ids = {"resource_id": resource_id, "version_id": version_id, "release_id": release(version_id, resource_id)}
    fields = {"job_id": job_id(version_id, resource_id), "completed_at": done, **more}
    return dispatcher.JobStatusChanged(**PLACE, **ids, status=status, previous="pending", changed_at=NOW, **fields)


def deployed(version_id: str, *resources: str) -> list[Fact]:
    """The version is wanted, and its jobs succeed."""
    ids = resources or (R1,)
    return [
        wanted(version_id, *ids),
        *(job(version_id, one) for one in ids),
        *(moved(version_id, "successful", one) for one in ids),
    ]


def held(
    version_id: str,
    rule_type: str = "anyApproval",
    verdict: Any = "waiting",
    *resources: str,
    until: datetime | None = None,
    message: str = "It waits.",
    rule_id: str = RULE,
    policy_id: str = POLICY,
) -> policy.RuleEvaluated:
    group = policy.VerdictGroup(verdict=verdict, message=message, resource_ids=resources or (R1,), look_again_at=until)
    return policy.RuleEvaluated(
        **PLACE,
        version_id=version_id,
        policy_id=policy_id,
        rule_id=rule_id,
        rule_type=rule_type,
        groups=(group,),
        evaluated_at=NOW,
    )


def implicit(version_id: str, rule_type: str, verdict: Any = "blocked", *resources: str) -> policy.RuleEvaluated:
    """The verdict of a rule that belongs to no policy."""
    return held(version_id, rule_type, verdict, *resources, rule_id="", policy_id="")


def cleared(version_id: str, *resources: str) -> policy.TargetsCleared:
    return policy.TargetsCleared(**PLACE, version_id=version_id, resource_ids=resources or (R1,), at=1, cleared_at=NOW)


def approvals(needs: int = 1, **more: Any) -> policy.PolicySaved:
    rule = Rule(id=RULE, created_at="2026-01-01T00:00:00Z", any_approval=AnyApproval(min_approvals=needs, **more))
    return policy.PolicySaved(policy_id=POLICY, name="careful", rules=(rule,), created_at=NOW)


def vote(version_id: str, user: str, status: Any = "approved", **more: Any) -> policy.ApprovalRecorded:
    return policy.ApprovalRecorded(
        version_id=version_id, environment_id=PROD, user_id=user, user_name=user.title(), status=status, decided_at=NOW, **more
    )


def went_back(
    version_id: str, to: str | None, resource_id: str = R1, *, by_hand: bool = False, reason: str = ""
) -> planner.RollbackStarted:
    why = {"policy_id": "", "rule_id": "", "job_id": ""} if by_hand else {"policy_id": POLICY, "rule_id": RULE, "job_id": uid(7)}
    to_release = release(to, resource_id) if to is not None else None
    return planner.RollbackStarted(
        **PLACE, resource_id=resource_id, version_id=version_id, release_id=to_release, to_version_id=to, reason=reason, started_at=NOW,
        **why,
    )  # fmt: skip


def _checked(version_id: str, resource_id: str) -> dict[str, Any]:
    return {
        **PLACE,
        "verification_id": uid(int(version_id[-12:]) * 31 + int(resource_id[-12:])),
        "job_id": job_id(version_id, resource_id),
        "release_id": release(version_id, resource_id),
        "resource_id": resource_id,
        "version_id": version_id,
    }


def measuring(version_id: str, resource_id: str = R1) -> Sequence[Fact]:
    """A verification is asked for, and begins."""
    ids = _checked(version_id, resource_id)
    provider = MetricProvider.model_validate({"type": "sleep", "durationSeconds": 1})
    metrics = (MetricSpec(name="error rate", interval_seconds=1, count=1, provider=provider, success_condition="true"),)
    required = {key: value for key, value in ids.items() if key != "verification_id"}
    rule = {"policy_id": POLICY, "rule_id": RULE}
    return [
        policy.VerificationRequired(**required, **rule, metrics=metrics, required_at=NOW),
        verifier.VerificationStarted(**ids, **rule, metrics=metrics, first_at=(NOW,), started_at=NOW),
    ]


def passed(version_id: str, resource_id: str = R1) -> verifier.VerificationPassed:
    return verifier.VerificationPassed(**_checked(version_id, resource_id), finished_at=NOW)


def failed(version_id: str, resource_id: str = R1) -> verifier.VerificationFailed:
    return verifier.VerificationFailed(
        **_checked(version_id, resource_id), finished_at=NOW, metric="error rate", message="too high"
    )


def unclear(version_id: str, resource_id: str = R1) -> verifier.VerificationInconclusive:
    return verifier.VerificationInconclusive(
        **_checked(version_id, resource_id), finished_at=NOW, metric="error rate", message="no data"
    )
