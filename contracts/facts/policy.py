"""Facts that only policy appends: may it go, why not, and when to look again."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.fact import Fact, fact
from contracts.shapes import MetricSpec, Rule

Verdict = Literal["allowed", "waiting", "blocked"]


class _Rollout(Fact):
    deployment_id: str
    version_id: str
    environment_id: str

    @property
    def stream(self) -> str:
        return f"rollout/{self.deployment_id}/{self.environment_id}"


@fact
class PolicySaved(Fact):
    """A policy was created or replaced; the whole document, rules in the client's order."""

    TYPE: ClassVar[str] = "policy.policy_saved.v1"
    policy_id: str
    name: str
    description: str | None = None
    selector: str = "true"
    priority: int = 0
    enabled: bool = True
    metadata: dict[str, str] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    created_at: datetime

    @property
    def stream(self) -> str:
        return f"policy/{self.policy_id}"


@fact
class PolicyDeleted(Fact):
    """A policy is gone."""

    TYPE: ClassVar[str] = "policy.policy_deleted.v1"
    policy_id: str

    @property
    def stream(self) -> str:
        return f"policy/{self.policy_id}"


@fact
class ApprovalRecorded(Fact):
    """A person approved or rejected a version for an environment, or withdrew that; a later record of the same person replaces it.

    Attributes:
        roles: what the person may do, as it was when it decided.
        version_at: position of the version's document that was decided on; another content needs another approval. 0 for any.
    """

    TYPE: ClassVar[str] = "policy.approval_recorded.v1"
    version_id: str
    environment_id: str
    user_id: str
    user_name: str = ""
    roles: tuple[str, ...] = ()
    status: Literal["approved", "rejected", "withdrawn"]
    reason: str | None = None
    version_at: int = 0
    decided_at: datetime

    @property
    def stream(self) -> str:
        return f"version/{self.version_id}"


@fact
class SkipCreated(Fact):
    """A person let one version pass one rule: everywhere, in an environment, or on a resource (None: any); until `expires_at` (None:
    for good)."""

    TYPE: ClassVar[str] = "policy.skip_created.v1"
    skip_id: str
    version_id: str
    rule_id: str
    environment_id: str | None = None
    resource_id: str | None = None
    reason: str = ""
    created_by: str
    expires_at: datetime | None = None
    created_at: datetime

    @property
    def stream(self) -> str:
        return f"skip/{self.skip_id}"


@fact
class SkipDeleted(Fact):
    """A skip was taken back."""

    TYPE: ClassVar[str] = "policy.skip_deleted.v1"
    skip_id: str

    @property
    def stream(self) -> str:
        return f"skip/{self.skip_id}"


class _Freeze(Fact):
    freeze_id: str

    @property
    def stream(self) -> str:
        return f"freeze/{self.freeze_id}"


@fact
class FreezeSaved(_Freeze):
    """Nothing is deployed in a scope for a time; the whole document.

    Attributes:
        scope: what `scope_id` names; None for the workspace.
        selector: CEL over `resource`, `deployment` and `environment`; narrows the scope further.
        starts_at, ends_at: from (inclusive) until (exclusive); None for no end.
        rrule: an RFC 5545 rule: then it holds for `duration_minutes` after each occurrence between the two instants, in `timezone`.
        holds_rollbacks: rollbacks wait as well.
    """

    TYPE: ClassVar[str] = "policy.freeze_saved.v1"
    scope: Literal["workspace", "system", "environment", "deployment"] = "workspace"
    scope_id: str | None = None
    selector: str | None = None
    reason: str
    link: str | None = None
    starts_at: datetime
    ends_at: datetime | None = None
    rrule: str | None = None
    duration_minutes: int | None = None
    timezone: str | None = None
    holds_rollbacks: bool = False
    created_by: str
    created_at: datetime


@fact
class FreezeThawed(_Freeze):
    """A person ended a freeze."""

    TYPE: ClassVar[str] = "policy.freeze_thawed.v1"
    reason: str = ""
    thawed_by: str
    thawed_at: datetime


@fact
class FreezeOverridden(_Freeze):
    """A person let one version pass a freeze, until `expires_at`; on a resource or an environment alone where they are named."""

    TYPE: ClassVar[str] = "policy.freeze_overridden.v1"
    override_id: str
    version_id: str
    environment_id: str | None = None
    resource_id: str | None = None
    reason: str
    created_by: str
    expires_at: datetime
    created_at: datetime


class VerdictGroup(BaseModel):
    """Targets that got the same verdict.

    Attributes:
        verdict: allowed, waiting (something known will end it) or blocked (somebody must act).
        message: a sentence for a person.
        resource_ids: the targets whose verdict changed to this one.
        satisfied_at: when the rule became satisfied, if it is.
        look_again_at: when time alone may change the verdict.
        ended_by: what or who ends the wait, in words; empty when allowed.
        facts: positions of the facts that the verdict rests on, ascending.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    verdict: Verdict
    message: str
    resource_ids: tuple[str, ...]
    satisfied_at: datetime | None = None
    look_again_at: datetime | None = None
    ended_by: str = ""
    facts: tuple[int, ...] = ()


@fact
class RuleEvaluated(_Rollout):
    """The verdict of one rule on a version in an environment changed for these targets. At most 2,000 ids in one fact.

    `policy_id` and `rule_id` are empty for implicit rules (version status, bad mark, order of versions); that of version dependencies
    has the id `deployment-version-dependency`. `evaluated_at` is when the verdicts were found.
    """

    TYPE: ClassVar[str] = "policy.rule_evaluated.v1"
    policy_id: str
    rule_id: str
    rule_type: str
    groups: tuple[VerdictGroup, ...]
    evaluated_at: datetime | None = None


@fact
class TargetsCleared(_Rollout):
    """Every rule allows the version on these targets. At most 2,000 ids in one fact.

    Attributes:
        at: position up to which facts were taken into account.
        valid_until: the next instant at which time alone could end the clearance; None for never.
        facts: positions of the facts that it rests on, ascending.
    """

    TYPE: ClassVar[str] = "policy.targets_cleared.v1"
    resource_ids: tuple[str, ...]
    at: int
    valid_until: datetime | None = None
    facts: tuple[int, ...] = ()
    cleared_at: datetime


@fact
class ClearanceWithdrawn(_Rollout):
    """The clearance of the version on these targets ended before they were dispatched (`resource_ids` None: on all targets)."""

    TYPE: ClassVar[str] = "policy.clearance_withdrawn.v1"
    resource_ids: tuple[str, ...] | None = None
    reason: str
    withdrawn_at: datetime


@fact
class VersionSuperseded(_Rollout):
    """The version waited for these targets and will not go there: a newer one was cleared. At most 2,000 ids in one fact."""

    TYPE: ClassVar[str] = "policy.version_superseded.v1"
    by_version_id: str
    resource_ids: tuple[str, ...]


class _TargetFact(_Rollout):
    resource_id: str
    release_id: str
    job_id: str
    policy_id: str
    rule_id: str


@fact
class VerificationRequired(_TargetFact):
    """A verification rule applies to a job whose trigger happened: these metrics are to be measured.

    Without policy and rule it is what the job's agent wants measured; `note` says what of that is left out, and why.
    """

    TYPE: ClassVar[str] = "policy.verification_required.v1"
    metrics: tuple[MetricSpec, ...]
    continue_seconds: int | None = None
    note: str = ""
    required_at: datetime


@fact
class RollbackRequired(_TargetFact):
    """A rollback rule applies to what a job or its verification came to."""

    TYPE: ClassVar[str] = "policy.rollback_required.v1"
    reason: str
    required_at: datetime
