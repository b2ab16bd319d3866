"""What clients send: one model per body or query. Properties that are not declared are ignored, declared ones are not coerced."""

from __future__ import annotations

from services.gateway.http.bodies.catalog import (
    ApprovalBody,
    CreateVersion,
    DependencyBody,
    DeploymentBody,
    DeploymentVariableBody,
    DeploymentVariableValueBody,
    EnvironmentBody,
    SystemBody,
    UpdateVersion,
)
from services.gateway.http.bodies.form import (
    Body,
)
from services.gateway.http.bodies.freezes import (
    ChangeFreeze,
    CreateFreeze,
    FreezePreview,
    OverrideBody,
    StopBody,
    ThawBody,
)
from services.gateway.http.bodies.inventory import (
    CreateVariableSet,
    PreviewBody,
    ProvidedResource,
    ProviderBody,
    ProviderSet,
    RelationshipRuleBody,
    ResourceBody,
    ResourceSearch,
    ResourceVariables,
    SetVariable,
    UpdateVariableSet,
)
from services.gateway.http.bodies.jobs import (
    AgentBody,
    CancelJobBody,
    ClaimBody,
    CompleteJobBody,
    HeartbeatBody,
    JobStatusBody,
)
from services.gateway.http.bodies.plans import (
    PlanBody,
    PlannedVersion,
)
from services.gateway.http.bodies.policies import (
    CreatePolicy,
    RuleBody,
    UpsertPolicy,
)
from services.gateway.http.bodies.queries import (
    AgentJobs,
    CelPaging,
    EvaluationsQuery,
    EventsQuery,
    NoQuery,
    Paging,
    StateQuery,
    StreamQuery,
    VersionPaging,
)
from services.gateway.http.bodies.skips import (
    SkipBody,
    SkipPaging,
)
from services.gateway.http.bodies.targets import (
    EligibleBody,
    EnvironmentRollbackBody,
    PairBody,
    PairRollbackBody,
    PinBody,
    RedeployBody,
    RollbackBody,
)
from services.gateway.http.bodies.tenants import (
    CreateWorkspace,
    UpdateWorkspace,
)
from services.gateway.http.bodies.verifications import (
    MeasurementsQuery,
    VerifyAgainBody,
)
from services.gateway.http.bodies.workflows import (
    CancelRunBody,
    RunBody,
    WorkflowBody,
)

__all__ = [
    "Body",
    "NoQuery",
    "Paging",
    "CelPaging",
    "VersionPaging",
    "AgentJobs",
    "StateQuery",
    "EvaluationsQuery",
    "EventsQuery",
    "StreamQuery",
    "CreateWorkspace",
    "UpdateWorkspace",
    "SystemBody",
    "DeploymentBody",
    "DeploymentVariableBody",
    "DeploymentVariableValueBody",
    "EnvironmentBody",
    "DependencyBody",
    "CreateVersion",
    "UpdateVersion",
    "ApprovalBody",
    "ResourceBody",
    "ProviderBody",
    "ProvidedResource",
    "ProviderSet",
    "ResourceSearch",
    "ResourceVariables",
    "PreviewBody",
    "SetVariable",
    "CreateVariableSet",
    "UpdateVariableSet",
    "RelationshipRuleBody",
    "AgentBody",
    "CancelJobBody",
    "ClaimBody",
    "CompleteJobBody",
    "HeartbeatBody",
    "JobStatusBody",
    "PairBody",
    "EligibleBody",
    "PinBody",
    "RedeployBody",
    "RollbackBody",
    "PairRollbackBody",
    "EnvironmentRollbackBody",
    "MeasurementsQuery",
    "VerifyAgainBody",
    "PlanBody",
    "PlannedVersion",
    "RuleBody",
    "CreatePolicy",
    "UpsertPolicy",
    "CreateFreeze",
    "ChangeFreeze",
    "ThawBody",
    "OverrideBody",
    "FreezePreview",
    "StopBody",
    "SkipBody",
    "SkipPaging",
    "WorkflowBody",
    "RunBody",
    "CancelRunBody",
]
