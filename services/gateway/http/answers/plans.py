"""What a version would change."""

from __future__ import annotations

from typing import Literal

from services.gateway.http.answers.form import AnswerModel, Timestamp


class PlanSummary(AnswerModel):
    """How many results there are; of those that are to come, and of those that can not tell, only `total` speaks."""

    total: int
    changed: int
    unchanged: int
    errored: int
    unsupported: int


class PlanViolation(AnswerModel):
    """Something that a rule objects to."""

    message: str


class PlanValidation(AnswerModel):
    """What one rule says of a result; with `error` it could not be asked, and did not pass."""

    policy_id: str
    rule_id: str
    name: str
    passed: bool
    violations: list[PlanViolation]
    error: str = ""


class PlanResult(AnswerModel):
    """What one agent would change on a target.

    Attributes:
        cut: `current` and `proposed` are not whole; `contentHash` is of the whole ones.
        validations: in the order of the policies' priority.
        evaluated_at: when these were made; absent where there are none.
    """

    id: str
    job_agent_id: str
    status: Literal["computing", "completed", "errored", "unsupported"]
    has_changes: bool
    content_hash: str
    current: str
    proposed: str
    cut: bool
    message: str
    validations: list[PlanValidation]
    evaluated_at: Timestamp = ""


class PlanTarget(AnswerModel):
    """What a version would change on a target; no results where no agent would take it."""

    environment_id: str
    environment_name: str
    resource_id: str
    resource_name: str
    has_changes: bool
    results: list[PlanResult]


class Plan(AnswerModel):
    """What a version would change on every target of a deployment.

    Attributes:
        status: `computing` until every result is there, then `failed` if one is errored.
        expired: it is older than an hour, so that the targets may be other ones by now.
        pull_request: where it is reported.
        report_error: why it is not reported any further.
    """

    id: str
    status: Literal["computing", "completed", "failed"]
    summary: PlanSummary
    targets: list[PlanTarget]
    created_at: Timestamp
    expires_at: Timestamp
    expired: bool
    pull_request: int = 0
    report_error: str = ""
