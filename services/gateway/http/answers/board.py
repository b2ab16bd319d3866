"""What is where: the matrix, the targets of a cell, approvals that are waited for. What is not there is null here, as rows are replaced."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from contracts.shapes import VersionStatus
from services.gateway.http.answers.form import AnswerModel, Page, Timestamp

T = TypeVar("T")

CellStatus = Literal["failed", "blocked", "progressing", "pending", "paused", "healthy", "empty"]


class BoardVersion(AnswerModel):
    """A version by its tag."""

    version_id: str
    tag: str


class RunningVersion(BoardVersion):
    """A version, and on how many targets it runs."""

    targets: int


class BoardSystem(AnswerModel):
    """A system."""

    id: str
    name: str


class BoardEnvironment(AnswerModel):
    """A column; `position` is its place among the columns."""

    id: str
    name: str
    position: int
    systems: list[BoardSystem]


class BoardDeployment(BoardEnvironment):
    """A row; `newest` is its newest version."""

    newest: BoardVersion | None


class Standing(AnswerModel):
    """How a target or a cell stands.

    Attributes:
        reason: why, short enough for a cell; with `until` it leads up to that instant.
        message: the same in a sentence.
        since: since when its status is what it is.
    """

    status: CellStatus
    reason: str
    message: str
    until: Timestamp | None
    since: Timestamp | None


class BoardCell(Standing):
    """A deployment in an environment; `key` is both ids joined by a slash.

    Attributes:
        done: targets on which the desired version runs and was found healthy.
        active, failed, held: targets that are under way, failed, or wait for something or somebody.
        desired: the newest version that is wanted on any target.
        held_version: a newer one that may not go yet.
        running: versions that run, newest first, at most 3; `more` counts the others.
    """

    key: str
    deployment_id: str
    environment_id: str
    targets: int
    done: int
    active: int
    failed: int
    held: int
    desired: BoardVersion | None
    held_version: BoardVersion | None
    running: list[RunningVersion]
    more: int
    pinned: BoardVersion | None


class BoardCounters(AnswerModel):
    """How many cells stand so, and how many approvals are waited for."""

    failed: int
    blocked: int
    progressing: int
    pending: int
    paused: int
    healthy: int
    empty: int
    approvals: int


class BoardAnswer(AnswerModel):
    """The matrix as of a position; `at` is when its newest fact was recorded."""

    position: int
    at: Timestamp | None
    deployments: list[BoardDeployment]
    environments: list[BoardEnvironment]
    cells: list[BoardCell]
    counters: BoardCounters
    approvals: int


class RuleNamed(AnswerModel):
    """A rule; one that belongs to no policy has empty ids."""

    policy_id: str
    rule_id: str
    rule_type: str


class BoardHold(RuleNamed):
    """A rule that does not allow a version on a target."""

    verdict: Literal["waiting", "blocked"]
    message: str
    until: Timestamp | None
    since: Timestamp


class BoardJob(AnswerModel):
    """The newest job of a target."""

    id: str
    status: str
    attempt: int
    rollback: bool
    created_at: Timestamp
    message: str = ""


class BoardTarget(Standing):
    """A target; `key` is that of the release target.

    Attributes:
        order: its place in the list, from 0; absent in rows of the stream.
        version: which `verdict` and `holds` are about.
        verdict: where that version stands here.
        verification: what measuring of the newest job comes to.
    """

    key: str
    resource_id: str
    identifier: str
    name: str
    kind: str
    desired: BoardVersion | None
    current: BoardVersion | None
    pinned: BoardVersion | None
    job: BoardJob | None
    verification: Literal["failed", "running", "inconclusive", "cancelled", "passed"] | None
    version: BoardVersion | None
    verdict: Literal["running", "going", "failed", "marked", "blocked", "waiting", "passed", "none"]
    holds: list[BoardHold]
    order: int = 0


class TargetStatuses(AnswerModel):
    """How many targets stand so."""

    failed: int
    blocked: int
    progressing: int
    pending: int
    paused: int
    healthy: int


class RolloutHead(BoardCell):
    """A cell, with how many of its targets stand so."""

    statuses: TargetStatuses


class BoardRollout(Page[BoardTarget]):
    """Targets of a cell, a part of them."""

    position: int
    cell: RolloutHead


class BoardNamed(AnswerModel):
    """Something by its name."""

    id: str
    name: str


class AskedVersion(BoardVersion):
    """A version that waits for an approval."""

    name: str
    created_at: Timestamp


class BoardVote(AnswerModel):
    """What a person decided."""

    user_id: str
    name: str
    status: Literal["approved", "rejected"]
    decided_at: Timestamp
    reason: str = ""


class OtherRule(RuleNamed):
    """What else holds the version there."""

    targets: int
    reason: str


class BoardApproval(AnswerModel):
    """A version in an environment that a rule wants approved.

    Attributes:
        targets: on how many targets it waits for this.
        running: what runs there now.
        needs, counts: how many people are needed, and how many approvals count.
        groups: so many of whom must be among them.
        has: who decided what.
        can_act: whether who asks may approve, and has not.
        said: what who asks decided.
        others: what else is in the way.
    """

    key: str
    version: AskedVersion
    deployment: BoardNamed
    environment: BoardNamed
    policy: BoardNamed
    rule_id: str
    targets: int
    running: BoardVersion | None
    needs: int
    counts: int
    groups: list[str]
    has: list[BoardVote]
    authors: list[str]
    author_may_approve: bool
    approver_selector: str
    rejection_blocks: bool
    since: Timestamp
    others: list[OtherRule]
    can_act: bool
    said: Literal["approved", "rejected"] | None


class BoardTargetAnswer(AnswerModel):
    """A target and the names of what it is made of."""

    position: int
    target: BoardTarget
    deployment: BoardNamed
    environment: BoardNamed


class TargetEvent(AnswerModel):
    """What happened on a target.

    Attributes:
        type: of the fact.
        by: who made it happen: the name of a person, or the id of a program.
        what: what happened, in a few words; `message` says more where there is more to say.
        status: how it looks, as statuses of targets do.
        version: what it is about.
        job_id, verification_id: the job and the verification it is about.
    """

    position: int
    time: Timestamp
    type: str
    by: str
    what: str
    message: str
    status: CellStatus
    version: BoardVersion | None
    job_id: str | None
    verification_id: str | None


class ReadOn(AnswerModel, Generic[T]):
    """A part of what happened, newest first; `before` is where to read on, 0 where nothing is left."""

    position: int
    items: list[T]
    before: int


class TargetHistory(ReadOn[TargetEvent]):
    """What happened on a target, newest first; `before` is where to read on, 0 where nothing is left."""


class VersionOnBoard(AskedVersion):
    """A version and what people or its CI say of it."""

    status: VersionStatus


class Reach(AnswerModel):
    """An environment of a version's deployment: its targets, and on how many of them the version runs or is desired."""

    environment_id: str
    name: str
    targets: int
    running: int
    desired: int


class VersionReach(AnswerModel):
    """A version, and how far it came: environments in the order of the matrix."""

    version: VersionOnBoard
    deployment: BoardNamed
    reach: list[Reach]


class DecidedApproval(AnswerModel):
    """What a person said of a version; names are empty where what they name is gone."""

    position: int
    version_id: str
    tag: str
    deployment: BoardNamed
    environment: BoardNamed
    user_id: str
    name: str
    status: Literal["approved", "rejected", "withdrawn"]
    reason: str
    decided_at: Timestamp


class DecidedApprovals(ReadOn[DecidedApproval]):
    """What people said of versions, newest first; `before` is where to read on, 0 where nothing is left."""


class BoardApprovals(Page[BoardApproval]):
    """What waits for an approval, a part of it; `total` counts all."""

    position: int
