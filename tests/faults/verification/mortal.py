"""One service in a process of its own, which dies at a named moment: what it committed may be known to nobody, what it did not is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast

from contracts.fact import Fact
from libs.eventlog.port import Append, Appended, EventLog, LogUnavailable
from libs.runtime.feed import Feed
from libs.runtime.host import Host
from libs.runtime.service import Performer, Service


class Moment(NamedTuple):
    """Right before or after the append with the nth fact of a class.

    Attributes:
        nth: of such facts of one life; how many of them an append holds depends on how fast the machine is.
    """

    service: str
    when: Literal["before", "after"]
    fact: type[Fact]
    nth: int = 1


@dataclass
class Death:
    """When a life ends; None: never.

    Attributes:
        came: set when the moment came.
        over: the process is not only still, it is gone.
    """

    moment: Moment | None
    came: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False
    _seen: int = 0

    async def at(self, when: str, request: Append) -> None:
        """Die, if this is the moment."""
        moment = self.moment
        if moment is not None and when == moment.when:
            self._seen += sum(isinstance(one.fact, moment.fact) for one in request.facts)
            if self._seen >= moment.nth:
                self.came.set()
        if self.came.is_set():
            await asyncio.Event().wait()


class MortalLog:
    """The log as one life sees it; whatever is not an append is passed on to the real one."""

    def __init__(self, log: EventLog, death: Death, publish: Callable[[str, int], None]) -> None:
        self._log = log
        self._death = death
        self._publish = publish

    async def append(self, request: Append) -> Appended:
        if self._death.over:
            raise LogUnavailable("the process is dead")
        await self._death.at("before", request)
        appended = await self._log.append(request)
        await self._death.at("after", request)
        self._publish(request.workspace_id, appended.head)
        return appended

    async def append_all(self, requests: Sequence[Append]) -> list[Appended | Exception]:
        if self._death.over:
            raise LogUnavailable("the process is dead")
        for one in requests:
            await self._death.at("before", one)
        outcomes = await self._log.append_all(requests)
        for one, outcome in zip(requests, outcomes, strict=True):
            await self._death.at("after", one)
            if isinstance(outcome, Appended):
                self._publish(one.workspace_id, outcome.head)
        return outcomes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


class Life:
    """A running service.

    Args:
        log, feed: of its own process.
        publish: tells the other processes how far the log is.
    """

    def __init__(
        self,
        service: Service[Any],
        log: EventLog,
        feed: Feed,
        publish: Callable[[str, int], None],
        performer: Performer | None,
        moment: Moment | None,
    ) -> None:
        self.death = Death(moment)
        self.host: Host[Any] = Host(service, cast(EventLog, MortalLog(log, self.death, publish)), feed, performer=performer)
        self.host.start()

    async def bury(self) -> None:
        """It was killed: everything of it is gone."""
        self.death.over = True
        for queue in self.host._queues.values():
            if queue._task is not None:
                queue._task.cancel()
                with suppress(asyncio.CancelledError):
                    await queue._task
        await self.host.stop()
