"""What policy can be asked."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.command import Query, Wish, wish
from contracts.shapes import (
    AnyApproval,
    DeploymentDependency,
    DeploymentWindow,
    EnvironmentProgression,
    GradualRollout,
    PlanValidationOpa,
    Retry,
    Rollback,
    Verification,
    VersionCooldown,
    VersionSelector,
)


class _Policy(Wish):
    SERVICE: ClassVar[str] = "policy"


class RuleInput(BaseModel):
    """A rule as a client describes it, one body or several; the id of a rule that exists keeps its `createdAt`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str | None = None
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


@wish
class SavePolicy(_Policy):
    """Create a policy (no id: rule ids are made), or create or replace the one with this id.

    Answers `{id, warnings?}`; the warnings, `{path, message}` each, are of expressions that name fields which do not exist.
    """

    NAME: ClassVar[str] = "save_policy"
    policy_id: str | None = None
    name: str
    description: str | None = None
    selector: str = "true"
    priority: int = 0
    enabled: bool = True
    metadata: dict[str, str] = Field(default_factory=dict)
    rules: tuple[RuleInput, ...] = ()


@wish
class DeletePolicy(_Policy):
    """Delete a policy. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_policy"
    policy_id: str


@wish
class RecordApproval(_Policy):
    """Approve or reject a version; the person is who asks. No environment named: all that share a system with its deployment.

    Answers `{id}` (the version's).
    """

    NAME: ClassVar[str] = "record_approval"
    version_id: str
    environment_ids: tuple[str, ...] = ()
    user_id: str
    user_name: str = ""
    roles: tuple[str, ...] = ()
    status: Literal["approved", "rejected", "withdrawn"]
    reason: str | None = None


@wish
class CreateSkip(_Policy):
    """Let a version pass one rule, everywhere or where it is said, for good or until an instant. Answers `{id}`."""

    NAME: ClassVar[str] = "create_skip"
    version_id: str
    rule_id: str
    environment_id: str | None = None
    resource_id: str | None = None
    reason: str = ""
    expires_at: datetime | None = None


@wish
class DeleteSkip(_Policy):
    """Take a skip back. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_skip"
    skip_id: str


@wish
class SaveFreeze(_Policy):
    """Freeze a scope (no id), or change the freeze with this id: None leaves a field as it is. Answers `{id}`.

    A freeze that was thawed is changed no more. `without_end` takes away the end that it has.
    """

    NAME: ClassVar[str] = "save_freeze"
    freeze_id: str | None = None
    scope: Literal["workspace", "system", "environment", "deployment"] | None = None
    scope_id: str | None = None
    selector: str | None = None
    reason: str | None = None
    link: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    without_end: bool = False
    rrule: str | None = None
    duration_minutes: int | None = None
    timezone: str | None = None
    holds_rollbacks: bool | None = None


@wish
class ThawFreeze(_Policy):
    """End a freeze now. Answers `{id}`."""

    NAME: ClassVar[str] = "thaw_freeze"
    freeze_id: str
    reason: str = ""


@wish
class OverrideFreeze(_Policy):
    """Let one version pass a freeze until an instant. Answers `{id}` (the override's)."""

    NAME: ClassVar[str] = "override_freeze"
    freeze_id: str
    version_id: str
    environment_id: str | None = None
    resource_id: str | None = None
    reason: str
    expires_at: datetime


@wish
class FreezeEffect(Query):
    """What a freeze holds, or would hold: answers a `Held`. With `freeze_id` one that is there, else as it is described."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "freeze_effect"
    freeze_id: str | None = None
    scope: Literal["workspace", "system", "environment", "deployment"] = "workspace"
    scope_id: str | None = None
    selector: str | None = None


class HeldTargets(BaseModel):
    """What a freeze holds.

    Attributes:
        targets: release targets in its scope; waiting: those for which a version would go there now or soon.
        rollouts: of these, by deployment, environment and version, how many targets.
        active: whether it holds at this instant; next_change: when that changes by time alone.
        dead: what it is for was deleted, so that it holds nothing.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    targets: int
    waiting: int
    active: bool = False
    dead: bool = False
    next_change: datetime | None = None
    rollouts: tuple[HeldRollout, ...] = ()


class HeldRollout(BaseModel):
    """A rollout that a freeze holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    deployment_id: str
    environment_id: str
    version_id: str
    targets: int


@wish
class PolicyReach(Query):
    """How many targets each policy applies to, and how many it holds now: answers `PolicyReaches`."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "policy_reach"


class Reach(BaseModel):
    """How far a policy reaches.

    Attributes:
        targets: release targets that its selector picks; of a policy that is not enabled, those that it would apply to.
        held: of these, on how many one of its rules does not allow a version now.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    policy_id: str
    targets: int
    held: int


class PolicyReaches(BaseModel):
    """Every policy of the workspace, by its id."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    items: tuple[Reach, ...]


@wish
class DeploymentGates(Query):
    """What a version of a deployment passes on its way: answers `Gates`. Of a deployment without targets there are none."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "deployment_gates"
    deployment_id: str


class Upstream(BaseModel):
    """The environments in which a version must succeed first, says a rule of a policy."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    rule_id: str
    environment_ids: tuple[str, ...]


class Gate(BaseModel):
    """A policy that applies to some targets of an environment."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    policy_id: str
    targets: int
    upstream: tuple[Upstream, ...] = ()


class GatedEnvironment(BaseModel):
    """An environment of a deployment, how many targets it has there, and the policies that apply, in their order."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    environment_id: str
    targets: int
    gates: tuple[Gate, ...]


class Gates(BaseModel):
    """Every environment in which a deployment has targets, by its id."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    items: tuple[GatedEnvironment, ...]


@wish
class PolicyTargets(Query):
    """Which targets a policy applies to, or would if it were enabled: answers a `PolicyTargetPage`; refused with not_found."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "policy_targets"
    policy_id: str
    limit: int = 50
    offset: int = 0


class PolicyTarget(BaseModel):
    """A target that a policy applies to. `held`: one of its rules does not allow a version there now. `error`: the selector has no answer
    for this target, so that the policy blocks it; else empty."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    resource_id: str
    environment_id: str
    deployment_id: str
    held: bool = False
    error: str = ""


class PolicyTargetPage(BaseModel):
    """A part of the targets of a policy, by the names of deployment, environment and resource; `total` and `held` count all of them."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    items: tuple[PolicyTarget, ...]
    total: int
    held: int


@wish
class PreviewPolicy(Query):
    """What saving a policy would do: answers a `PolicyPreview`; refused as saving it would be."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "preview_policy"
    policy: SavePolicy
    limit: int = 50
    offset: int = 0


class PolicyWarning(BaseModel):
    """Something that may be saved and most likely does not do what it looks like."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    path: str
    message: str


class PolicyPreview(PolicyTargetPage):
    """What a policy would apply to and hold at this moment, if it were saved.

    Attributes:
        total_before, held_before: the same of the policy as it is now; 0 when it is new.
        added, removed: targets that it would apply to and does not now, and the other way round.
        withdrawn: targets that a version may go to now, and on its way nowhere yet, which it would not be any more.
    """

    total_before: int
    held_before: int
    added: int
    removed: int
    withdrawn: int
    warnings: tuple[PolicyWarning, ...] = ()


@wish
class ExplainTarget(Query):
    """Why is this release target where it is? Answers an `Explanation`; refused with not_found for what is no target."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "explain_target"
    resource_id: str
    environment_id: str
    deployment_id: str


@wish
class ExplainRollout(Query):
    """Where a version stands in an environment: answers a `RolloutExplanation`; refused with not_found."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "explain_rollout"
    version_id: str
    environment_id: str
    limit: int = 50
    offset: int = 0


@wish
class ExplainVersion(Query):
    """Where a version stands in every environment beside its deployment: answers a `VersionExplanation`; refused with not_found."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "explain_version"
    version_id: str


@wish
class EvaluateTarget(Query):
    """What every rule says about a version (None: the newest) for a target now, whatever runs there.

    Answers a `TargetEvaluation`; refused with not_found.
    """

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "evaluate_target"
    resource_id: str
    environment_id: str
    deployment_id: str
    version_id: str | None = None


@wish
class ForecastRollout(Query):
    """When each target of a version in an environment will be cleared if nothing else changes: answers a `Forecast`."""

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "forecast_rollout"
    version_id: str
    environment_id: str


@wish
class EligibleVersions(Query):
    """Which of these versions would every rule let go to the target now? Answers `{version_ids}`, newest first.

    Args:
        version_ids: the versions to look at; None for all of the deployment.
        exclude_rule_ids: rules that are passed over.

    Refused with not_found for what is no target.
    """

    SERVICE: ClassVar[str] = "policy"
    NAME: ClassVar[str] = "eligible_versions"
    resource_id: str
    environment_id: str
    deployment_id: str
    version_ids: tuple[str, ...] | None = None
    exclude_rule_ids: tuple[str, ...] = ()


Ender = Literal["time", "approvers", "users", "anyone", "admin", "publisher", "agent", "upstream", "rules"]
"""Who, or what, ends a wait.

time: nobody needs to act, it ends at an instant. approvers: people who approve. users: the very people who are named. anyone: whoever
may act in the workspace (redeploys, lifts a mark, thaws, releases a pin). admin: who keeps the policy or the selector that is wrong.
publisher: who posts versions and sets their status, CI mostly. agent: a job agent. upstream: what must run, or end, elsewhere first.
rules: other rules of the same version, which say themselves who ends them.
"""


class MissingApprovals(BaseModel):
    """So many people must still approve. `selector`: whom it must pick; None: whoever may approve at all."""

    model_config = ConfigDict(frozen=True)
    missing: int
    selector: str | None = None


class WhoEnds(BaseModel):
    """One way in which what a rule holds comes to its end; of several, one is enough. Where ids are named, all of them are meant.

    Attributes:
        message: the same as a sentence.
        at: of `time`, when.
        approvals: of `approvers`, what is missing, all of it. selector: whom the rule lets approve at all; None: anybody.
        not_user_ids: of `approvers`, who can not: the authors, and those who approved already.
        user_ids: of `users`, who they are; else whose decision it was, where it was somebody's.
        policy_id: of `admin`, which policy; None where it is not about one.
        agent_id: of `agent`, which one; None: any that matches.
        deployment_ids, environment_ids, resource_ids: of `upstream`, where something must happen; else what it is about.
        rule_ids: of `rules`, which.
    """

    model_config = ConfigDict(frozen=True)
    kind: Ender
    message: str
    at: datetime | None = None
    approvals: tuple[MissingApprovals, ...] = ()
    selector: str | None = None
    not_user_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    policy_id: str | None = None
    agent_id: str | None = None
    deployment_ids: tuple[str, ...] = ()
    environment_ids: tuple[str, ...] = ()
    resource_ids: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()


class Reason(BaseModel):
    """One rule's verdict on a version for a target, with what it rests on, what ends it and who can.

    Not only rules have a say: `versionPin` is a person's choice, and `job` what a job waits for, or came to.

    Attributes:
        ended_by: what or who ends it, in words; empty when allowed. who_ends: the same for programs.
        since: since when the verdict is what it is, where that is known.
        skip_id: the skip that let the version pass the rule, if one did.
        satisfied_at: since when an allowed rule is satisfied.
        look_again_at: when time alone may change the verdict.
        facts: positions of the events that it rests on, ascending; the policy's own among them.
    """

    model_config = ConfigDict(frozen=True)
    rule_type: str
    rule_id: str = ""
    policy_id: str = ""
    policy_name: str = ""
    verdict: Literal["allowed", "waiting", "blocked"]
    message: str
    ended_by: str = ""
    who_ends: tuple[WhoEnds, ...] = ()
    since: datetime | None = None
    skip_id: str | None = None
    satisfied_at: datetime | None = None
    look_again_at: datetime | None = None
    facts: tuple[int, ...] = ()


class VersionStanding(BaseModel):
    """Where a version stands on a target: `cleared` when every rule allows it, and then `job` says what its job waits for, or came to;
    else `reasons` says what does not allow it."""

    model_config = ConfigDict(frozen=True)
    version_id: str
    tag: str
    cleared: bool
    message: str
    reasons: tuple[Reason, ...]
    job: Reason | None = None


class ReleaseRef(BaseModel):
    """A release, by its id and version."""

    model_config = ConfigDict(frozen=True)
    release_id: str
    version_id: str
    tag: str


class Explanation(BaseModel):
    """Desired and current release of a target, and for each version newer than the current one why it is not there (newest first).

    `warnings` are about what was saved and does not do what it looks like: a selector that names a field which does not exist, variables
    that did not fit into the release.
    """

    model_config = ConfigDict(frozen=True)
    resource_id: str
    environment_id: str
    deployment_id: str
    position: int
    desired: ReleaseRef | None
    current: ReleaseRef | None
    message: str
    versions: tuple[VersionStanding, ...]
    warnings: tuple[str, ...] = ()


class PolicyVerdicts(BaseModel):
    """What the rules of one policy say; of none (`policy_id` None): what holds whatever policies there are. `summary` is a sentence."""

    model_config = ConfigDict(frozen=True)
    policy_id: str | None
    summary: str
    results: tuple[Reason, ...]


class TargetEvaluation(BaseModel):
    """Every rule on one version for one target, by policy: those of a higher priority first, what belongs to none last.

    `next_at` is the earliest instant at which time alone may change any verdict.
    """

    model_config = ConfigDict(frozen=True)
    version_id: str
    position: int
    policies: tuple[PolicyVerdicts, ...]
    next_at: datetime | None = None


class TargetStanding(BaseModel):
    """Where a version stands on one target: `done` (it runs), `going` (cleared, or its job runs), `waiting`, `blocked`, or `passed` (another
    one goes, or went, there)."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    resource_id: str
    state: Literal["done", "going", "waiting", "blocked", "passed"]
    message: str
    look_again_at: datetime | None = None


class RolloutExplanation(BaseModel):
    """A version in an environment.

    Attributes:
        message: one or two sentences that a tired person understands: how far it is, what is next, what it waits for, who can end it.
        reasons: every rule with its verdict where it is the same for all targets, or else for the first that it holds.
        targets: a part of them, in the order in which they follow one another; total, done, going, waiting, blocked, passed count all.
        next_at: when the next target may go by time alone.
        warnings: as those of an `Explanation`; what is about one target alone is left out.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    version_id: str
    environment_id: str
    position: int
    message: str
    reasons: tuple[Reason, ...]
    targets: tuple[TargetStanding, ...]
    total: int
    done: int
    going: int
    waiting: int
    blocked: int
    passed: int
    next_at: datetime | None = None
    warnings: tuple[str, ...] = ()


class VersionExplanation(BaseModel):
    """A version in all environments, in the order of their names; rollouts come without their targets."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    version_id: str
    tag: str
    position: int
    message: str
    rollouts: tuple[RolloutExplanation, ...]


class ForecastTarget(BaseModel):
    """When a target will be cleared: `at`, or None where something must happen first, which `held_by` says."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    resource_id: str
    at: datetime | None
    held_by: str = ""


class Forecast(BaseModel):
    """When the targets of a rollout will be cleared if nothing else changes; jobs are taken to succeed at once.

    Attributes:
        targets: in order of time, those without one last.
        done_at: when the last of them is cleared; None when one is held.
        message: the same in a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    version_id: str
    environment_id: str
    position: int
    message: str
    targets: tuple[ForecastTarget, ...]
    done_at: datetime | None
