"""The moment that a read is about: its `at`, as of then; and what it must show at least, as of now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, create_model
from starlette.requests import Request

from contracts.command import AsOf
from contracts.documents import stamp
from libs.eventlog.port import EventLog
from services.gateway.as_of.moment import FORMS, Instant, moment_of
from services.gateway.http.deps import Deps
from services.gateway.http.problem import Problem, Unprocessable, finding

POSITION_HEADER: Final = "Signalbox-Position"
"""Of an answer as of the past: the position that it is as of."""

AT_LEAST_HEADER: Final = "Signalbox-At-Least"
"""Of a read as of now: a position whose fact somebody has heard of, from a stream, and expects to see."""

_BEHIND_S: Final = 2.0
"""How long a read waits for rows that do not move, before whoever asked is told to ask again."""

_AT: Final = f"Answer as of this moment of the past: {FORMS}. The header {POSITION_HEADER} of the answer tells the position."

_Moment = Annotated[
    int | Instant,
    BeforeValidator(lambda told: moment_of(told) if isinstance(told, str) else told),
    WithJsonSchema({"type": "string", "description": _AT, "examples": ["4711", "2026-01-31T12:00:00.000Z"]}),
]


def with_at(query: type[BaseModel]) -> type[BaseModel]:
    """The parameters of a read, and the moment that it is as of."""
    field: Any = (_Moment | None, Field(None, description=_AT))
    return create_model(query.__name__, __base__=query, __doc__=query.__doc__, __module__=query.__module__, at=field)


def told_of_writes(problem: dict[str, Any]) -> dict[str, Any]:
    """What is said of an `at` where there is none, instead of that nobody knows it."""
    if problem["path"] != "/query/at":
        return problem
    return finding("/query/at", "is for reads that can look back; this request is about now: leave `at` out", "unknown")


async def as_of(log: EventLog, workspace_id: str, query: BaseModel | None, now: datetime) -> AsOf | None:
    """The position and the time of a read's `at`; None for a read as of now. Raises: Unprocessable: it is in the future; LogUnavailable."""
    moment: int | Instant | None = getattr(query, "at", None)
    if moment is None:
        return None
    if isinstance(moment, int):
        head = await log.head(workspace_id)
        if moment > head:
            raise _future(f"the newest position is {head}")
        return AsOf(position=moment, time=await _recorded(log, workspace_id, max(moment, 1)) or now)
    position = await log.position_at(workspace_id, moment.through)
    if moment.told > now:
        # The log has a clock of its own: a time that stands in it has been, whatever the one here says.
        newest = await _recorded(log, workspace_id, await log.head(workspace_id))
        if newest is None or newest < moment.told:
            raise _future(f"it is {stamp(now)} now")
    return AsOf(position=position, time=moment.through)


async def shows_at_least(deps: Deps, workspace_id: str, request: Request) -> None:
    """Wait until the rows show the position of the request's `AT_LEAST_HEADER`, if it has one.

    Raises: Unprocessable: it is none, or in the future; Problem (503): the rows do not follow; LogUnavailable.
    """
    wanted = position_in(request, AT_LEAST_HEADER.lower())
    if wanted is None or await deps.progress.reached(workspace_id, wanted, 0.0):
        return
    head = await deps.log.head(workspace_id)
    if wanted > head:
        path = f"/headers/{AT_LEAST_HEADER.lower()}"
        raise Unprocessable([finding(path, f"is in the future: the newest position is {head}", "maximum")])
    if not await deps.progress.reached(workspace_id, wanted, min(_BEHIND_S, deps.read_wait_s)):
        raise Problem(503, f"what happened up to event {wanted} can not be read yet; send the same request again", "BEHIND")


def position_in(request: Request, header: str) -> int | None:
    """The position that a header tells, `header` in lower case; None without it. Raises: Unprocessable."""
    told = request.headers.get(header)
    if told is None:
        return None
    if not (told.isascii() and told.isdigit() and len(told) <= 15):
        raise Unprocessable([finding(f"/headers/{header}", "must be a position", "type")])
    return int(told)


def _future(why: str) -> Unprocessable:
    return Unprocessable([finding("/query/at", f"is in the future: {why}; leave it out to see what is now", "maximum")])


async def _recorded(log: EventLog, workspace_id: str, position: int) -> datetime | None:
    """When the fact at a position was recorded."""
    found = await log.read(workspace_id, position - 1, 1) if position else []
    return found[0].recorded_time if found else None
