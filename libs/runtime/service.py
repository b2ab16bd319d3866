"""How a service describes itself to whoever hosts it: pure functions over frozen state, and effects as data.

A service remembers a workspace as the fold of the facts it reads (`evolve`), and decides on facts (`react`), commands, due timers
and outcomes of effects. All of these are pure: the time, the ids and the answers of the outside come in as data, and only the
resulting facts are recorded. The host (`libs.runtime.host`, or the simulation) folds the log, calls them in one serial queue per
workspace, and appends what they return.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from contracts.command import Asked, Wish
from contracts.envelope import Recorded
from contracts.fact import Fact
from libs.eventlog.port import Condition

S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)
W = TypeVar("W", bound=Wish)


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact that a decision wants to record.

    Attributes:
        fact: the fact.
        cause: the recorded fact that led to it; None when the command, timer or outcome itself did.
        conditions: what the append must rest on; the whole round is decided again when one fails.
    """

    fact: Fact
    cause: Recorded | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """What a command handler answers: facts, and the JSON that the sender gets."""

    drafts: tuple[Draft, ...] = ()
    answer: Any = None


@dataclass(frozen=True, slots=True)
class Command(Generic[S, W]):
    """A command and its handler: `decide(wish, state, asked)` returns `Decided` or raises `Refused` before any fact is built.

    Attributes:
        about: names the thing that a wish is about, where nothing that is recorded for commands about other things makes a difference to
            the decision, none of its own: such commands may be decided on one state, before any of them is folded. Without it a command
            is decided alone. Total, as `decide` is asked next.
    """

    wish: type[W]
    decide: Callable[[W, S, Asked], Decided]
    about: Callable[[W, S], str] | None = None


@dataclass(frozen=True, slots=True)
class QueryHandler(Generic[S, W]):
    """A query and its pure answer (JSON-able, or a pydantic model); `now` is in `asked`, and `position` is where `state` stands.

    Attributes:
        long: it may take so long that it is found in a thread, while decisions go on and another one is found in another: what it remembers
            from one answer to the next, and shares with decisions, it keeps by thread (`kept.py`).
    """

    wish: type[W]
    answer: Callable[[W, S, Asked, int], Any]
    long: bool = False


class Timers(Protocol[S_contra]):
    """When time alone may change a decision. Keys are the service's own; each has at most one instant."""

    def keys(self, state: S_contra) -> Iterable[str]:
        """Every key with a timer; asked once after the state was loaded."""

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """Keys whose timer this fact may have changed; asked after the fact was folded."""

    def at(self, state: S_contra, key: str) -> datetime | None:
        """When the key is due; None when it has no timer (any more)."""

    def fire(self, state: S_contra, keys: Sequence[str], now: datetime) -> Sequence[Draft]:
        """Decide on keys that are due at `now`, in order of their instants. Must change the timer of each, by a fact."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An effect that is to happen: everything its performer needs, as data.

    Attributes:
        key: names the effect and its attempt, so that it is performed once per key and process life; also its idempotency key.
        not_before: when it may start; None for at once.
        request: what the performer is given.
        lane: so many effects of one lane are under way at once and no more, so that one slow party does not hold up the others (`lanes.py`).
        again: it may have been performed before, and nobody recorded what came of it: the process did not live to do so, which the
            host says, or nobody waited for it any more, which the service says.
    """

    key: str
    request: Any
    not_before: datetime | None = None
    lane: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class NotYet:
    """What a performer returns when there is nothing to decide on yet: the intent, if it is still open, is performed again later.

    Attributes:
        after_s: seconds until then, above 0.
    """

    after_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an effect came to: `result` is plain JSON data, recorded with the decision on it."""

    key: str
    result: dict[str, Any]


class Effects(Protocol[S_contra]):
    """Calls to the outside: open intents are derived from the state, so that after a crash they are driven again."""

    def keys(self, state: S_contra) -> Iterable[str]:
        """Every open intent; asked once after the state was loaded."""

    def touched(self, recorded: Recorded) -> Iterable[str]:
        """Intents that this fact may have opened or closed; asked after the fact was folded."""

    def intent(self, state: S_contra, key: str) -> Intent | None:
        """The open intent of a key; None when it is closed."""

    def settle(self, state: S_contra, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
        """Decide on outcomes; outcomes of intents that closed meanwhile are to be ignored. Each open one must be closed by a fact."""


Performer = Callable[[Intent], Awaitable[dict[str, Any] | NotYet]]
"""Does the effect of an intent and returns its result as plain JSON data, or that there is none yet. Never raises for what the outside does: a failure is a
result. An exception is our own bug or an outage; the intent is driven again after a pause."""


def _no_reaction(state: Any, recorded: Sequence[Recorded], now: datetime) -> Sequence[Draft]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Service(Generic[S]):
    """A service.

    Attributes:
        name: its name; facts whose wire type starts with it are its own.
        state_version: raised whenever the shape or meaning of the state changes; older snapshots are then thrown away.
        reads: wire types that `evolve` folds; others are passed over without being decoded.
        initial: the empty state of a workspace.
        evolve: folds one recorded fact; total, never refuses.
        react: decides on facts that were just folded (ascending, all of them also this service's own); the state is after them.
        commands, queries: what it answers, by name.
        settle_apart_s: seconds from one decision on outcomes to the next, for effects whose outcomes nobody waits for: many that come one
            by one then share a decision, an append and everything that follows from it.
    """

    name: str
    state_version: int
    reads: frozenset[str]
    initial: Callable[[str], S]
    evolve: Callable[[S, Recorded], S]
    react: Callable[[S, Sequence[Recorded], datetime], Sequence[Draft]] = _no_reaction
    commands: Mapping[str, Command[S, Any]] = field(default_factory=dict)
    queries: Mapping[str, QueryHandler[S, Any]] = field(default_factory=dict)
    timers: Timers[S] | None = None
    effects: Effects[S] | None = None
    settle_apart_s: float = 0.0
