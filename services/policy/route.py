"""Which versions may a target take at all? One where a person pinned it; every one in order where the deployment says so; else any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from services.policy.candidates import is_fit
from services.policy.finding import Finding, positions
from services.policy.outcome import may_go_back, outcome_of
from services.policy.state import NOWHERE, Pair, Pin, State, Version
from services.policy.turn_findings import failure_of

BEHIND: Final = "Every version goes in order, and an earlier one comes first."
WAITS: Final = Finding(
    "waiting", BEHIND, ended_by="the versions before it, once each is deployed and verified here, rolled back or rejected"
)
"""What is recorded of a version that waits for an earlier one. It names none: that would change with every step of every target."""


class Turn(NamedTuple):
    """Where a target stands in the order of versions.

    Attributes:
        taken: the newest version that it took; None when it never had one.
        candidate: the only version that may go now, or has not passed yet; None when there is none. Without `taken` no older one is
            looked at; else the older ones are what the target falls back to.
    """

    taken: Version | None
    candidate: str | None


class Route:
    """The ways of the targets of one pair, for one walk."""

    def __init__(self, state: State, pair: Pair) -> None:
        self._state = state
        self._pair = pair
        self._newest = state.newest.get(pair.deployment_id, ())
        deployment = state.deployments.get(pair.deployment_id)
        self.every = deployment is not None and deployment.supersession == "every"
        self._turns: dict[str, Turn] = {}
        self._alike: dict[tuple[str, str | None], Turn] = {}
        self._places: dict[str, int] = {}
        self._firsts: dict[int, str | None] = {}

    def turn(self, resource_id: str) -> Turn:
        """Where a target stands in the order."""
        turn = self._turns.get(resource_id)
        if turn is None:
            turn = self._find(resource_id)
            # Shared by all targets that stand at the same place, so that what follows from it is found once.
            key = (turn.taken.version_id if turn.taken is not None else "", turn.candidate)
            turn = self._turns[resource_id] = self._alike.setdefault(key, turn)
        return turn

    def is_over(self, resource_id: str, version: Version) -> bool:
        """Whether a version is newer than what the target took, and not the one that may go now."""
        return _is_over(self.turn(resource_id), version)

    def behind(self, resource_ids: Sequence[str], version: Version) -> Sequence[str]:
        """Those of many targets for which that is so, in order."""
        known = self._turns
        turns = [known.get(one) or self.turn(one) for one in resource_ids]
        over = {id(turn): _is_over(turn, version) for turn in self._alike.values()}
        if all(over.values()):
            return resource_ids
        if not any(over.values()):
            return ()
        return [one for one, turn in zip(resource_ids, turns, strict=True) if over[id(turn)]]

    def starts_with(self, resource_id: str, version: Version) -> bool:
        """Whether a target that has nothing yet starts with a version, so that it takes no older one."""
        turn = self.turn(resource_id)
        return turn.taken is None and turn.candidate == version.version_id

    def _find(self, one: str) -> Turn:
        taken = self._state.versions.get(self._pair.standings.get(one, NOWHERE).taken)
        if taken is None or taken.deployment_id != self._pair.deployment_id:
            return Turn(None, self._first(one))
        if not self._is_done(one, taken):
            return Turn(taken, taken.version_id)
        return Turn(taken, self._after(one, taken))

    def _first(self, one: str) -> str | None:
        """The newest version that existed when the target appeared, else the oldest; of those that may be deployed."""
        appeared = self._pair.targets.get(one, 0)
        if one in self._pair.standings:
            return self._first_for(one, appeared)
        if appeared not in self._firsts:
            self._firsts[appeared] = self._first_for(one, appeared)
        return self._firsts[appeared]

    def _first_for(self, one: str, appeared: int) -> str | None:
        oldest: str | None = None
        for version_id in self._newest:
            version = self._state.versions[version_id]
            if self._may_go(one, version):
                if version.known_since < appeared:
                    return version_id
                oldest = version_id
        return oldest

    def _after(self, one: str, taken: Version) -> str | None:
        """The next version in order that may be deployed."""
        if not self._places:
            self._places = {version_id: place for place, version_id in enumerate(self._newest)}
        for place in range(self._places[taken.version_id] - 1, -1, -1):
            if self._may_go(one, self._state.versions[self._newest[place]]):
                return self._newest[place]
        return None

    def _may_go(self, one: str, version: Version) -> bool:
        return version.version_id not in self._pair.standings.get(one, NOWHERE).bad and is_fit(self._pair, one, version)

    def _is_done(self, one: str, version: Version) -> bool:
        """Whether the order goes on after a version: it passed, or it will not pass any more. One whose jobs are forgotten passed long ago."""
        if not self._may_go(one, version):
            return True
        desired = self._pair.standings.get(one, NOWHERE).desired
        if desired is not None and desired.rollback and desired.version_id == version.version_id:
            return True  # it went back to a release of this version that passed
        came_to = outcome_of(self._pair, one, version.version_id)
        return came_to is None or came_to[0] == "passed"


def _is_over(turn: Turn, version: Version) -> bool:
    return version.version_id != turn.candidate and (turn.taken is None or version.rank > turn.taken.rank)


def behind(state: State, pair: Pair, resource_id: str, turn: Turn) -> Finding:
    """Why a version waits for the one before it, at this moment: what is recorded names no version."""
    first = state.tag(turn.candidate) if turn.candidate is not None else "the version before it"
    came_to = outcome_of(pair, resource_id, turn.candidate) if turn.candidate is not None else None
    if came_to is not None and came_to[0] in ("failed", "held"):
        job = came_to[1]
        measured = job.status == "successful"
        back = ", rolls it back" if may_go_back(state, pair, resource_id, job) else ""
        return replace(
            WAITS,
            detail=f"Every version goes in order, and {first} comes first, which failed here."
            if not measured
            else f"Every version goes in order, and {first} comes first; here {failure_of(job)}.",
            ended_by=f"a person who {'verifies it again, ' if measured else ''}redeploys {first}{back} or rejects it",
            facts=positions((job.position, *(check.position for check in job.checks))),
        )
    return replace(
        WAITS,
        detail=f"Every version goes in order, and {first} comes first.",
        ended_by=f"{first}, once it is deployed and verified here, rolled back or rejected",
    )


def pinned_to(state: State, pair: Pair, resource_id: str, pin: Pin) -> str:
    """What a target is pinned to, by whom and why; ends with a full stop."""
    where = f"{state.deployment_name(pair.deployment_id)} in {state.environment_name(pair.environment_id)}"
    if resource_id in pair.pins:
        where = f"{state.resource_name(resource_id)}, {where}"
    who = pin.by.partition(":")[2] or pin.by or "a person"
    why = f" ({' '.join(pin.reason.split())})" if pin.reason.strip() else ""
    return f"{where} is pinned to {state.tag(pin.version_id)} by {who}{why}."
