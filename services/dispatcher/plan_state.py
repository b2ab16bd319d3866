"""What dispatcher remembers of plans, of how far their pull requests know of them, and the rules that judge them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from immutables import Map

from contracts.facts.dispatcher import PlannedVersion, PlanResultItem
from contracts.facts.policy import PolicySaved


class OpenPlan(NamedTuple):
    """A plan with results that are to come.

    Attributes:
        position: where it was asked for.
        open: how many results are to come, of those that were started.
        last: all of its results were started.
    """

    deployment_id: str
    position: int
    version: PlannedVersion
    expires_at: datetime
    open: int = 0
    last: bool = False


class OpenResult(NamedTuple):
    """A dry run that has not ended; `started` is where it began."""

    plan_id: str
    item: PlanResultItem
    started_at: datetime
    current_version_id: str | None
    started: int


class Tally(NamedTuple):
    """How many results there are, how many are to come, and what the others say.

    Attributes:
        violated: those that a rule objects to, or that a rule could not be asked about.
    """

    total: int = 0
    open: int = 0
    changed: int = 0
    unchanged: int = 0
    errored: int = 0
    unsupported: int = 0
    violated: int = 0

    @property
    def is_bad(self) -> bool:
        """Whether something went wrong, or is objected to."""
        return bool(self.errored or self.violated)


class Seen(NamedTuple):
    """Where a result was started and where it was recorded."""

    started: int
    recorded: int


class Check(NamedTuple):
    """A check run: of one target, or of all those that have none of their own.

    Attributes:
        first: where its first results were started.
        bad, good: the first results with something to object to, and the first ones without.
        shown: the state that GitHub was told; empty while it knows nothing.
        external_id: of the check run.
    """

    first: int
    tally: Tally = Tally()
    bad: tuple[Seen, ...] = ()
    good: tuple[Seen, ...] = ()
    shown: str = ""
    external_id: str | None = None


class Report(NamedTuple):
    """A plan that a pull request is told of.

    Attributes:
        position: where the plan was asked for.
        number: how often something was shown.
        targets: how many the plan has; those that no agent takes have no check.
        last: all results were started.
        order: the names of the checks, in the order in which they came; `checks` has them by name.
        comment: the state that the comment shows; empty while nobody has looked for the pull request.
    """

    deployment_id: str
    position: int
    expires_at: datetime
    number: int = 0
    targets: int = 0
    last: bool = False
    tally: Tally = Tally()
    order: tuple[str, ...] = ()
    checks: Map[str, Check] = Map()
    comment: str = ""
    comment_id: str | None = None
    pull_request: int | None = None


class Plans(NamedTuple):
    """Plans that are being computed, their open results, the policies that judge plans, and the plans to be reported, by id."""

    plans: Map[str, OpenPlan] = Map()
    results: Map[str, OpenResult] = Map()
    policies: Map[str, PolicySaved] = Map()
    reports: Map[str, Report] = Map()
