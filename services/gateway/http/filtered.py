"""Lists that an expression filters. Tables are gone through in batches, so that a list of any length takes little room; what the tables
themselves can tell of the expression is left to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from contracts.shapes import Json
from libs.cel import Program
from services.gateway.http.bodies import Paging
from services.gateway.http.call import Call
from services.gateway.http.problem import Problem, unavailable
from services.gateway.narrowing import needs_of
from services.gateway.rows import Table
from services.gateway.store import NEWEST_FIRST, Cursor, Order

FILTER_S = 5.0
"""How long a processor may work on one expression. An ordinary one is done with 100,000 documents in a tenth of that."""

SCAN_S = 60.0
"""How long one list may be gone through."""

_QUEUE_S = 5.0
_BATCH = 5_000
_SLICE = 500

Pick = Callable[[Sequence[Json]], Sequence[int]]
"""The indexes of what is taken, out of some documents. Runs in a thread, because an expression may keep a processor busy for seconds and
everything else in this process must go on meanwhile."""

Enrich = Callable[[Sequence[Json]], Awaitable[list[Json]]]


@dataclass(frozen=True, slots=True)
class Listing:
    """What is gone through.

    Attributes:
        variable: what the expression calls a row.
        enrich: makes rows the documents that the expression sees; without it these are the rows, less `$createdAt`.
        computed: keys of these documents that are not in the rows.
    """

    table: Table
    variable: str
    where: Mapping[str, str] | None = None
    order: Order = NEWEST_FIRST
    enrich: Enrich | None = None
    computed: frozenset[str] = frozenset()


async def page_matching(call: Call, listing: Listing, program: Program) -> tuple[list[Json], int]:
    """The page of the documents that match, and how many match. Raises: Problem, as `picked`."""
    paging: Paging = call.query
    items: list[Json] = []
    total = 0
    async for found in matching(call, listing, program):
        if total < paging.offset + paging.limit:
            begin = max(0, paging.offset - total)
            items += found[begin : begin + paging.limit - len(items)]
        total += len(found)
    return items, total


async def matching_ids(call: Call, listing: Listing, program: Program) -> list[str]:
    """The ids of all documents that match, in order. Raises: Problem, as `picked`."""
    return [one["id"] async for found in matching(call, listing, program) for one in found]


async def picked(call: Call, documents: Sequence[Json], pick: Pick) -> list[Json]:
    """The documents that are taken, in their order.

    Raises: Problem: 400 when the expression takes too long, for an answer out of half the documents would be a wrong one; 503 when too
        many others are being filtered.
    """
    async with _turn(call):
        return await _Filter(pick).taken(documents)


async def matching(call: Call, listing: Listing, program: Program) -> AsyncIterator[list[Json]]:
    """What matches, batch by batch. Raises: Problem, as `picked`."""
    needs = needs_of(program, listing.variable, listing.computed)
    after: Cursor | None = None
    async with _turn(call):
        chosen = _Filter(lambda part: program.filter(part, listing.variable))
        while True:
            batch = await call.store.scan(
                call.workspace_id,
                listing.table,
                where=listing.where,
                needs=needs,
                order=listing.order,
                after=after,
                limit=_BATCH,
            )
            documents = await listing.enrich(batch.items) if listing.enrich is not None else _bare(batch.items)
            yield await chosen.taken(documents)
            after = batch.cursor
            if after is None:
                return


def _bare(rows: list[Json]) -> list[Json]:
    """The rows as the API shows them. They are ours alone and have one key of the gateway's own, so that none needs to be copied."""
    for row in rows:
        row.pop("$createdAt", None)
    return rows


@asynccontextmanager
async def _turn(call: Call) -> AsyncIterator[None]:
    """Wait until few enough others are filtering. Raises: Problem (503): they take too long."""
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(_QUEUE_S):
                await stack.enter_async_context(call.deps.filters.taken(call.workspace_id))
        except TimeoutError:
            raise unavailable("too many lists are being filtered; send the same request again") from None
        yield


class _Filter:
    """Filters documents while there is time."""

    def __init__(self, pick: Pick) -> None:
        self._pick = pick
        self._worked_s = 0.0
        self._seen = 0
        self._end = asyncio.get_running_loop().time() + SCAN_S

    async def taken(self, documents: Sequence[Json]) -> list[Json]:
        """Those that are taken. Raises: Problem (400): there is no time left."""
        found: list[Json] = []
        for start in range(0, len(documents), _SLICE):
            part = documents[start : start + _SLICE]
            indexes, worked_s = await asyncio.to_thread(self._timed, part)
            found += [part[index] for index in indexes]
            self._worked_s += worked_s
            self._seen += len(part)
            if self._worked_s > FILTER_S:
                raise Problem(
                    400,
                    f"Invalid CEL expression: {FILTER_S:g} s of work were not enough to filter more than {self._seen} documents with"
                    " it; make it simpler",
                    "INVALID_CEL",
                )
            if asyncio.get_running_loop().time() > self._end:
                raise Problem(
                    400,
                    f"the list is too long: {SCAN_S:g} s were not enough to go through more than {self._seen} documents; narrow it with"
                    " an equality, such as one on the kind",
                    "LIST_TOO_LONG",
                )
        return found

    def _timed(self, part: Sequence[Json]) -> tuple[Sequence[int], float]:
        # The processor's time, not the clock's: how busy the machine is says nothing of the expression.
        began = time.thread_time()
        return self._pick(part), time.thread_time() - began
