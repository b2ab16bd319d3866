"""Plans: dry runs of a version that does not exist yet. Which targets they have, and with which variables, planner says."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.fact import Fact, fact
from contracts.shapes import Json


class _Plan(Fact):
    plan_id: str
    deployment_id: str

    @property
    def stream(self) -> str:
        return f"plan/{self.plan_id}"


class PlannedVersion(BaseModel):
    """The version that is planned; it has an id of its own and is in no list."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    version_id: str
    tag: str
    name: str
    config: Json = Field(default_factory=dict)
    job_agent_config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)


@fact
class PlanRequested(_Plan):
    """Somebody asks what a version would change on every target of a deployment. Policies are not asked."""

    TYPE: ClassVar[str] = "dispatcher.plan_requested.v1"
    version: PlannedVersion
    metadata: dict[str, str] = Field(default_factory=dict)
    created_at: datetime
    expires_at: datetime


class PlanResultItem(BaseModel):
    """One dry run: an agent on a target.

    Attributes:
        job_agent_config: merged of agent, deployment and planned version, as the dry run gets it.
        agent, resource, environment, deployment: positions of the facts that hold the documents it is made from.
        targets: position of the `PlanTargetsResolved` with its variables.
        current_version_id: what the target runs today, if anything.
        problem: why it can not be made, if it can not.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    result_id: str
    environment_id: str
    resource_id: str
    agent_id: str
    job_agent_config: Json = Field(default_factory=dict)
    agent: int
    resource: int
    environment: int
    deployment: int
    targets: int
    current_version_id: str | None = None
    problem: str = ""


@fact
class PlanResultsStarted(_Plan):
    """The dry runs of a plan, intents until their results are recorded; the last fact of a plan says so, and may have none.

    `targets` are those (environment id, resource id) of this part, also where no agent takes them.
    """

    TYPE: ClassVar[str] = "dispatcher.plan_results_started.v1"
    targets: tuple[tuple[str, str], ...]
    results: tuple[PlanResultItem, ...]
    last: bool
    started_at: datetime


class PlanValidation(BaseModel):
    """What one `planValidationOpa` rule says of a result; with `error` the rule itself could not be run, which is no pass."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    policy_id: str
    rule_id: str
    name: str
    passed: bool
    violations: tuple[str, ...] = ()
    error: str | None = None


@fact
class PlanResultRecorded(_Plan):
    """A dry run came to an end.

    Attributes:
        has_changes: None where the agent can not tell.
        content_hash: of the whole texts.
        current, proposed: as far as they fit into a fact; `cut` says that they did not.
        validations: in the order of policy priority.
    """

    TYPE: ClassVar[str] = "dispatcher.plan_result_recorded.v1"
    result_id: str
    status: Literal["completed", "errored", "unsupported"]
    has_changes: bool | None = None
    content_hash: str = ""
    current: str = ""
    proposed: str = ""
    cut: bool = False
    message: str = ""
    validations: tuple[PlanValidation, ...] = ()
    recorded_at: datetime


@fact
class PlanReported(_Plan):
    """Something of a plan was shown at the pull request it belongs to.

    With `error` it could not be, and nothing more of the plan is shown there.

    Attributes:
        number: counts what was shown of the plan, from 0.
        what: the comment on the pull request, or a check run of its commit.
        target: whose check it is: `<environment id>/<resource id>`, or `rest` for all targets that have no check of their own; empty for the
            comment.
        state: what was shown. `failing` is a check that has failed already and still waits for results.
        external_id: GitHub's id of it; None where there is no pull request to comment on.
        pull_request: its number, where there is one.
    """

    TYPE: ClassVar[str] = "dispatcher.plan_reported.v1"
    number: int
    what: Literal["comment", "check"]
    target: str = ""
    state: Literal["running", "failing", "done"]
    external_id: str | None = None
    pull_request: int | None = None
    error: str | None = None
    reported_at: datetime
