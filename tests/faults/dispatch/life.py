"""One life of the dispatcher: its host on a log that it shares with all others, until it dies at a named moment.

Nothing that a dead one does reaches anybody: at its moment it stops as a killed process does, in the middle of a statement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, cast

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobDelayed, JobDispatched, JobStatusChanged
from libs.eventlog.port import Append, Appended, EventLog, LogUnavailable
from libs.runtime.feed import Feed
from libs.runtime.host import Host
from libs.runtime.outside import Outside
from libs.runtime.service import Draft, Effects, Intent, NotYet, Outcome, Performer
from services.dispatcher import app as dispatcher
from services.dispatcher.adapters.performing import built_in_agents, performing
from services.dispatcher.adapters.port import Agent
from services.dispatcher.state import Job, State
from tests.faults.dispatch.hours import Hours

Moment = Literal["before the intent", "before the call", "before the record", "after the record"]
"""The crash points: before and after the append of the intent, after the call, and after the append of its outcome."""
MOMENTS: tuple[Moment, ...] = ("before the intent", "before the call", "before the record", "after the record")


@dataclass
class Death:
    """When a life ends; None: never.

    Attributes:
        came: set when the moment came.
        clock: told of it.
        over: it is not only still, it is gone: nothing can be reached any more.
    """

    moment: Moment | None
    clock: Hours
    came: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False

    async def at(self, moment: Moment) -> None:
        """Die, if this is the moment."""
        if moment == self.moment:
            self.came.set()
            self.clock.changed.set()
        if self.came.is_set():
            await asyncio.Event().wait()


class MortalLog:
    """The log as one life sees it; whatever is not an append is passed on to the real one."""

    def __init__(self, log: EventLog, death: Death) -> None:
        self._log = log
        self._death = death

    async def append(self, request: Append) -> Appended:
        if self._death.over:
            raise LogUnavailable("the process is dead")
        facts = [one.fact for one in request.facts]
        intended = any(isinstance(fact, JobDispatched) for fact in facts)
        told = any(isinstance(fact, JobStatusChanged | JobDelayed) for fact in facts)
        if intended:
            await self._death.at("before the intent")
        appended = await self._log.append(request)
        if intended:
            await self._death.at("before the call")
        if told:
            await self._death.at("after the record")
        return appended

    async def append_all(self, requests: Sequence[Append]) -> list[Appended | Exception]:
        if self._death.over:
            raise LogUnavailable("the process is dead")
        return await self._log.append_all(requests)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


class Timed:
    """Dispatcher's effects without their times: those are kept for the performer, which waits in the scene's time."""

    def __init__(self, effects: Effects[State]) -> None:
        self._effects = effects
        self.times: dict[str, datetime] = {}

    def keys(self, state: State) -> Iterable[str]:
        return self._effects.keys(state)

    def touched(self, recorded: Recorded) -> Iterable[str]:
        return self._effects.touched(recorded)

    def intent(self, state: State, key: str) -> Intent | None:
        intent = self._effects.intent(state, key)
        if intent is None or intent.not_before is None:
            return intent
        self.times[key] = intent.not_before
        return replace(intent, not_before=None)

    def settle(self, state: State, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
        return self._effects.settle(state, outcomes, now)


class Life:
    """A running dispatcher.

    Args:
        agents: by type, new ones for each life.
    """

    def __init__(
        self, log: EventLog, feed: Feed, outside: Outside, agents: Mapping[str, Agent], clock: Hours, moment: Moment | None
    ) -> None:
        self.death = Death(moment, clock)
        self._clock, self._feed = clock, feed
        assert dispatcher.service.effects is not None
        self._timed = Timed(dispatcher.service.effects)
        self._perform = performing({**built_in_agents(), **agents}, outside, ticks=lambda: clock().timestamp())
        self.host = Host(
            replace(dispatcher.service, effects=self._timed),
            cast(EventLog, MortalLog(log, self.death)),
            feed,
            performer=self._performer(),
            clock=clock,
        )
        self.host.start()

    async def job(self, workspace_id: str) -> Job | None:
        """The newest job as the dispatcher knows it once it has folded all that there is; None before there is one."""
        queue = self.host.queue(workspace_id)
        assert queue is not None
        await queue.reach(self._feed.head(workspace_id))
        return max(queue.room.state.jobs.values(), key=lambda one: one.position, default=None)

    def wake(self, workspace_id: str) -> None:
        """Have it look at the clock."""
        queue = self.host.queue(workspace_id)
        if queue is not None:
            queue.wake()

    async def bury(self) -> None:
        """It was killed: everything of it is gone."""
        self.death.over = True
        for queue in self.host._queues.values():
            if queue._task is not None:
                queue._task.cancel()
                with suppress(asyncio.CancelledError):
                    await queue._task
        await self.host.stop()

    def _performer(self) -> Performer:
        clock = self._clock

        async def perform(intent: Intent) -> dict[str, Any] | NotYet:
            at = self._timed.times.get(intent.key, clock())
            clock.busy += 1
            try:
                while True:
                    await clock.until(at)
                    if not self._is_open(intent):
                        return {}
                    result = await self._perform(intent)
                    if not isinstance(result, NotYet):
                        break
                    at = datetime.fromtimestamp(clock().timestamp() + result.after_s, clock().tzinfo)
                await self.death.at("before the record")
                return result
            finally:
                clock.busy -= 1
                clock.changed.set()

        return perform

    def _is_open(self, intent: Intent) -> bool:
        queue = self.host.queue(intent.request["workspace_id"])
        return queue is not None and queue.room.is_open(intent.key)
