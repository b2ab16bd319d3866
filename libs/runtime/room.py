"""One service's view of one workspace, without any I/O: state, position, timers, intents, and the rounds that decisions make.

The host drives it: fold what the log brings, ask for a round, append the round, fold what was appended. Everything here is
synchronous and deterministic, so the simulation drives the very same object in virtual time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

import orjson

from contracts.command import Asked, Wish
from contracts.envelope import Recorded
from contracts.fact import Fact
from contracts.tags import tags_of
from libs.eventlog.port import Append, Checkpoint, CheckpointMove, CommandAnswer, Condition, NewFact
from libs.runtime.ids import derived
from libs.runtime.service import Draft, Intent, Outcome, Service
from libs.runtime.trace import span_of

S = TypeVar("S")

STALE, STALE_FREE = 2, 1_000
"""The heap of timers may hold so many entries for each armed timer, and so many more, before those that were moved are thrown out."""


@dataclass(frozen=True, slots=True)
class Round:
    """A decision that is ready to be appended, and what it was made on."""

    append: Append
    answer: Any = None


@cache
def _is_of_version(kind: type[Fact]) -> bool:
    """Whether facts of a class name a version. Asked of the class, because a model takes long to say that it has no such field."""
    return "version_id" in kind.model_fields or hasattr(kind, "version_id")


class Room(Generic[S]):
    """State of one workspace in one service.

    Attributes:
        state: the fold of the log through `position`.
        position: the newest folded position.
        decided: the newest position that was reacted to; facts after it are in `pending`.
        stored: the checkpoint as the log holds it; every round moves it by compare-and-set.
    """

    def __init__(self, service: Service[S], workspace_id: str) -> None:
        self.service = service
        self.workspace_id = workspace_id
        self.reset(service.initial(workspace_id), 0, Checkpoint())

    def reset(self, state: S, position: int, stored: Checkpoint) -> None:
        """Start over from a state folded through `position`, which must not lie past the stored checkpoint."""
        assert position <= stored.position, "a snapshot may not run ahead of the checkpoint"
        self.state = state
        self.position = position
        self.stored = stored
        self.decided = stored.position
        self.pending: list[Recorded] = []
        self._due: list[tuple[datetime, str]] = []
        self._armed: dict[str, datetime] = {}
        self._open: dict[str, Intent] = {}
        self._opened: list[Intent] = []
        self._appended_here: set[str] = set()
        self._live = False

    # --- folding ---------------------------------------------------------------------------------------------------------------

    def fold(self, recorded: Iterable[Recorded]) -> None:
        """Fold the next facts of the log. Those up to the checkpoint were decided on in an earlier life and are only folded."""
        service, reads = self.service, self.service.reads
        for one in recorded:
            assert one.position == self.position + 1, f"{service.name} at {self.position} was given {one!r}"
            self.position = one.position
            if one.type not in reads:
                continue
            self.state = service.evolve(self.state, one)
            if one.position > self.decided:
                self.pending.append(one)
            if self._live:
                if service.timers is not None:
                    for key in service.timers.touched(one):
                        self._arm(key)
                if service.effects is not None:
                    # Whoever recorded what opens an effect may have begun with it: nobody else is to take it for untouched. Facts
                    # after the checkpoint are often those of an earlier life, which it did not live to act on or to move past.
                    again = one.id not in self._appended_here
                    for key in service.effects.touched(one):
                        self._reopen(key, again=again)
                    self._appended_here.discard(one.id)
        if not self._live and self.position >= self.decided:
            self._go_live()
        if not self.pending:
            self.decided = max(self.decided, self.position)

    def _go_live(self) -> None:
        self._live = True
        if self.service.timers is not None:
            for key in self.service.timers.keys(self.state):
                self._arm(key)
        if self.service.effects is not None:
            for key in self.service.effects.keys(self.state):
                self._reopen(key, again=True)

    def _arm(self, key: str) -> None:
        assert self.service.timers is not None
        at = self.service.timers.at(self.state, key)
        if at is None:
            self._armed.pop(key, None)
        elif self._armed.get(key) != at:
            self._armed[key] = at
            heapq.heappush(self._due, (at, key))
            if len(self._due) > STALE * len(self._armed) + STALE_FREE:
                self._due = sorted((at, key) for key, at in self._armed.items())  # a sorted list is a heap

    def _reopen(self, key: str, *, again: bool = False) -> None:
        assert self.service.effects is not None
        intent = self.service.effects.intent(self.state, key)
        if intent is None:
            self._open.pop(key, None)
        elif key not in self._open:
            self._open[key] = intent
            self._opened.append(replace(intent, again=True) if again else intent)

    # --- what is to be done ----------------------------------------------------------------------------------------------------

    def next_due(self) -> datetime | None:
        """The instant of the next timer."""
        while self._due and self._armed.get(self._due[0][1]) != self._due[0][0]:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def take_opened(self) -> list[Intent]:
        """Intents that opened since the last call, to be performed; still to be checked with `is_open`."""
        opened, self._opened = self._opened, []
        return opened

    def is_open(self, key: str) -> bool:
        """Whether the intent is still to be performed."""
        return key in self._open

    # --- rounds ----------------------------------------------------------------------------------------------------------------

    def react(self, now: datetime) -> Round | None:
        """Decide on the facts folded since the last decision; None when nothing follows from them."""
        if not self.pending:
            return None
        drafts = self.service.react(self.state, tuple(self.pending), now)
        if not drafts:
            self.reacted()
            return None
        trigger = {"kind": "facts", "from": self.decided + 1, "to": self.position}
        return self._round(drafts, trigger, now, decided=self.position)

    def reacted(self) -> None:
        """The pending facts were decided on (the round was appended, or there was none)."""
        self.pending = []
        self.decided = self.position

    def fire(self, now: datetime, limit: int = 1000) -> Round | None:
        """Decide on the timers that are due; None when none is, or nothing follows."""
        assert not self.pending, "react before time is looked at"
        keys: list[str] = []
        while (at := self.next_due()) is not None and at <= now and len(keys) < limit:
            keys.append(heapq.heappop(self._due)[1])
            del self._armed[keys[-1]]
        if not keys:
            return None
        assert self.service.timers is not None
        drafts = self.service.timers.fire(self.state, keys, now)
        return self._round(drafts, {"kind": "timers", "keys": keys}, now) if drafts else None

    def rearm(self) -> None:
        """Look at every timer again, after a round of timers could not be appended."""
        if self.service.timers is not None:
            for key in self.service.timers.keys(self.state):
                self._arm(key)

    def settle(self, outcomes: Sequence[Outcome], now: datetime) -> Round | None:
        """Decide on outcomes of effects."""
        assert self.service.effects is not None
        drafts = self.service.effects.settle(self.state, outcomes, now)
        trigger = {"kind": "outcomes", "outcomes": [{"key": one.key, "result": one.result} for one in outcomes]}
        return self._round(drafts, trigger, now) if drafts else None

    def about(self, wish: Wish) -> str | None:
        """The thing that a command is about; None when it is to be decided alone."""
        about = self.service.commands[wish.NAME].about
        return about(wish, self.state) if about is not None else None

    def command(self, wish: Wish, asked: Asked, *, stored: Checkpoint | None = None) -> Round:
        """Decide on a command.

        Args:
            stored: the checkpoint as the log will hold it by then; another one than now where rounds are to be appended before.

        Raises: Refused.
        """
        decided = self.service.commands[wish.NAME].decide(wish, self.state, asked)
        trigger: dict[str, Any] = {"kind": "command", "name": wish.NAME, "id": asked.id, "auth_id": asked.auth_id}
        if decided.drafts:  # else nothing is kept, and a large wish takes long to write out
            trigger["wish"] = orjson.Fragment(wish.model_dump_json())
        return self._round(decided.drafts, trigger, asked.now, asked=asked, name=wish.NAME, answer=decided.answer, stored=stored)

    def query(self, wish: Wish, asked: Asked) -> Any:
        """Answer a query. Raises: Refused."""
        return self.service.queries[wish.NAME].answer(wish, self.state, asked, self.position)

    def again(self, trigger: dict[str, Any], now: datetime) -> Round | None:
        """Make a recorded decision again, from its trigger; the state must stand where it stood then."""
        service = self.service
        match trigger["kind"]:
            case "facts":
                return self.react(now)
            case "timers":
                assert service.timers is not None
                return self._round(service.timers.fire(self.state, trigger["keys"], now), trigger, now)
            case "outcomes":
                return self.settle([Outcome(one["key"], one["result"]) for one in trigger["outcomes"]], now)
            case "command":
                wish = service.commands[trigger["name"]].wish.model_validate(trigger["wish"])
                asked = Asked(id=trigger["id"], workspace_id=self.workspace_id, auth_id=trigger["auth_id"], now=now)
                return self.command(wish, asked)
            case other:
                raise AssertionError(f"unknown trigger {other}")

    def _round(
        self,
        drafts: Sequence[Draft],
        trigger: dict[str, Any],
        now: datetime,
        *,
        decided: int | None = None,
        asked: Asked | None = None,
        name: str = "",
        answer: Any = None,
        stored: Checkpoint | None = None,
    ) -> Round:
        old = stored or self.stored
        new = Checkpoint(self.decided if decided is None else decided, old.sequence + 1)
        facts = tuple(self._new_fact(draft, ordinal, new.sequence, now, asked) for ordinal, draft in enumerate(drafts))
        conditions: dict[Condition, None] = {}
        for draft in drafts:
            conditions.update(dict.fromkeys(draft.conditions))
        decision = {"trigger": trigger, "decided_at": now, "decided_upto": self.position}
        append = Append(
            workspace_id=self.workspace_id,
            facts=facts,
            conditions=tuple(conditions),
            move=CheckpointMove(self.service.name, old, new),
            command=CommandAnswer(asked.id, name, orjson.dumps(answer)) if asked is not None else None,
            decision=orjson.dumps(decision) if facts else None,
        )
        return Round(append, answer)

    def _new_fact(self, draft: Draft, ordinal: int, sequence: int, now: datetime, asked: Asked | None) -> NewFact:
        name = self.service.name
        cause = draft.cause
        if cause is not None:
            causation, correlation = cause.id, cause.correlation_id
        elif asked is not None:
            causation = correlation = asked.id
        else:
            causation = correlation = derived(self.workspace_id, f"{name}/{sequence}")
        # A version gives its id to everything that happens because of it: correlation from CI to the last target, and one trace.
        if _is_of_version(type(draft.fact)):
            correlation = getattr(draft.fact, "version_id", None) or correlation
        fact_id = derived(causation, f"{name}/{sequence}/{ordinal}")
        return NewFact(
            id=fact_id,
            fact=draft.fact,
            time=now,
            correlation_id=correlation,
            causation_id=causation,
            auth_id=asked.auth_id if asked is not None else f"service:{name}",
            traceparent=span_of(correlation, fact_id),
            tags=tags_of(draft.fact),
        )

    def appended(self, round_: Round) -> None:
        """The round was appended: the checkpoint stands where the round moved it."""
        move = round_.append.move
        assert move is not None
        assert move.new.position <= self.position, "a round can not decide ahead of the fold"
        self.stored = move.new
        if self.service.effects is not None:
            self._appended_here.update(one.id for one in round_.append.facts)
        if move.new.position == self.position:
            self.reacted()
