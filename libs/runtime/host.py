"""Hosts one service in this process: a queue per workspace whose partition this process owns, and answers to what the service is asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from contracts.command import NOT_OWNER, Answer, Request, Wish
from contracts.envelope import NIL_WORKSPACE
from libs.eventlog.port import EventLog
from libs.runtime import clock as wall
from libs.runtime.answering import Answering
from libs.runtime.feed import Feed
from libs.runtime.lanes import Lanes
from libs.runtime.past import Past
from libs.runtime.queue import Queue
from libs.runtime.service import Performer, Service

S = TypeVar("S")
PATIENCE_S = 20.0
"""How long a request may wait for its turn or its position: as long as whoever asked waits for the answer."""
BULK_TIMES = 10.0
"""One whose payload had to be staged may wait so many times longer, and one about the past: it is much work, and who asked knows."""

log_ = logging.getLogger("signalbox.host")


class Ownership(Protocol):
    """Which workspaces are this process's to decide for one service."""

    def owns(self, workspace_id: str) -> bool:
        """Whether this process may decide for the workspace now."""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Be told when what is owned changed."""


class Sole(Ownership):
    """The only replica there is: it owns everything."""

    def owns(self, workspace_id: str) -> bool:
        return True

    def on_change(self, listener: Callable[[], None]) -> None:
        """Nothing ever changes."""


class Host(Generic[S]):
    """One service, running.

    Attributes:
        system: whether it decides on the system log (the gateway) instead of workspaces.
    """

    def __init__(
        self,
        service: Service[S],
        log: EventLog,
        feed: Feed,
        *,
        performer: Performer | None = None,
        ownership: Ownership | None = None,
        system: bool = False,
        clock: Callable[[], datetime] = wall.now,
        snapshot_every: int = 5_000,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.service = service
        self.system = system
        self._log = log
        self._feed = feed
        self._performer = performer
        self._ownership = ownership or Sole()
        self._clock = clock
        self._snapshot_every = snapshot_every
        self._patience_s = patience_s
        self._places = Lanes()
        self._queues: dict[str, Queue[S]] = {}
        self._answering = Answering(service)
        self._past = Past(service, log, self._live, self._answering)
        self._stopping: set[asyncio.Task[None]] = set()
        self._running = False
        self._listening = False

    def start(self) -> None:
        """Begin to follow the feed; again changes nothing."""
        self._running = True
        self._answering.start()
        if not self._listening:
            self._listening = True
            self._feed.listen(self._on_news)
            self._ownership.on_change(self._review)
        self._review()

    async def stop(self) -> None:
        """Stop every queue after its turn; again changes nothing."""
        self._running = False
        queues, self._queues = list(self._queues.values()), {}
        self._answering.stop()
        await asyncio.gather(*(queue.stop() for queue in queues), *self._stopping, self._past.stop())

    def queue(self, workspace_id: str) -> Queue[S] | None:
        """The queue of a workspace, if this process owns it."""
        if not self._running or (workspace_id == NIL_WORKSPACE) != self.system or not self._ownership.owns(workspace_id):
            return None
        queue = self._queues.get(workspace_id)
        if queue is None:
            queue = self._queues[workspace_id] = Queue(
                self.service,
                workspace_id,
                self._log,
                self._feed,
                self._performer,
                self._clock,
                self._places,
                self._answering,
                self._snapshot_every,
            )
            queue.start()
        return queue

    def health(self) -> dict[str, Any]:
        """What a health check tells: workspaces, those still loading, and those that stopped with their reason."""
        failed = {key: queue.failed for key, queue in sorted(self._queues.items()) if queue.failed}
        loading = sum(1 for queue in self._queues.values() if not queue.ready.is_set() and queue.failed is None)
        return {"service": self.service.name, "workspaces": len(self._queues), "loading": loading, "stopped": failed}

    def position(self, workspace_id: str) -> int | None:
        """How far the state of a workspace is; None while it is not this process's, or is being loaded."""
        live = self._live(workspace_id)
        return live[1] if live is not None else None

    async def answer(self, wish: Wish, request: Request) -> Answer:
        """Answer a command or query of this service."""
        queue = self.queue(request.workspace_id)
        if queue is None:
            return Answer(unavailable=NOT_OWNER)
        if request.as_of is not None:
            return await self._past.answer(wish, request, request.as_of, BULK_TIMES * self._patience_s)
        if queue.failed is not None:
            return Answer(unavailable=f"{self.service.name} stopped for this workspace: {queue.failed}")
        patience_s = self._patience_s if request.staged_id is None else BULK_TIMES * self._patience_s
        try:
            async with asyncio.timeout(patience_s):
                return await (queue.query(wish, request) if wish.KIND == "query" else queue.command(wish, request))
        except TimeoutError:
            return Answer(unavailable=f"{self.service.name} did not get to {wish.NAME} within {patience_s:g} s")

    def _live(self, workspace_id: str) -> tuple[S, int] | None:
        """The state of a workspace and its position, once it is loaded."""
        queue = self._queues.get(workspace_id)
        return (queue.room.state, queue.room.position) if queue is not None and queue.ready.is_set() else None

    def _on_news(self, workspace_id: str, head: int) -> None:
        queue = self.queue(workspace_id)
        if queue is not None:
            queue.wake()

    def _review(self) -> None:
        """Take up what became ours, put down what is no longer."""
        if not self._running:
            return
        for workspace_id in [key for key in self._queues if not self._ownership.owns(key)]:
            task = asyncio.create_task(self._queues.pop(workspace_id).stop())
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)
        for workspace_id in self._feed.workspaces():
            self.queue(workspace_id)
