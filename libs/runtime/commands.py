"""The commands of one queue: who waits for an answer, what is decided together, and what became of it.

Commands that are about different things do not see each other's facts, whoever comes first. So all that wait are decided on one state,
and their rounds, each from the checkpoint to which the one before it moves, are appended at the same time: the log writes them in one
transaction, and whoever follows the log hears of them at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson

from contracts.command import Answer, Asked, Refusal, Refused, Request, Wish
from libs.eventlog.port import (
    Appended,
    Checkpoint,
    CheckpointMoved,
    ConditionFailed,
    EventLog,
    LogUnavailable,
    NotTried,
    Repeated,
    Unstorable,
)
from libs.runtime.fate import fate
from libs.runtime.room import Room, Round

S = TypeVar("S")

TOGETHER = 64
"""Commands that are decided in one turn, at most: bounds how long everything else in the process waits."""

log_ = logging.getLogger("signalbox.queue")


@dataclass(slots=True, eq=False)
class Pending:
    """A command that waits for its answer."""

    wish: Wish
    request: Request
    answered: asyncio.Future[Answer]

    def answer(self, answer: Answer) -> None:
        """Answer it, unless who asked has gone away."""
        if not self.answered.done():
            self.answered.set_result(answer)


class Commands(Generic[S]):
    """Commands of one workspace, in order of arrival."""

    def __init__(
        self,
        room: Room[S],
        log: EventLog,
        clock: Callable[[], datetime],
        recorded: Callable[[Round, int], None],
        overtaken: Callable[[], Awaitable[None]],
    ) -> None:
        """Nothing waits yet.

        Args:
            room: decides.
            log: takes what was decided, and knows earlier answers.
            clock: the time that decisions are told.
            recorded: called with each round that was appended, in order, and the newest position then.
            overtaken: called when a condition failed, before what rested on it is decided again.
        """
        self._room = room
        self._log = log
        self._clock = clock
        self._recorded = recorded
        self._overtaken = overtaken
        self._waiting: deque[Pending] = deque()

    def add(self, wish: Wish, request: Request) -> asyncio.Future[Answer]:
        """Take a command up. Returns: its answer, some day."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(Pending(wish, request, answered))
        return answered

    def dismiss(self, why: str) -> None:
        """Tell everybody who waits that there will be no answer here."""
        for pending in self._waiting:
            pending.answer(Answer(unavailable=why))
        self._waiting.clear()

    async def answer_next(self) -> bool:
        """Decide what can be decided next, and answer; False when nothing can. What is not answered after all waits on.

        Raises: CheckpointMoved: another owner was faster; LogUnavailable.
        """
        # Who asked may have gone away.
        self._waiting = deque(one for one in self._waiting if not one.answered.done())
        pending = self._next()
        if not pending:
            return False
        rounds: list[tuple[Pending, Round]] = []
        refused: list[tuple[Pending, Refused]] = []
        stored = self._room.stored
        for one in pending:
            match self._decided(one, stored):
                case Round() as round_:
                    assert round_.append.move is not None
                    stored = round_.append.move.new
                    rounds.append((one, round_))
                case Refused() as why:
                    refused.append((one, why))
                case Answer() as answer:
                    one.answer(answer)
        known = asyncio.gather(
            *(self._log.answered(self._room.workspace_id, one.request.id) for one, _ in refused), return_exceptions=True
        )
        try:
            await self._append(rounds)
        finally:
            answers = await known
        self._refuse(refused, answers)
        return True

    def _next(self) -> list[Pending]:
        """The first command that can be decided now, and those after it that can be decided with it."""
        found: list[Pending] = []
        things: set[str] = set()
        for one in self._waiting:
            if one.request.min_position > self._room.position:
                continue  # what it waits for is on its way
            about = self._room.about(one.wish)
            if about is None:
                return found or [one]
            if about not in things:
                things.add(about)
                found.append(one)
                if len(found) == TOGETHER:
                    break
        return found

    def _decided(self, pending: Pending, stored: Checkpoint) -> Round | Refused | Answer:
        """What the room makes of a command, when the checkpoint stands there."""
        request = pending.request
        asked = Asked(id=request.id, workspace_id=self._room.workspace_id, auth_id=request.auth_id, now=self._clock())
        try:
            return self._room.command(pending.wish, asked, stored=stored)
        except Refused as refused:
            return refused
        except Exception:
            # Our own bug. Nothing was decided, so the workspace goes on; only this sender is told that there is no answer.
            service = self._room.service.name
            log_.exception(
                "a command could not be decided",
                extra={"service": service, "workspace_id": self._room.workspace_id, "command": request.id},
            )
            return Answer(unavailable=f"{service} failed to decide {pending.wish.NAME}; its log says why")

    def _refuse(self, refused: Sequence[tuple[Pending, Refused]], answers: Sequence[Any]) -> None:
        """Refuse commands, unless the log knows them: the first telling of a command may be what it collides with now."""
        for (pending, why), known in zip(refused, answers, strict=True):
            if isinstance(known, BaseException):
                raise known
            if known is not None:
                pending.answer(Answer(position=known[1], result=orjson.loads(known[0])))
            else:
                pending.answer(Answer(position=self._room.position, refusal=why.refusal))

    async def _append(self, rounds: Sequence[tuple[Pending, Round]]) -> None:
        """Append rounds that follow one another, and answer. After one that was not appended none of the others was."""
        if not rounds:
            return
        results = await self._looked_up([one for _, one in rounds], await self._log.append_all([one.append for _, one in rounds]))
        broken = overtaken = False
        for (pending, round_), result in zip(rounds, results, strict=True):
            match result:
                case Appended(head=head):
                    self._recorded(round_, head)
                    assert round_.append.command is not None
                    pending.answer(Answer(position=head, result=orjson.loads(round_.append.command.answer)))
                case Repeated():
                    pending.answer(Answer(position=result.head, result=orjson.loads(result.answer)))
                case Unstorable():
                    refusal = Refusal(kind="invalid", code="NOT_STORABLE", message=str(result))
                    pending.answer(Answer(position=self._room.position, refusal=refusal))
                case ConditionFailed():
                    overtaken = True
                case NotTried() | None:
                    pass
                case CheckpointMoved() if broken:
                    pass  # by nobody: it was to go on from where the broken one did not get
                case _:
                    raise result
            broken = broken or not isinstance(result, Appended)
        if overtaken:
            await self._overtaken()

    async def _looked_up(
        self, rounds: Sequence[Round], results: Sequence[Appended | Exception]
    ) -> list[Appended | Exception | None]:
        """The results with what became of rounds whose fate was unknown; None for one that was not appended. Raises: CheckpointMoved."""
        unknown = [place for place, one in enumerate(results) if isinstance(one, LogUnavailable)]
        if not unknown:
            return list(results)
        # Those whose fate is unknown follow one another: after the first of them no other fate is known.
        head = await fate(self._log, [rounds[place].append for place in unknown])
        known = None if head is None else Appended(head, ())
        return [known if isinstance(one, LogUnavailable) else one for one in results]
