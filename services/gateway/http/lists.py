"""Pages of lists, and the expressions that filter them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import unquote_plus

from contracts.shapes import Json
from libs.cel import CelProblems, Environment, Program
from services.gateway.http.bodies import Paging
from services.gateway.http.call import Call, Reply
from services.gateway.http.conditions import condition
from services.gateway.http.problem import Problem
from services.gateway.rows import Table
from services.gateway.store import NEWEST_FIRST, Order
from services.gateway.views import shown


def page_of(items: Sequence[Json], total: int, paging: Paging) -> Reply:
    """A page, as the API writes it."""
    return Reply(200, {"items": list(items), "total": total, "limit": paging.limit, "offset": paging.offset})


def cut(items: Sequence[Json], paging: Paging) -> Reply:
    """The page of a list that is here as a whole."""
    return page_of(items[paging.offset : paging.offset + paging.limit], len(items), paging)


async def page_of_rows(call: Call, table: Table, order: Order = NEWEST_FIRST) -> Reply:
    """A page of a table; newest first, so that what was just made is on the first one."""
    paging: Paging = call.query
    page = await call.store.find(call.workspace_id, table, order=order, limit=paging.limit, offset=paging.offset)
    return page_of([shown(one) for one in page.items], page.total, paging)


async def program_of(environment: Environment, source: str, path: str = "/query/cel") -> Program:
    """The compiled filter. One client encodes it twice in a query, so what can not be a filter there is decoded once more.

    Args:
        path: where the request has it.

    Raises: Problem (400) with line and column: it can not be compiled, or is no condition.
    """
    try:
        # The first compilation of a process loads the parser, which takes a while.
        return await asyncio.to_thread(condition, environment, source)
    except CelProblems as error:
        again = unquote_plus(source) if path.startswith("/query/") else source
        if again != source:
            try:
                return await asyncio.to_thread(condition, environment, again)
            except CelProblems:
                pass
        raise Problem(400, f"Invalid CEL expression: {error}", "INVALID_CEL", _details(error, path)) from error


def _details(problems: CelProblems, path: str) -> list[Json]:
    return [
        {"path": path, "message": one.message, "errorCode": one.code, "line": one.line, "column": one.column}
        for one in problems.problems
        if one.severity == "error"
    ]
