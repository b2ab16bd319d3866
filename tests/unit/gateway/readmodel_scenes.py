"""Facts to project, about one of everything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.facts import dispatcher, inventory, planner, policy, verifier
from contracts.shapes import MetricProvider, MetricSpec, Target
from libs.simulation.world import decode
from services.gateway.adapters.memory import MemoryRows
from services.gateway.readmodel import patches_of
from services.gateway.rows import Change

WORKSPACE = "11111111-1111-4111-8111-111111111111"
AT = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
STAMP = "2026-01-01T12:00:00.123Z"


def uid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


R, E, D, V, A, S, REL, JOB, VER = (uid(number) for number in range(1, 10))
TARGET = Target(R, E, D)


def recorded(position: int, fact: Fact) -> Recorded:
    return Recorded(
        workspace_id=WORKSPACE, position=position, id=uid(position), type=type(fact).TYPE, stream=fact.stream, time=AT, recorded_time=AT,
        correlation_id=uid(0), causation_id=uid(0), auth_id="service:test", traceparent="", data=fact.to_json(), decode=decode,
    )  # fmt: skip


async def project(*facts: Fact) -> MemoryRows:
    rows = MemoryRows()
    changes = [Change(number, patch) for number, fact in enumerate(facts, 1) for patch in patches_of(recorded(number, fact))]
    assert await rows.apply(WORKSPACE, 0, max(1, len(facts)), changes)
    return rows


def system(name: str = "shop") -> planner.SystemSaved:
    return planner.SystemSaved(system_id=S, name=name, created_at=AT)


def deployment(selector: str = "false") -> planner.DeploymentSaved:
    return planner.DeploymentSaved(deployment_id=D, name="api", resource_selector=selector, created_at=AT)


def environment(selector: str = "false") -> planner.EnvironmentSaved:
    return planner.EnvironmentSaved(environment_id=E, name="prod", resource_selector=selector, created_at=AT)


def version(tag: str = "v1", status: Any = "ready") -> planner.VersionCreated:
    return planner.VersionCreated(version_id=V, deployment_id=D, tag=tag, name=tag, status=status, created_at=AT)


def resource(name: str = "r") -> inventory.ResourceSaved:
    return inventory.ResourceSaved(
        resource_id=R, identifier="i", name=name, kind="k", version="v", metadata={"$x": "y"}, created_at=AT, updated_at=AT
    )


def agent() -> dispatcher.JobAgentSaved:
    return dispatcher.JobAgentSaved(agent_id=A, name="runner", type="test-runner", created_at=AT)


def targets(*, added: Sequence[str] = (), removed: Sequence[str] = ()) -> planner.TargetsChanged:
    return planner.TargetsChanged(deployment_id=D, environment_id=E, added=tuple(added), removed=tuple(removed))


def release(at: datetime = AT, release_id: str = REL) -> planner.ReleasesCreated:
    item = planner.ReleaseItem(resource_id=R, release_id=release_id, variables={"k": 1})
    return planner.ReleasesCreated(deployment_id=D, environment_id=E, version_id=V, items=(item,), cleared_at=1, created_at=at)


JOB_IDS: dict[str, Any] = {
    "job_id": JOB,
    "release_id": REL,
    "resource_id": R,
    "environment_id": E,
    "deployment_id": D,
    "version_id": V,
}


def job(status: Any = "pending") -> dispatcher.JobCreated:
    snapshot = dispatcher.DispatchSnapshot(resource=1, environment=2, deployment=3, version=4, agent=5, release=6)
    return dispatcher.JobCreated(
        **JOB_IDS, agent_id=A, status=status, snapshot=snapshot, created_at=AT, deadline_at=AT + timedelta(hours=1)
    )


def moved(status: Any, completed_at: datetime | None = None, **more: Any) -> dispatcher.JobStatusChanged:
    given = {"previous": "pending", "completed_at": completed_at, **more}
    return dispatcher.JobStatusChanged(**JOB_IDS, agent_id=A, status=status, changed_at=AT, **given)


VERIFIED: dict[str, Any] = {**JOB_IDS, "verification_id": VER}


def metric(name: str = "m", **more: Any) -> MetricSpec:
    provider = MetricProvider.model_validate({"type": "http", "url": "http://x"})
    return MetricSpec(name=name, interval_seconds=1, count=1, provider=provider, success_condition="result.ok", **more)


def verification(*metrics: MetricSpec, **more: Any) -> verifier.VerificationStarted:
    asked = metrics or (metric(),)
    given = {**VERIFIED, "policy_id": uid(20), "rule_id": uid(21), "started_at": AT, **more}
    return verifier.VerificationStarted(**given, metrics=asked, first_at=(AT,) * len(asked))


def measured(number: int, name: str = "m", **more: Any) -> verifier.MeasurementTaken:
    given = {**VERIFIED, "status": "passed", "data": {"n": number}, "due_at": AT, "measured_at": AT, **more}
    return verifier.MeasurementTaken(metric=name, number=number, **given)


def passed(**more: Any) -> verifier.VerificationPassed:
    return verifier.VerificationPassed(**{**VERIFIED, **more}, finished_at=AT)


def failed(name: str = "m", **more: Any) -> verifier.VerificationFailed:
    return verifier.VerificationFailed(**{**VERIFIED, **more}, metric=name, message="too high", finished_at=AT)


WORLD = (resource(), environment(), deployment(), version(), agent(), release(), job())


# --- variables, relations, choices -----------------------------------------------------------------------------------------------------

VARIABLE, VALUE, SET, RULE, V2 = (uid(number) for number in range(40, 45))


def variable(key: str = "port", description: str | None = None) -> planner.DeploymentVariableSaved:
    return planner.DeploymentVariableSaved(deployment_id=D, variable_id=VARIABLE, key=key, description=description, created_at=AT)


def value(content: Any = "5432", value_id: str = VALUE, priority: int = 0) -> planner.DeploymentVariableValueSaved:
    return planner.DeploymentVariableValueSaved(
        deployment_id=D, variable_id=VARIABLE, value_id=value_id, value=content, priority=priority, created_at=AT
    )


def resource_variables(**variables: Any) -> inventory.ResourceVariablesSaved:
    return inventory.ResourceVariablesSaved(resource_id=R, variables=variables)


def variable_set(set_id: str = SET, name: str = "set", priority: int = 0) -> inventory.VariableSetSaved:
    item = inventory.VariableSetItem(id=uid(46), key="k", value={"object": {"a": 1}})
    return inventory.VariableSetSaved(
        set_id=set_id, name=name, selector="true", priority=priority, variables=(item,), created_at=AT, updated_at=AT
    )


def relationship_rule() -> inventory.RelationshipRuleSaved:
    return inventory.RelationshipRuleSaved(rule_id=RULE, name="in", reference="vpc", cel="true", created_at=AT)


def depending(*deployment_ids: str, updated: bool = False) -> planner.VersionCreated | planner.VersionUpdated:
    kind = planner.VersionUpdated if updated else planner.VersionCreated
    needed = dict.fromkeys(deployment_ids, "true")
    return kind(version_id=V, deployment_id=D, tag="v1", name="v1", dependencies=needed, created_at=AT)


def pinned(resource_id: str | None = None, version_id: str = V) -> planner.VersionPinned:
    return planner.VersionPinned(deployment_id=D, environment_id=E, resource_id=resource_id, version_id=version_id, pinned_at=AT)


def unpinned(resource_id: str | None = None) -> planner.PinReleased:
    return planner.PinReleased(deployment_id=D, environment_id=E, resource_id=resource_id, version_id=V, released_at=AT)


def rolled_back(release_id: str | None = REL, to_version_id: str | None = V, also: Sequence[str] = ()) -> planner.RollbackStarted:
    return planner.RollbackStarted(
        deployment_id=D, environment_id=E, resource_id=R, version_id=V2, job_id=JOB, release_id=release_id,
        to_version_id=to_version_id, reason="bad", policy_id="", rule_id="", also_marked=tuple(also), started_at=AT,
    )  # fmt: skip


def lifted(*resource_ids: str, version_id: str = V2) -> planner.MarkLifted:
    return planner.MarkLifted(
        deployment_id=D, environment_id=E, version_id=version_id, resource_ids=resource_ids or (R,), lifted_at=AT
    )


def redeployed(version_id: str = V2) -> planner.RedeployRequested:
    item = planner.RedeployItem(resource_id=R, release_id=REL, version_id=version_id)
    return planner.RedeployRequested(deployment_id=D, environment_id=E, items=(item,), requested_at=AT)


# --- freezes and skips -----------------------------------------------------------------------------------------------------------------

FREEZE, OVERRIDE, SKIP = (uid(number) for number in range(90, 93))


def freeze(reason: str = "incident", **more: Any) -> policy.FreezeSaved:
    given = {"reason": reason, "starts_at": AT, "created_by": "user:a", "created_at": AT, **more}
    return policy.FreezeSaved(freeze_id=FREEZE, **given)


def thawed(reason: str = "") -> policy.FreezeThawed:
    return policy.FreezeThawed(freeze_id=FREEZE, reason=reason, thawed_by="user:b", thawed_at=AT + timedelta(hours=1))


def overridden(environment_id: str | None = None) -> policy.FreezeOverridden:
    return policy.FreezeOverridden(
        freeze_id=FREEZE, override_id=OVERRIDE, version_id=V, environment_id=environment_id, reason="the fix",
        created_by="user:a", expires_at=AT + timedelta(hours=2), created_at=AT,
    )  # fmt: skip


def skip(environment_id: str | None = None, **more: Any) -> policy.SkipCreated:
    return policy.SkipCreated(
        skip_id=SKIP, version_id=V, rule_id=uid(21), environment_id=environment_id, created_by="user:a", created_at=AT, **more
    )
