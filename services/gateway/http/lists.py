"""Lists that an expression filters, and pages of what is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from urllib.parse import unquote_plus

from contracts.shapes import Json
from libs.cel import CelProblems, Environment, Program
from services.gateway.http.bodies import Paging
from services.gateway.http.call import Call, Reply
from services.gateway.http.problem import Problem, unavailable
from services.gateway.rows import Table
from services.gateway.store import BY_AGE, Order
from services.gateway.views import shown

FILTER_S = 5.0
"""How long one list may be filtered. An ordinary expression is done with 10,000 documents in a fraction of a second."""

_SLICE = 250
_QUEUE_S = 5.0


def page_of(items: Sequence[Json], total: int, paging: Paging) -> Reply:
    """A page, as the API writes it."""
    return Reply(200, {"items": list(items), "total": total, "limit": paging.limit, "offset": paging.offset})


def cut(items: Sequence[Json], paging: Paging) -> Reply:
    """The page of a list that is here as a whole."""
    return page_of(items[paging.offset : paging.offset + paging.limit], len(items), paging)


async def page_of_rows(call: Call, table: Table, order: Order = BY_AGE) -> Reply:
    """A page of a table."""
    paging: Paging = call.query
    page = await call.deps.store.find(call.workspace_id, table, order=order, limit=paging.limit, offset=paging.offset)
    return page_of([shown(one) for one in page.items], page.total, paging)


async def picked(call: Call, rows: Sequence[Json], pick: Callable[[Sequence[Json]], Sequence[int]]) -> list[Json]:
    """The rows that a function of the process' own picks, in their order.

    Args:
        pick: the indexes of what it takes, out of some of the rows; runs in a thread, because an expression may keep a processor busy
            for seconds and everything else in this process must go on meanwhile.

    Raises: Problem: 400 when the expression takes too long, for an answer out of half the rows would be a wrong one; 503 when too many
        others are being filtered.
    """
    loop, found = asyncio.get_running_loop(), list[Json]()
    try:
        async with asyncio.timeout(_QUEUE_S):
            await call.deps.filters.acquire()
    except TimeoutError:
        raise unavailable("too many lists are being filtered; send the same request again") from None
    try:
        end = loop.time() + FILTER_S
        for start in range(0, len(rows), _SLICE):
            part = rows[start : start + _SLICE]
            found += [part[index] for index in await asyncio.to_thread(pick, part)]
            if loop.time() > end:
                raise Problem(
                    400,
                    f"Invalid CEL expression: it takes longer than {FILTER_S:g} s to filter {len(rows)} documents; make it simpler",
                    "INVALID_CEL",
                )
    finally:
        call.deps.filters.release()
    return found


async def program_of(environment: Environment, source: str) -> Program:
    """The compiled filter. One client encodes it twice, so what can not be parsed is decoded once more.

    Raises: Problem (400) with line and column.
    """
    try:
        # The first compilation of a process loads the parser, which takes a while.
        return await asyncio.to_thread(environment.compile, source)
    except CelProblems as error:
        again = unquote_plus(source)
        if again != source:
            try:
                return await asyncio.to_thread(environment.compile, again)
            except CelProblems:
                pass
        raise Problem(400, f"Invalid CEL expression: {error}", "INVALID_CEL", _details(error)) from error


def _details(problems: CelProblems) -> list[Json]:
    return [
        {"path": "/query/cel", "message": one.message, "errorCode": one.code, "line": one.line, "column": one.column}
        for one in problems.problems
        if one.severity == "error"
    ]
