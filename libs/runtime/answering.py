"""Answers queries from a state. Those that take long are answered in threads, since a state never changes: decisions go on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

from contracts.command import Answer, Asked, Refused, Request, Wish
from libs.runtime.service import QueryHandler, Service
from libs.runtime.turns import Piece, Turns

S = TypeVar("S")


@dataclass(eq=False, slots=True)
class _Found:
    """An answer that is under way, and how many wait for it."""

    piece: Piece[Answer]
    waiting: int = 0


class Answering(Generic[S]):
    """The answers of one service. Long ones are found in threads, workspaces taking turns; those of one workspace one after the other, in the
    order in which they were asked for.
    """

    def __init__(self, service: Service[S]) -> None:
        self._service = service
        self._turns = Turns(f"{service.name} answers")
        self._under_way: dict[str, _Found] = {}
        self._stopped = False

    def start(self) -> None:
        """Answer again after a stop; again changes nothing."""
        self._stopped = False

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
        if self._stopped:
            return self._unavailable()
        same = _sameness(wish, request)
        found = self._under_way.get(same)
        if found is None:
            found = self._look_for(same, request.workspace_id, partial(_answer, handler, wish, state, asked, position))
        found.waiting += 1
        try:
            return await asyncio.shield(found.piece.found)
        finally:
            found.waiting -= 1
            if not found.waiting and self._turns.drop(found.piece):
                self._forget(same, found)

    def stop(self) -> None:
        """Find nothing more: those who wait are to come back, and nobody waits for what is under way. Again changes nothing."""
        self._stopped = True
        under_way, self._under_way = self._under_way, {}
        self._turns.stop()
        for found in under_way.values():
            if not found.piece.found.done():
                found.piece.found.set_result(self._unavailable())

    def _look_for(self, same: str, workspace_id: str, work: Callable[[], Answer]) -> _Found:
        found = self._under_way[same] = _Found(self._turns.add(workspace_id, work))
        found.piece.found.add_done_callback(lambda _: self._forget(same, found))
        return found

    def _forget(self, same: str, found: _Found) -> None:
        if self._under_way.get(same) is found:
            del self._under_way[same]

    def _unavailable(self) -> Answer:
        return Answer(unavailable=f"{self._service.name} is stopping")


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
