"""What the board remembers of a workspace: per target what is wanted, what runs and what is in the way, and counts of that per cell.

A cell is a deployment in an environment (`pair`). Its counts are kept with every change of a target, so that no fact makes anybody look
at all targets of a cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from immutables import Map

from contracts.facts.policy import Verdict
from contracts.shapes import JobStatus

Status = Literal["failed", "blocked", "progressing", "pending", "paused", "healthy", "empty"]
"""How a target or a cell stands; of several targets the first of these speaks for the cell."""

STATUSES: tuple[Status, ...] = get_args(Status)

Code = Literal[
    "job failed", "no agent", "job ended", "job waits", "job", "check failed", "check unclear", "checking", "going back", "went back",
    "nothing to go back to", "hold", "place", "going", "no version", "runs",
]  # fmt: skip
"""Why a target stands as it does."""


class Version(NamedTuple):
    """A version; `content_at` is the position at which what would be deployed last changed, `content` tells that from others."""

    version_id: str
    deployment_id: str
    tag: str
    name: str
    status: str
    created_at: datetime
    content: str
    content_at: int
    authors: tuple[str, ...]

    @property
    def rank(self) -> tuple[datetime, str]:
        """Greater for newer versions."""
        return self.created_at, self.version_id


class Resource(NamedTuple):
    """How a resource is called, and in which cells it is or was a target."""

    identifier: str
    name: str
    kind: str


class Named(NamedTuple):
    """A system, a deployment or an environment. `metadata` is an environment's, by which others may pick it."""

    name: str
    created_at: datetime
    metadata: tuple[tuple[str, str], ...] = ()


class Picked(NamedTuple):
    """Environments that an expression picks by comparing with literals: pairs of a field (`id`, `name`, `metadata.…`) and a value."""

    literals: tuple[tuple[str, str], ...]


class Asking(NamedTuple):
    """An approval rule, as far as the inbox tells of it."""

    rule_id: str
    needs: int
    groups: tuple[str, ...]
    approver_selector: str
    author_may_approve: bool
    expires_after_minutes: int
    rejection_blocks: bool


class Policy(NamedTuple):
    """A policy: its approvals, and of its progressions what must come first and where they apply."""

    name: str
    enabled: bool
    asks: tuple[Asking, ...]
    here: Picked
    upstream: tuple[tuple[str, Picked], ...]


class Vote(NamedTuple):
    """What a person decided about a version for an environment; newest wins."""

    user_id: str
    name: str
    status: Literal["approved", "rejected"]
    reason: str
    version_at: int
    decided_at: datetime


class Hold(NamedTuple):
    """A rule's verdict against a version on a target. Targets of one group share it."""

    version_id: str
    policy_id: str
    rule_id: str
    rule_type: str
    verdict: Verdict
    message: str
    until: datetime | None
    since: datetime


class Job(NamedTuple):
    """A job of a target's newest dispatch."""

    job_id: str
    release_id: str
    version_id: str
    status: JobStatus
    message: str
    attempt: int
    rollback: bool
    made_at: datetime


class Check(NamedTuple):
    """The newest attempt of one verification of a job."""

    job_id: str
    rule_id: str
    verification_id: str
    attempt: int
    status: Literal["running", "passed", "failed", "inconclusive", "cancelled"]
    metric: str
    message: str


class Run(NamedTuple):
    """A job that succeeded."""

    job_id: str
    version_id: str
    at: datetime


class Back(NamedTuple):
    """The target returned, or is about to, from a version to an earlier one (None: it had none).

    `cause` is what went wrong, in few words: the metric that failed, or how the job ended.
    """

    version_id: str
    to_version_id: str | None
    release_id: str | None
    reason: str
    cause: str
    by_hand: bool


class Place(NamedTuple):
    """A release that waits for a free place: at an agent, or of the deployment (no name)."""

    release_id: str
    agent_name: str
    limit: int


class Why(NamedTuple):
    """How a target stands and because of what; targets for which all of this is the same are counted together.

    Attributes:
        version_id: the version that it is about.
        other: for `hold` the type of the rule, for the others what their sentence names beside the version.
        rule_id, policy_id: of a hold.
        cause: of a rollback, in few words.
        message: of a hold or a rollback the sentence that was recorded.
    """

    status: Status
    code: Code
    version_id: str = ""
    other: str = ""
    policy_id: str = ""
    rule_id: str = ""
    message: str = ""
    cause: str = ""


NOTHING = Why("pending", "no version")


class Target(NamedTuple):
    """One target.

    Attributes:
        at: position of the newest fact about it.
        desired, release: version and release that are wanted; empty for none.
        runs: its newest successes, oldest first.
        jobs: those of the newest dispatch; several agents make several.
        checks: of these jobs.
        holds: what is in the way of versions that do not run here.
        marked: versions that do not come back here by themselves.
        pin: version that a person chose for this target.
        why, until, since: how it stands, when time alone ends that, and since when it is so.
        settled: whether what runs was found healthy.
    """

    at: int = 0
    desired: str = ""
    release: str = ""
    runs: tuple[Run, ...] = ()
    jobs: tuple[Job, ...] = ()
    checks: tuple[Check, ...] = ()
    holds: tuple[Hold, ...] = ()
    marked: tuple[str, ...] = ()
    back: Back | None = None
    place: Place | None = None
    pin: str = ""
    why: Why = NOTHING
    until: datetime | None = None
    since: datetime | None = None
    settled: bool = False

    @property
    def running(self) -> str:
        """The version that runs here; empty for none."""
        return self.runs[-1].version_id if self.runs else ""


class Held(NamedTuple):
    """A rule that does not allow a version, on some targets."""

    version_id: str
    rule_type: str
    policy_id: str
    rule_id: str


class Pair(NamedTuple):
    """A deployment in an environment.

    Attributes:
        targets: by resource id.
        away: targets that vanished, while their resource exists: what runs there counts again when they return.
        pin: version that a person chose for all of it.
        statuses, whys: how many targets stand so.
        untils: when that ends by itself, how many by each instant.
        wanted, running, settled: how many targets have a version desired, running, or running and found healthy.
        held: how many targets each rule holds from a version.
        asked_since: of the rules among these that ask for an approval, since when.
        status, since: of the cell, and since when.
    """

    deployment_id: str
    environment_id: str
    targets: Map[str, Target] = Map()
    away: Map[str, Target] = Map()
    pin: str = ""
    statuses: Map[str, int] = Map()
    whys: Map[Why, int] = Map()
    untils: Map[Why, Map[datetime, int]] = Map()
    wanted: Map[str, int] = Map()
    running: Map[str, int] = Map()
    settled: Map[str, int] = Map()
    held: Map[Held, int] = Map()
    asked_since: Map[Held, datetime] = Map()
    status: Status = "empty"
    since: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.deployment_id}/{self.environment_id}"


@dataclass(frozen=True, slots=True)
class Board:
    """A workspace.

    Attributes:
        systems, deployments, environments, versions, resources, policies: by id.
        newest: the newest version of a deployment.
        homes: systems of a deployment or an environment, in the order of linking.
        members: what is linked to a system.
        pairs: by `deployment/environment`.
        places: keys of pairs in which a deployment, an environment or a resource is.
        asking: pairs in which something waits for an approval.
        votes: by `version/environment`.
        freezes: reasons by id.
    """

    systems: Map[str, Named] = field(default_factory=Map)
    deployments: Map[str, Named] = field(default_factory=Map)
    environments: Map[str, Named] = field(default_factory=Map)
    versions: Map[str, Version] = field(default_factory=Map)
    newest: Map[str, str] = field(default_factory=Map)
    resources: Map[str, Resource] = field(default_factory=Map)
    homes: Map[str, tuple[str, ...]] = field(default_factory=Map)
    members: Map[str, tuple[str, ...]] = field(default_factory=Map)
    policies: Map[str, Policy] = field(default_factory=Map)
    pairs: Map[str, Pair] = field(default_factory=Map)
    places: Map[str, tuple[str, ...]] = field(default_factory=Map)
    asking: Map[str, bool] = field(default_factory=Map)
    votes: Map[str, tuple[Vote, ...]] = field(default_factory=Map)
    freezes: Map[str, str] = field(default_factory=Map)

    def tag(self, version_id: str) -> str:
        """How a version is called; empty for none."""
        version = self.versions.get(version_id)
        return version.tag if version is not None else ""


def initial(workspace_id: str) -> Board:
    """An empty workspace."""
    return Board()


def pair_key(deployment_id: str, environment_id: str) -> str:
    """How a pair is found."""
    return f"{deployment_id}/{environment_id}"
