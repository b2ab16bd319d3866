"""Answers queries about the past: from a state of the service's own that is folded to then, beside the live one."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

from contracts.command import Answer, AsOf, Refusal, Request, Wish
from libs.eventlog.port import EventLog
from libs.runtime.answering import Answering
from libs.runtime.as_of import Ahead, FoldAt, Known
from libs.runtime.service import Service

S = TypeVar("S")


class Past(Generic[S]):
    """The past of one service.

    Args:
        live: the state that a queue has, and its position: most of what is asked for was just now.
    """

    def __init__(self, service: Service[S], log: EventLog, live: Known[S], answering: Answering[S]) -> None:
        self._service = service
        self._answering = answering
        self._fold: FoldAt[S] = FoldAt(log, service, live=live)

    async def answer(self, wish: Wish, request: Request, as_of: AsOf, patience_s: float) -> Answer:
        """Answer a query as it was answered then. Raises: LogUnavailable."""
        if wish.KIND != "query":
            message = f"{wish.NAME} changes something, which nobody can do in the past: leave `as_of` out"
            return Answer(refusal=Refusal(kind="invalid", code="NOT_A_QUERY", message=message))
        try:
            async with asyncio.timeout(patience_s):
                state = await self._fold.at(request.workspace_id, as_of.position)
                return await self._answering.answer(wish, request, state, as_of.time, as_of.position)
        except Ahead as error:
            return Answer(unavailable=str(error))
        except TimeoutError:
            # The fold goes on: who asks again finds it further.
            return Answer(unavailable=f"{self._service.name} has not yet come to {wish.NAME} at position {as_of.position}")

    async def stop(self) -> None:
        """End what is under way; again changes nothing."""
        await self._fold.stop()
