"""Answers queries from a state. Those that take long are answered in a thread, since a state never changes: decisions go on meanwhile."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from contracts.command import Answer, Asked, Refused, Request, Wish
from libs.runtime.service import QueryHandler, Service

S = TypeVar("S")


@dataclass(slots=True)
class _Found:
    """An answer that is under way, and how many wait for it."""

    answer: asyncio.Future[Answer]
    waiting: int = 0


class Answering(Generic[S]):
    """The answers of one service. Long ones are found one after the other, in the order in which they were asked for."""

    def __init__(self, service: Service[S]) -> None:
        self._service = service
        self._thread: ThreadPoolExecutor | None = None
        self._under_way: dict[str, _Found] = {}

    async def answer(self, wish: Wish, request: Request, state: S, now: datetime, position: int) -> Answer:
        """Answer a query from a state that stands at a position.

        Who asks the same once more, since it took so long, waits for the answer that is under way.

        Args:
            request: what the wish came with.
            now: the time that the answer is told.
        """
        asked = Asked(id=request.id, workspace_id=request.workspace_id, auth_id=request.auth_id, now=now)
        handler = self._service.queries[wish.NAME]
        if not handler.long:
            return _answer(handler, wish, state, asked, position)
        same = _sameness(wish, request)
        found = self._under_way.get(same)
        if found is None:
            if self._thread is None:
                # One: two would be done no sooner, and the loop would have its turn less often.
                self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{self._service.name} answers")
            loop = asyncio.get_running_loop()
            found = _Found(loop.run_in_executor(self._thread, _answer, handler, wish, state, asked, position))
            self._under_way[same] = found
        found.waiting += 1
        try:
            await asyncio.wait({found.answer})
        finally:
            found.waiting -= 1
            if not found.waiting:
                del self._under_way[same]
                found.answer.cancel()  # nobody waits any more: what has not begun need not begin
        return found.answer.result() if not found.answer.cancelled() else Answer(unavailable=f"{self._service.name} is stopping")

    def stop(self) -> None:
        """Begin with no other long answer: those who wait for one are to come back. Again changes nothing."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False, cancel_futures=True)


def _sameness(wish: Wish, request: Request) -> str:
    """What is the same of a request that is sent once more, and of no other one.

    An id alone tells no two questions apart: whoever asks may have named both by one key, or want to know of another moment.
    """
    return f"{wish.NAME} {request.model_dump_json(exclude={'payload'})} {wish.model_dump_json()}"


def _answer(handler: QueryHandler[S, Any], wish: Wish, state: S, asked: Asked, position: int) -> Answer:
    try:
        result = handler.answer(wish, state, asked, position)
    except Refused as refused:
        return Answer(position=position, refusal=refused.refusal)
    return Answer(position=position, result=result.model_dump(mode="json") if hasattr(result, "model_dump") else result)
