"""All services over one in-memory log, in one thread and in virtual time: the whole house as a deterministic function.

Every decision runs through the same `Room` as in production. What is simulated is only what surrounds it: the log, the clock, and
the outside that effects call. With a seed, the order in which services get their turn is shuffled, so that one test can walk through
many interleavings; the same seed walks the same way again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

from contracts.command import Asked, Wish
from contracts.envelope import Recorded
from contracts.fact import FACTS, Fact
from contracts.tags import tags_of
from libs.eventlog.port import Append
from libs.runtime.room import Room, Round
from libs.runtime.service import Intent, NotYet, Outcome, Service

F = TypeVar("F", bound=Fact)
Performing = Callable[[Intent, datetime], dict[str, Any] | NotYet | None]
"""A simulated outside: the result of an intent, or None to leave it open."""

START = datetime(2026, 1, 1, tzinfo=UTC)
WORKSPACE = "11111111-1111-4111-8111-111111111111"


def decode(type_: str, data: bytes) -> Fact:
    """A fact from its JSON."""
    return FACTS[type_].model_validate_json(data)


class NeverQuiet(AssertionError):
    """The services keep causing each other to act."""


class World:
    """The services of one workspace, driven step by step.

    Attributes:
        now: virtual time; moved only by `advance`.
        log: every recorded fact, ascending.
        rounds: every appended round, in order.
    """

    def __init__(
        self,
        services: Sequence[Service[Any]],
        performers: Mapping[str, Performing] | None = None,
        *,
        start: datetime = START,
        seed: int | None = None,
        workspace_id: str = WORKSPACE,
    ) -> None:
        self.now = start
        self.workspace_id = workspace_id
        self.log: list[Recorded] = []
        self.rounds: list[tuple[str, Round]] = []
        self._tags: dict[str, int] = {}
        self._rooms: dict[str, Room[Any]] = {service.name: Room(service, workspace_id) for service in services}
        self._waiting: dict[str, dict[str, Intent]] = {name: {} for name in self._rooms}
        self._performers = dict(performers or {})
        self._shuffle = random.Random(seed) if seed is not None else None
        self._asked = 0
        for room in self._rooms.values():
            room.fold(())

    # --- what a test does ------------------------------------------------------------------------------------------------------

    def ask(self, wish: Wish, *, by: str = "user:ana", id: str | None = None) -> Any:
        """Send a command or query and return its answer; a command's consequences follow with `run`. Raises: Refused."""
        room = self._rooms[wish.SERVICE]
        self._catch_up(room)
        self._asked += 1
        asked = Asked(
            id=id or str(uuid5(UUID(self.workspace_id), f"asked/{self._asked}")),
            workspace_id=self.workspace_id,
            auth_id=by,
            now=self.now,
        )
        wish = type(wish).model_validate_json(wish.model_dump_json())
        if wish.KIND == "query":
            return room.query(wish, asked)
        round_ = room.command(wish, asked)
        self._append(room, round_)
        return round_.answer

    def do(self, wish: Wish, *, by: str = "user:ana", id: str | None = None) -> Any:
        """`ask`, then `run`."""
        answer = self.ask(wish, by=by, id=id)
        self.run()
        return answer

    def record(self, *given: Fact, correlation_id: str | None = None, by: str = "service:test") -> None:
        """Append facts as if their owner had, for `by`: the given of a test that knows only some of the services."""
        for fact in given:
            id_ = str(uuid5(UUID(self.workspace_id), f"given/{len(self.log)}"))
            self._record(fact, id_, self.now, getattr(fact, "version_id", None) or correlation_id or id_, id_, by, "")

    def run(self, limit: int = 100_000) -> None:
        """Let every service act until all are quiet at this instant. Raises: NeverQuiet."""
        for _ in range(limit):
            rooms = list(self._rooms.values())
            if self._shuffle:
                self._shuffle.shuffle(rooms)
            acted = [self._step(room) for room in rooms]  # a list: every room gets its turn
            if not any(acted):
                return
        raise NeverQuiet(f"not quiet after {limit} turns; the last facts: {self.log[-6:]}")

    def advance(self, duration: timedelta | float) -> None:
        """Move time on (seconds or a timedelta), stopping at every instant at which something is due."""
        end = self.now + (duration if isinstance(duration, timedelta) else timedelta(seconds=duration))
        self.run()
        while (due := self.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.run()
        self.now = end
        self.run()

    def next_due(self) -> datetime | None:
        """The next instant at which something happens by itself."""
        timers = [due for room in self._rooms.values() if (due := room.next_due()) is not None]
        effects = [
            intent.not_before
            for name, waiting in self._waiting.items()
            for key, intent in waiting.items()
            if intent.not_before is not None and intent.not_before > self.now and self._rooms[name].is_open(key)
        ]
        return min(timers + effects, default=None)

    # --- what a test looks at --------------------------------------------------------------------------------------------------

    def facts(self, kind: type[F]) -> list[F]:
        """Every recorded fact of a class, ascending."""
        return [one.fact for one in self.log if isinstance(one.fact, kind)]

    def room(self, service: str) -> Room[Any]:
        """A service's room, folded through the newest fact."""
        room = self._rooms[service]
        self._catch_up(room)
        return room

    # --- turns -----------------------------------------------------------------------------------------------------------------

    def _catch_up(self, room: Room[Any]) -> None:
        room.fold(self.log[room.position :])

    def _step(self, room: Room[Any]) -> bool:
        """One turn of one service; True when it did something."""
        behind = room.position < len(self.log)
        self._catch_up(room)
        if round_ := room.react(self.now):
            self._append(room, round_)
            return True
        if round_ := room.fire(self.now):
            self._append(room, round_)
            return True
        return self._perform(room) or behind

    def _perform(self, room: Room[Any]) -> bool:
        name = room.service.name
        perform = self._performers.get(name)
        waiting = self._waiting[name]
        for intent in room.take_opened():
            waiting[intent.key] = intent
        outcomes: list[Outcome] = []
        for key, intent in list(waiting.items()):
            if not room.is_open(key):
                del waiting[key]
            elif perform is not None and (intent.not_before is None or intent.not_before <= self.now):
                result = perform(intent, self.now)
                if isinstance(result, NotYet):
                    waiting[key] = replace(intent, not_before=self.now + timedelta(seconds=result.after_s))
                elif result is not None:
                    del waiting[key]
                    outcomes.append(Outcome(key, result))
        if not outcomes:
            return False
        if round_ := room.settle(outcomes, self.now):
            self._append(room, round_)
        return True

    # --- the log ---------------------------------------------------------------------------------------------------------------

    def _append(self, room: Room[Any], round_: Round) -> None:
        append: Append = round_.append
        for condition in append.conditions:
            newest = max((self._tags.get(tag, 0) for tag in condition.tags), default=0)
            assert newest <= condition.after, f"{room.service.name} decided on what was folded, yet {condition} fails at {newest}"
        for new in append.facts:
            owner = type(new.fact).TYPE.split(".", 1)[0]
            assert owner == room.service.name, f"{room.service.name} appended {new.fact!r}, which is not its own"
            self._record(new.fact, new.id, new.time, new.correlation_id, new.causation_id, new.auth_id, new.traceparent)
        room.appended(round_)
        self.rounds.append((room.service.name, round_))

    def _record(
        self, fact: Fact, id_: str, time: datetime, correlation: str, causation: str, auth: str, traceparent: str
    ) -> None:
        data = fact.to_json()
        assert len(data) <= 256 * 1024, f"{type(fact).TYPE} of {len(data)} bytes is over the limit"
        position = len(self.log) + 1
        self.log.append(
            Recorded(
                workspace_id=self.workspace_id, position=position, id=id_, type=type(fact).TYPE, stream=fact.stream, time=time,
                recorded_time=time, correlation_id=correlation, causation_id=causation, auth_id=auth, traceparent=traceparent,
                data=data, decode=decode,
            )
        )  # fmt: skip
        for tag in tags_of(fact):
            self._tags[tag] = position


def refold(service: Service[Any], log: Iterable[Recorded], workspace_id: str = WORKSPACE) -> Any:
    """The state of a service after folding a log from zero."""
    state = service.initial(workspace_id)
    for one in log:
        if one.type in service.reads:
            state = service.evolve(state, one)
    return state
