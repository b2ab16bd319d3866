"""Shapes that several facts and commands share: the target, the job status, the rules of a policy, a metric.

Policy rules and metrics are read and shown with the camelCase names of the v1 API (aliases); the log holds them, like everything in it, by
field name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer
from pydantic.alias_generators import to_camel

Json = dict[str, Any]

INT32 = 2**31 - 1
"""The API declares the integers of rules as 32 bits wide; clients in other languages can hold no more."""

# The bounds are written at each field: of two bounds of one kind (one in an alias, one at the field) only the alias' would count.
Int32 = Annotated[int, Field(ge=-INT32 - 1, le=INT32)]

JobStatus = Literal[
    "pending",
    "queued",
    "inProgress",
    "actionRequired",
    "successful",
    "failure",
    "cancelled",
    "skipped",
    "invalidJobAgent",
    "invalidIntegration",
    "externalRunNotFound",
]
ACTIVE: frozenset[str] = frozenset({"pending", "queued", "inProgress", "actionRequired"})
"""A job in one of these blocks a new one on the same release target."""

VersionStatus = Literal["unspecified", "building", "ready", "failed", "rejected", "paused"]

Supersession = Literal["latest", "every"]
"""Which versions of a deployment a target takes: the newest that is cleared, or every one in the order of creation."""


class Target(NamedTuple):
    """A release target: resource × environment × deployment. Its key is the three ids joined by `-`, in this order."""

    resource_id: str
    environment_id: str
    deployment_id: str

    @property
    def key(self) -> str:
        return f"{self.resource_id}-{self.environment_id}-{self.deployment_id}"

    @classmethod
    def parse(cls, key: str) -> Target | None:
        """The target of a key of 110 characters; None when the text is no key."""
        if len(key) != 110 or key[36] != "-" or key[73] != "-":
            return None
        return cls(key[:36], key[37:73], key[74:])


class _Shape(BaseModel):
    """Written with what it was given and no more: defaults are for whoever reads it, and a client gets back what it sent."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    @model_serializer(mode="wrap")
    def _as_given(self, write: SerializerFunctionWrapHandler, info: SerializationInfo) -> Json:
        fields = type(self).model_fields
        given = {(fields[name].alias if info.by_alias else None) or name for name in self.model_fields_set}
        return {name: value for name, value in write(self).items() if name in given}


class ApprovalGroup(_Shape):
    """So many of the people that the selector picks (CEL over `user`: id, name, email, roles) must be among those who approve."""

    selector: str
    min_approvals: int = Field(1, ge=1, le=1_000)


class AnyApproval(_Shape):
    """So many people must approve the version for the environment.

    Beyond the v1 API: `approver_selector` says who counts at all, `groups` who must be among them; the author of the version counts only
    where `author_may_approve`; an approval counts for `expires_after_minutes`; with `rejection_blocks` one rejection holds the version there
    until it is withdrawn.
    """

    min_approvals: Int32
    approver_selector: str | None = None
    groups: tuple[ApprovalGroup, ...] = ()
    author_may_approve: bool | None = None
    expires_after_minutes: int | None = Field(None, ge=1, le=INT32)
    rejection_blocks: bool | None = None


class EnvironmentProgression(_Shape):
    """The version must first succeed in the environments that the selector picks."""

    depends_on_environment_selector: str
    minimum_success_percentage: float | None = Field(None, ge=0, le=100)
    success_statuses: tuple[JobStatus, ...] | None = None
    minimum_soak_time_minutes: int | None = Field(None, ge=0, le=INT32)
    maximum_age_hours: int | None = Field(None, ge=0, le=INT32)
    require_verification_passed: bool = False


class Wave(_Shape):
    """Some targets of a rollout: those that a selector picks (CEL over `resource`), or a share of all, in percent, in rollout order.

    The next wave begins when at least `success_percentage` of this one's targets (all, when absent) run the version healthily, and
    have done so for `soak_minutes`.
    """

    name: str | None = None
    selector: str | None = None
    percentage: float | None = Field(None, gt=0, le=100)
    soak_minutes: int | None = Field(None, ge=0, le=INT32)
    success_percentage: float | None = Field(None, ge=0, le=100)


class GradualRollout(_Shape):
    """Targets follow one another: in time (`linear`, `linear-normalized`), or in `waves`.

    `time_scale_interval` is in seconds: between two targets (linear), or for all of them together (linear-normalized); with waves
    between two targets of one wave. Targets that no wave names come last.
    """

    rollout_type: Literal["linear", "linear-normalized", "waves"]
    time_scale_interval: int = Field(ge=0, le=INT32)
    waves: tuple[Wave, ...] = ()


class DeploymentWindow(_Shape):
    """Versions go only inside (or, with `allow_window` false, only outside) the times that an RFC 5545 rule begins.

    A rule without DTSTART is anchored at midnight of the day its rule was created, in the window's zone.
    """

    rrule: str
    duration_minutes: int = Field(ge=1, le=INT32)
    allow_window: bool = True
    timezone: str | None = None


class DeploymentDependency(_Shape):
    """Some other release target of the same resource must run what the expression picks (CEL over its `deployment` and `version`)."""

    depends_on: str


class VersionCooldown(_Shape):
    """Versions that were created less than so many seconds after the one that runs, or is on its way, are passed over."""

    interval_seconds: int = Field(ge=0, le=INT32)


class VersionSelector(_Shape):
    """Only versions that the expression picks (CEL over `version`, `environment`, `resource`, `deployment`)."""

    selector: str
    description: str | None = None


class Retry(_Shape):
    """A failed job is made again, so many times, each after a pause (seconds, constant or doubling, capped)."""

    max_retries: int = Field(ge=0, le=INT32)
    backoff_seconds: int | None = Field(None, ge=0, le=INT32)
    backoff_strategy: Literal["linear", "exponential"] | None = None
    max_backoff_seconds: int | None = Field(None, ge=0, le=INT32)
    retry_on_statuses: tuple[JobStatus, ...] | None = None


class PlanValidationOpa(_Shape):
    """A Rego v1 module that judges plans; its `deny` set names what is wrong."""

    name: str
    rego: str
    description: str | None = None


class MetricProvider(BaseModel):
    """Who is asked for a metric: the type, and whatever a provider of that type understands, as it was sent.

    The types, their fields and what they answer are those of `libs/metric_providers`. Texts are templates, and may refer to secrets.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    type: str = Field(min_length=1)

    @property
    def given(self) -> Json:
        """Everything that was sent, by the names of the API."""
        return self.model_dump(mode="json")


class Baseline(_Shape):
    """How far a metric may be from what the same metric of the previous good release on the same target was, over the same time.

    Both sides are means since their verification began; the previous release's mean ends where this one's measurements have come to. Bounds
    that are given must all hold; a measurement outside them is a failed one.

    Attributes:
        value: CEL over `result` that gives the number to compare.
        min_ratio, max_ratio: of this mean by that one.
        min_change, max_change: of this mean less that one, in the metric's unit.
        minimum_samples: fewer measurements of the previous release are no baseline.
        when_missing: what a measurement without a baseline is: judged by its conditions alone (`pass`), failed, or held like one without data.
    """

    value: str = "result.value"
    min_ratio: float | None = Field(None, ge=0)
    max_ratio: float | None = Field(None, ge=0)
    min_change: float | None = None
    max_change: float | None = None
    minimum_samples: int = Field(1, ge=1, le=1_000)
    when_missing: Literal["pass", "fail", "hold"] = "pass"


class MetricSpec(_Shape):
    """One metric of a verification: what to ask, how often, and when the answer is good. Conditions are CEL over `result`.

    Beyond the v1 API:

    Attributes:
        no_data: what an answer without any data is: judged like every other (None), a failed measurement, a passed one, or none at all that
            counts (`hold`).
        minimum_samples: so many measurements must have passed or failed; with fewer at the end the metric is inconclusive. One where
            something may be held, if this is not given.
        error_limit: so many questions in a row may bring no answer; the next and every one after it is a failed measurement.
        reaction: what its failure does: nothing (`observe`), the verification fails and a person decides (`hold`), or the target goes back
            (`rollBack`). None leaves it to the policies' rollback rules.
    """

    name: str
    interval_seconds: int = Field(ge=1, le=INT32)
    count: int = Field(ge=1, le=INT32)
    provider: MetricProvider
    success_condition: str
    success_threshold: Int32 | None = None
    failure_condition: str | None = None
    failure_threshold: Int32 = 0
    no_data: Literal["fail", "pass", "hold"] | None = None
    minimum_samples: int | None = Field(None, ge=1, le=INT32)
    error_limit: int = Field(4, ge=0, le=1_000)
    reaction: Literal["observe", "hold", "rollBack"] | None = None
    baseline: Baseline | None = None


class Verification(_Shape):
    """What was deployed is measured once the trigger happened.

    Beyond the v1 API: with `continue_seconds` the same metrics are measured on for so long after they passed, and can still fail.
    """

    trigger_on: Literal["jobCreated", "jobStarted", "jobSuccess", "jobFailure"] = "jobSuccess"
    metrics: tuple[MetricSpec, ...] = Field(min_length=1)
    continue_seconds: int | None = Field(None, ge=1, le=31 * 24 * 3600)


class Rollback(_Shape):
    """The target returns to its last good release when its job ends in one of the statuses, or its verification fails."""

    on_job_statuses: tuple[JobStatus, ...] = ()
    on_verification_failure: bool = False


class Rule(_Shape):
    """One rule of a policy: its id, since when, and one body or several (each an evaluation of its own that shares the id)."""

    id: str
    created_at: str
    any_approval: AnyApproval | None = None
    environment_progression: EnvironmentProgression | None = None
    gradual_rollout: GradualRollout | None = None
    deployment_window: DeploymentWindow | None = None
    deployment_dependency: DeploymentDependency | None = None
    version_cooldown: VersionCooldown | None = None
    version_selector: VersionSelector | None = None
    retry: Retry | None = None
    plan_validation_opa: PlanValidationOpa | None = None
    verification: Verification | None = None
    rollback: Rollback | None = None


class WorkflowInput(_Shape):
    """One input of a workflow.

    Attributes:
        key: its name; `resourceSelector` is reserved: CEL that picks the resources which a run runs for.
        default: of its type; absent where there is none.
        selector: instead of a default, an array input may be what the CEL in `default` picks among `entityType`.
        required: a run without a value is refused.
    """

    key: str
    type: Literal["string", "number", "boolean", "object", "array"]
    default: Any = None
    selector: dict[str, Any] | None = None
    required: bool | None = None


class WorkflowStep(_Shape):
    """One step of a workflow: a job agent (`ref`) runs with `config` for what `selector` (CEL) picks.

    Beyond the v1 API: `needs` names the steps that must have succeeded before.
    """

    name: str
    ref: str
    config: Json = Field(default_factory=dict)
    selector: str
    needs: tuple[str, ...] = ()
