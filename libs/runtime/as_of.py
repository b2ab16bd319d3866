"""States as of a position of the past: folded from the nearest that is known, or that was stored, at or before it.

    past = FoldAt(log, fold)             # `fold` says how: a service, or a `Fold` of whoever keeps no service
    state = await past.at(workspace_id, position)

Whoever looks back looks around there: the states of the last positions that were asked for stay in memory, and some on the way to them.
They share all that did not change between them. A state on a long way is stored as well, so that the next look back begins there, also
in another process. Nobody who shares the process waits for a fold: it is done in slices of some milliseconds, facts that name very much
are folded in a thread, and what a long way makes is not walked by the collector of garbage again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final, Generic, TypeVar

from contracts.envelope import Recorded
from libs.eventlog.port import EventLog, LogUnavailable
from libs.runtime import collector, snapshots
from libs.runtime.snapshots import Folding

S = TypeVar("S")

KEPT: Final = 16
"""States kept in memory, of all workspaces together; the one that was asked for longest ago goes first."""
IDLE_S: Final = 600.0
"""A state that nobody asked for in so long is let go of."""
BATCH: Final = 1_000
"""Facts read at once; between two batches it is seen whose way is the shortest now."""
WAYPOINT: Final = 4_000
"""Facts after which a state on the way is kept: somebody who goes back step by step finds one before each step."""
AROUND: Final = 40_000
"""So far from the position that was asked for are they kept: whoever went there from far away looks around there."""
STORE_EVERY: Final = 20_000
"""Facts after which a state on the way is stored, unless the end of it is nearer than that."""
STORE_END: Final = 5_000
"""Facts after which the state at the end of a way is stored."""
SLICE_S: Final = 0.008
"""Seconds of folding at a stretch."""
LARGE_BYTES: Final = 16 * 1024
"""A fact with more names some hundreds of things: it is folded in a thread, where it would be the longest stretch of all otherwise."""
NEAR: Final = 2_000
"""So many facts are folded sooner than a stored state that saves them is read; a longer way is spared the collector of garbage."""

Known = Callable[[str], "tuple[S, int] | None"]
"""The live state of a workspace and its position, where there is one."""


class Ahead(Exception):
    """The log ends before the position."""


@dataclass(frozen=True, slots=True)
class Fold(Generic[S]):
    """How somebody who keeps no service folds a workspace.

    Attributes:
        name: of the consumer under which states are stored.
        state_version: raised whenever the shape or meaning of the state changes; what was stored before is then passed over.
        reads: wire types that `evolve` folds; others are passed over without being decoded.
        initial: the empty state of a workspace; its class says by its hints how it is stored (see `codec`).
        evolve: folds one recorded fact; total.
    """

    name: str
    state_version: int
    reads: frozenset[str]
    initial: Callable[[str], S]
    evolve: Callable[[S, Recorded], S]


@dataclass(slots=True)
class _Way(Generic[S]):
    """A fold on its way to a position that somebody asked for.

    Attributes:
        at: where `state` stands.
        stored_at: the newest position on the way that is stored.
    """

    asked: asyncio.Future[S]
    state: S
    at: int
    stored_at: int
    looked: bool = False


@dataclass(slots=True)
class _Workspace(Generic[S]):
    """The folds of one workspace that are under way, by the position they go to, and the task that takes them there in turns."""

    ways: dict[int, _Way[S]] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


class FoldAt(Generic[S]):
    """States of one fold as of positions of the past.

    Args:
        log: where facts and stored states are.
        fold: how they are folded; a service describes itself so.
        live: where a state may be taken from that is at or before the position already.
        kept: how many states stay in memory.
        store_every: facts after which a state on the way is stored.
    """

    def __init__(
        self,
        log: EventLog,
        fold: Folding[S],
        *,
        live: Known[S] | None = None,
        kept: int = KEPT,
        store_every: int = STORE_EVERY,
        idle_s: float = IDLE_S,
    ) -> None:
        self._log = log
        self._fold = fold
        self._live = live
        self._kept = kept
        self._store_every = store_every
        self._idle_s = idle_s
        self._known: OrderedDict[tuple[str, int], tuple[S, float]] = OrderedDict()
        self._workspaces: dict[str, _Workspace[S]] = {}
        self._storing: asyncio.Task[None] | None = None
        self._letting_go: asyncio.TimerHandle | None = None

    async def at(self, workspace_id: str, position: int) -> S:
        """The state after folding the log through a position, 0 for the empty one.

        Who asks for the same position at the same time shares the fold, and one that nobody waits for any more goes on: who asks again
        finds it further.

        Raises: LogUnavailable; Ahead.
        """
        known = self._known.get((workspace_id, position))
        if known is not None:
            self._keep(workspace_id, position, known[0])
            return known[0]
        of = self._workspaces.setdefault(workspace_id, _Workspace())
        way = of.ways.get(position)
        if way is None:
            asked: asyncio.Future[S] = asyncio.get_running_loop().create_future()
            asked.add_done_callback(_seen)
            state, at = self._nearest(workspace_id, position)
            way = of.ways[position] = _Way(asked, state, at, at)
        if of.task is None:
            of.task = asyncio.create_task(self._work(workspace_id, of), name=f"{self._fold.name} as of {workspace_id}")
        return await asyncio.shield(way.asked)

    async def stop(self) -> None:
        """End what is under way, and forget everything; again changes nothing."""
        tasks = [of.task for of in self._workspaces.values() if of.task is not None]
        if self._storing is not None:
            tasks.append(self._storing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for workspace_id, of in list(self._workspaces.items()):
            if of.task is not None and of.task.done():  # it ended before its first turn, so that it could tell nobody
                for way in of.ways.values():
                    way.asked.cancel()
                del self._workspaces[workspace_id]
        if self._letting_go is not None:
            self._letting_go.cancel()
            self._letting_go = None
        self._known.clear()

    # --- folding ---------------------------------------------------------------------------------------------------------------

    async def _work(self, workspace_id: str, of: _Workspace[S]) -> None:
        """Go on, by a batch of facts, on the shortest way that is left, until all have ended. What fails, fails for all who wait."""
        sparing = contextlib.ExitStack()
        is_spared = False
        try:
            while of.ways:
                position = min(of.ways, key=lambda one: (one - of.ways[one].at, one))
                way = of.ways[position]
                if not is_spared and position - way.at > NEAR:
                    is_spared = True
                    sparing.enter_context(collector.spared())
                try:
                    await self._step(workspace_id, position, way)
                except LogUnavailable as error:
                    self._fail(workspace_id, of, list(of.ways), error)
                except Exception as error:  # noqa: BLE001 - it is told to whoever asked
                    self._fail(workspace_id, of, [position], error)
                if way.at == position and position in of.ways:
                    del of.ways[position]
                    self._keep(workspace_id, position, way.state)
                    way.asked.set_result(way.state)
        finally:
            sparing.close()
            for way in of.ways.values():
                way.asked.cancel()
            del self._workspaces[workspace_id]

    def _fail(self, workspace_id: str, of: _Workspace[S], positions: Sequence[int], error: Exception) -> None:
        for position in positions:
            way = of.ways.pop(position)
            self._keep(workspace_id, way.at, way.state)  # who asks again begins there
            way.asked.set_exception(error)

    async def _step(self, workspace_id: str, position: int, way: _Way[S]) -> None:
        """One batch of facts. Raises: LogUnavailable; Ahead."""
        nearest, at = self._nearest(workspace_id, position)
        if at > way.at:
            way.state, way.at, way.stored_at = nearest, at, max(at, way.stored_at)
        if not way.looked and position - way.at > NEAR:
            stored = await snapshots.nearest(self._log, self._fold, workspace_id, after=way.at, at_most=position)
            if stored is not None:
                way.state, way.at = stored
                way.stored_at = way.at
                self._keep(workspace_id, way.at, way.state)
        way.looked = True
        if way.at == position:
            return
        found = await self._log.read(workspace_id, way.at, min(BATCH, position - way.at))
        if not found:
            raise Ahead(f"the log of {workspace_id} ends at {way.at}, before {position}")
        waypoint = found[-1].position // WAYPOINT > way.at // WAYPOINT and position - way.at <= AROUND
        way.state = await self._folded(way.state, found)
        way.at = found[-1].position
        if waypoint:
            self._keep(workspace_id, way.at, way.state)
        # Coding a state takes as long as some thousand facts: not shortly before the end, where it is stored anyway.
        is_end, goes_on = way.at == position, position - way.at >= self._store_every
        far = min(self._store_every, STORE_END) if is_end else self._store_every
        if way.at - way.stored_at >= far and (is_end or goes_on) and (self._storing is None or self._storing.done()):
            way.stored_at = way.at
            self._storing = asyncio.create_task(snapshots.save(self._log, self._fold, workspace_id, way.at, way.state))

    async def _folded(self, state: S, found: Sequence[Recorded]) -> S:
        """The state after some facts, with turns for others between them."""
        reads, evolve = self._fold.reads, self._fold.evolve
        until = perf_counter() + SLICE_S
        for one in found:
            if one.type in reads:
                large = len(one.data) > LARGE_BYTES
                state = await asyncio.to_thread(evolve, state, one) if large else evolve(state, one)
                if perf_counter() > until:
                    await asyncio.sleep(0)
                    until = perf_counter() + SLICE_S
        await asyncio.sleep(0)
        return state

    # --- what is known ---------------------------------------------------------------------------------------------------------

    def _nearest(self, workspace_id: str, position: int) -> tuple[S, int]:
        """The newest state in memory at or before a position; the empty one at 0 where there is none."""
        at, state = max(self._candidates(workspace_id, position), key=lambda one: one[0], default=(0, None))
        return (self._fold.initial(workspace_id), 0) if state is None else (state, at)

    def _candidates(self, workspace_id: str, position: int) -> Iterator[tuple[int, S]]:
        yield from ((at, state) for (where, at), (state, _) in self._known.items() if where == workspace_id and at <= position)
        of = self._workspaces.get(workspace_id)
        yield from ((way.at, way.state) for way in (of.ways.values() if of is not None else ()) if way.at <= position)
        live = self._live(workspace_id) if self._live is not None else None
        if live is not None and live[1] <= position:
            yield live[1], live[0]

    def _keep(self, workspace_id: str, position: int, state: S) -> None:
        """Have a state at hand for a while."""
        now = asyncio.get_running_loop().time()
        self._known[workspace_id, position] = state, now
        self._known.move_to_end((workspace_id, position))
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        self._let_go_later(now)

    def _let_go_later(self, now: float) -> None:
        if self._letting_go is None and self._known:
            oldest = next(iter(self._known.values()))[1]
            wait_s = max(0.0, oldest + self._idle_s - now)
            self._letting_go = asyncio.get_running_loop().call_later(wait_s, self._let_go)

    def _let_go(self) -> None:
        self._letting_go = None
        now = asyncio.get_running_loop().time()
        while self._known and next(iter(self._known.values()))[1] + self._idle_s <= now:
            self._known.popitem(last=False)
        self._let_go_later(now)


def _seen(asked: asyncio.Future[S]) -> None:
    """Whoever waited may have left; the loop need not complain of an error that nobody took."""
    if not asked.cancelled():
        asked.exception()
