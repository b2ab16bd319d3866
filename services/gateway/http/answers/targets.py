"""Release targets: their states, why they are so, and what people chose for them by hand."""

from __future__ import annotations

from typing import Literal

from contracts.commands.policy.reasons import Ender
from services.gateway.http.answers.board import BoardNamed, BoardVersion
from services.gateway.http.answers.catalog import Deployment, Environment, System
from services.gateway.http.answers.form import AnswerModel, Timestamp
from services.gateway.http.answers.jobs import Job, Release, ReleaseTarget
from services.gateway.http.answers.policies import Policy
from services.gateway.http.answers.verifications import Verification


class Pin(AnswerModel):
    """A version that a person chose to stay, for a target or for all of a deployment in an environment."""

    version_id: str
    reason: str = ""
    pinned_at: Timestamp
    scope: Literal["target", "environment"]


class BadVersion(AnswerModel):
    """A version that does not go to a target again until a person lifts its mark. Without a job a person went back from it."""

    version_id: str
    tag: str
    reason: str = ""
    since: Timestamp
    job_id: str = ""
    policy_id: str = ""
    rule_id: str = ""


class TargetsTouched(AnswerModel):
    """So many targets are redeployed, go back, or have a mark less."""

    targets: int
    message: str


class WayBack(AnswerModel):
    """Targets of a deployment that would leave one version for another, or for the same one with other variables."""

    deployment: BoardNamed
    leaves: BoardVersion
    to: BoardVersion
    targets: int


class RollbackPreview(AnswerModel):
    """What going back would do: by the names of the deployments, then by most targets. `marked` would be marked bad on some of them."""

    items: list[WayBack]
    targets: int
    marked: list[BoardVersion]


class TargetPreview(AnswerModel):
    """Where a resource would be deployed to."""

    system: System
    deployment: Deployment
    environment: Environment


class LatestJob(AnswerModel):
    """The newest job of a target with its verifications."""

    job: Job
    verifications: list[Verification]


class DispatchHold(AnswerModel):
    """A release that may go and waits for a free place: at an agent, or without one, of its deployment."""

    release_id: str
    agent_id: str = ""
    limit: int
    held_at: Timestamp
    message: str


class TargetState(AnswerModel):
    """What a target should run, what it runs, and its newest job."""

    desired_release: Release | None = None
    current_release: Release | None = None
    last_good_release: Release | None = None
    latest_job: LatestJob | None = None
    pin: Pin | None = None
    dispatch_hold: DispatchHold | None = None


class PlainTargetState(AnswerModel):
    """As `TargetState`, with a plain job."""

    desired_release: Release | None = None
    current_release: Release | None = None
    latest_job: Job | None = None
    pin: Pin | None = None
    dispatch_hold: DispatchHold | None = None


class TargetWithState(AnswerModel):
    """A target and its state."""

    release_target: ReleaseTarget
    state: PlainTargetState


class DesiredRelease(AnswerModel):
    """What a target should run."""

    desired_release: Release


class MissingApprovals(AnswerModel):
    """So many people must still approve; with a selector, it must pick them."""

    missing: int
    selector: str | None = None


class WhoEnds(AnswerModel):
    """One way in which what a rule holds comes to its end; of several, one is enough."""

    kind: Ender
    message: str
    at: Timestamp = ""
    approvals: list[MissingApprovals]
    selector: str | None = None
    not_user_ids: list[str]
    user_ids: list[str]
    policy_id: str | None = None
    agent_id: str | None = None
    deployment_ids: list[str]
    environment_ids: list[str]
    resource_ids: list[str]
    rule_ids: list[str]


class Reason(AnswerModel):
    """A rule's verdict on a version for a target."""

    rule_type: str
    rule_id: str
    policy_id: str
    policy_name: str
    verdict: Literal["allowed", "waiting", "blocked"]
    message: str
    ended_by: str
    who_ends: list[WhoEnds]
    since: Timestamp = ""
    skip_id: str | None = None
    satisfied_at: Timestamp = ""
    look_again_at: Timestamp = ""
    facts: list[int]


class VersionStanding(AnswerModel):
    """Where a version stands on a target."""

    version_id: str
    tag: str
    cleared: bool
    message: str
    reasons: list[Reason]
    job: Reason | None = None


class ReleaseRef(AnswerModel):
    """A release by its id and version."""

    release_id: str
    version_id: str
    tag: str


class Explanation(AnswerModel):
    """Why a target is where it is."""

    resource_id: str
    environment_id: str
    deployment_id: str
    position: int
    desired: ReleaseRef | None = None
    current: ReleaseRef | None = None
    message: str
    versions: list[VersionStanding]
    warnings: list[str]


class EvaluationDetails(AnswerModel):
    """What a rule's verdict rests on, since when it stands, and what ends it."""

    verdict: Literal["allowed", "waiting", "blocked"]
    ended_by: str
    who_ends: list[WhoEnds]
    since: Timestamp = ""
    skip_id: str | None = None
    facts: list[int]


class RuleEvaluation(AnswerModel):
    """What a rule says about a version for a target: allowed; or denied, where no action helps; or waiting for an action."""

    rule_id: str
    rule_type: str
    allowed: bool
    action_required: bool
    action_type: Literal["approval", "wait"] | None = None
    message: str
    details: EvaluationDetails
    satisfied_at: Timestamp = ""
    next_evaluation_time: Timestamp = ""


class PolicyEvaluation(AnswerModel):
    """What the rules of a policy say; without one, what holds whatever policies there are."""

    policy: Policy | None = None
    rule_results: list[RuleEvaluation]
    summary: str


class Evaluations(AnswerModel):
    """Every rule on a version for a target at this moment, by policy."""

    version_id: str
    release_target: ReleaseTarget
    position: int
    can_deploy: bool
    is_blocked: bool
    is_pending: bool
    policy_results: list[PolicyEvaluation]
    next_evaluation_time: Timestamp = ""
