"""From the log to JetStream, in order: one relay leads and publishes, the others tell it what their process committed.

The log is the truth and every message only a hint, so the relay may repeat itself as it likes: its cursors are in memory, a failed
round is published again, and two leaders for a moment do no harm. What it must not do is stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from itertools import islice
from uuid import UUID

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import PubAck

from contracts.envelope import Recorded
from libs.bus import ranges
from libs.bus.leadership import Leadership
from libs.bus.link import OUTAGES, Link
from libs.bus.stream import EVT, ensure
from libs.bus.subjects import WAKE
from libs.eventlog.port import EventLog, LogUnavailable
from libs.runtime.ending import end
from libs.runtime.feed import Feed

SWEEP_S = 0.5
AGAIN_S = 0.05
ACK_LIMIT_S = 3.0
IN_FLIGHT = 256
"""Messages published and not yet acknowledged, at most. Bounded here, because the client's own bound swallows cancellation."""

WORKSPACES = 64
FACTS = 2048
"""A round publishes at most so many facts of so many workspaces, so that a long history does not hold up the others."""

LOOKBACK = 1_000
"""A new leader begins so many positions before the head; older history comes from the log."""

log_ = logging.getLogger("signalbox.bus")


class Relay:
    """Publishes what the log records, and hints the process's feed at what other processes recorded.

    Attributes:
        published: facts published and acknowledged so far.
        led: set once this process has led.
        idle: set while everything that the leader knows of is published and acknowledged.
    """

    def __init__(
        self, log: EventLog, feed: Feed, nats_url: str, conninfo: str | None = None, *, sweep_s: float = SWEEP_S
    ) -> None:
        """Wire the relay; it does nothing until started.

        Args:
            log: read where the feed does not reach; swept for commits of other processes.
            feed: tells what this process commits.
            nats_url: the broker.
            conninfo: the database whose lock elects the leader; None when no other process has a relay.
            sweep_s: seconds between two looks at all heads.
        """
        self.published = 0
        self.led = asyncio.Event()
        self.idle = asyncio.Event()
        self._log = log
        self._feed = feed
        self._sweep_s = sweep_s
        self._leadership = Leadership(conninfo)
        self._link = Link(nats_url, "relay", self._subscribe)
        self._jetstream: JetStreamContext | None = None
        self._work = asyncio.Event()
        self._dirty: dict[str, None] = {}  # a set that keeps its order, so that nobody starves
        self._own: dict[str, int] = {}
        self._cursors: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        feed.listen(self._seen)
        log.on_commit(self._committed)

    @property
    def leading(self) -> bool:
        """Whether this process publishes."""
        return self._leadership.held

    async def start(self) -> None:
        """Begin; waits for nothing, again changes nothing."""
        if not self._tasks:
            self._link.start()
            self._tasks = [
                asyncio.create_task(self._leadership.run(self._begin)),
                asyncio.create_task(self._sweep()),
                asyncio.create_task(self._run()),
            ]

    async def stop(self) -> None:
        """End; again changes nothing. What was not published yet is published by whoever leads next."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            await end(task)
        await self._link.stop()

    # --- what there is to do ---------------------------------------------------------------------------------------------------

    def _seen(self, workspace_id: str, head: int) -> None:
        if head > self._cursors.get(workspace_id, 0):
            self._dirty[workspace_id] = None
            self.idle.clear()
            self._work.set()

    def _committed(self, workspace_id: str, head: int, _recorded: Sequence[Recorded]) -> None:
        self._own[workspace_id] = head
        self._work.set()

    async def _subscribe(self, client: Client) -> None:
        self._jetstream = client.jetstream(timeout=2)
        await client.subscribe(WAKE, cb=self._woken)
        self._work.set()

    async def _woken(self, message: Msg) -> None:
        workspace_id, _, head = message.data.decode("utf-8", "replace").partition(" ")
        # Only the leader's own process is hinted: the facts themselves reach everybody else a moment later.
        if self.leading:
            try:
                self._feed.hint(str(UUID(workspace_id)), int(head))
            except ValueError:
                log_.warning("somebody published nonsense on %s: %.80r", WAKE, message.data)

    async def _sweep(self) -> None:
        while True:
            try:
                for workspace_id, head in sorted((await self._log.heads()).items()):
                    self._feed.hint(workspace_id, head)
                    self._seen(workspace_id, head)
            except LogUnavailable as error:
                log_.info("the log can not be swept now: %s", error)
            except Exception:
                log_.exception("a sweep failed; the next one follows")
            await asyncio.sleep(self._sweep_s)

    async def _begin(self) -> None:
        heads: dict[str, int] | None = None
        while heads is None:
            try:
                heads = await self._log.heads()
            except LogUnavailable:
                await asyncio.sleep(AGAIN_S)
        self._cursors = {workspace_id: max(0, head - LOOKBACK) for workspace_id, head in heads.items()}
        self._dirty.update(dict.fromkeys(sorted(heads)))
        self.led.set()
        # `held` is set when this returns; the loop must look again after that, not before.
        asyncio.get_running_loop().call_soon(self._work.set)

    # --- doing it --------------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            client = await self._link.client()
            assert self._jetstream is not None
            try:
                if not self.leading:
                    await self._tell(client)
                    continue
                self._own.clear()
                await self._publish(self._jetstream)
                continue
            except (*OUTAGES, LogUnavailable) as error:
                log_.debug("nothing could be published, it is tried again: %s", error)
            except Exception:
                log_.exception("a round of the relay failed; it is tried again")
            self._work.set()
            await asyncio.sleep(AGAIN_S)
            with contextlib.suppress(*OUTAGES):
                await ensure(self._jetstream, EVT)

    async def _tell(self, client: Client) -> None:
        self._dirty.clear()
        own, self._own = self._own, {}
        for workspace_id, head in own.items():
            await client.publish(WAKE, f"{workspace_id} {head}".encode())

    async def _publish(self, jetstream: JetStreamContext) -> None:
        taken = list(islice(self._dirty, WORKSPACES))
        if not taken:
            self.idle.set()
            return
        for workspace_id in taken:
            del self._dirty[workspace_id]
        try:
            found = await asyncio.gather(*(self._feed.read(one, self._cursors.get(one, 0), FACTS) for one in taken))
            messages = [message for one, facts in zip(taken, found, strict=True) for message in ranges.cut(one, facts)]
            await self._send(jetstream, messages)
        except BaseException:
            self._dirty.update(dict.fromkeys(taken))
            raise
        for workspace_id, facts in zip(taken, found, strict=True):
            if facts:
                self._cursors[workspace_id] = facts[-1].position
                self.published += len(facts)
                self._seen(workspace_id, self._feed.head(workspace_id))
        if self._dirty:
            self._work.set()
        else:
            self.idle.set()

    async def _send(self, jetstream: JetStreamContext, messages: Sequence[ranges.Message]) -> None:
        for start in range(0, len(messages), IN_FLIGHT):
            acks: list[asyncio.Future[PubAck]] = []
            try:
                async with asyncio.timeout(ACK_LIMIT_S):
                    for one in messages[start : start + IN_FLIGHT]:
                        acks.append(await jetstream.publish_async(one.subject, one.body, headers=one.headers))
                    await asyncio.gather(*acks)
            finally:
                for ack in acks:
                    if not ack.cancel() and not ack.cancelled():
                        ack.exception()  # looked at, so that nobody warns that it was not
