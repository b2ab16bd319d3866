"""Work that takes long, done in a few threads beside the loop: whoever has it done takes turns, so that nobody waits for all that another wants."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")
_Todo: TypeAlias = "SimpleQueue[tuple[Callable[[], Any], Callable[[Any, BaseException | None], None]] | None]"

MOST: Final = 2
"""Threads. One piece of work then keeps nobody else from having theirs done. More would be done no sooner, as they share an interpreter, and
the loop would have its turn less often."""


@dataclass(eq=False, slots=True)
class Piece(Generic[T]):
    """Something that is to be found.

    Attributes:
        owner: who has it found; one at a time for each.
        found: what was found, or how it failed.
    """

    owner: str
    work: Callable[[], T]
    found: asyncio.Future[T]


class _Thread:
    """A thread that stays, for what it keeps from one piece of work to the next (`kept.py`). The process ends without waiting for it."""

    def __init__(self, name: str) -> None:
        self._todo: _Todo = SimpleQueue()
        threading.Thread(target=_work, args=(self._todo,), name=name, daemon=True).start()
        self.end = weakref.finalize(self, self._todo.put, None)  # after what it does now; again changes nothing

    def do(self, work: Callable[[], Any], then: Callable[[Any, BaseException | None], None]) -> None:
        """Have it worked; `then` is called in the thread."""
        self._todo.put((work, then))


def _work(todo: _Todo) -> None:
    while (one := todo.get()) is not None:
        work, then = one
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 (whoever waits for it is told, whatever it is)
            error = raised
        then(result, error)
        del one, work, then, result, error  # a state takes much room


class _Turn(NamedTuple):
    """The last one that somebody had."""

    number: int
    thread: _Thread


class Turns:
    """Finds what is added, oldest first for each owner; of several owners the one goes first whose last turn is longest ago.

    Everything is called in one loop.

    Args:
        name: of the threads.
        most: threads.
    """

    def __init__(self, name: str, most: int = MOST) -> None:
        self._name = name
        self._most = most
        self._waiting: dict[str, dict[Piece[Any], None]] = {}
        self._busy: dict[str, _Thread] = {}
        self._threads: list[_Thread] = []
        self._last: dict[str, _Turn] = {}
        self._count = 0

    def add(self, owner: str, work: Callable[[], T]) -> Piece[T]:
        """Have something found, which takes no part in the loop: it must only read what never changes."""
        piece = Piece(owner, work, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(owner, {})[piece] = None
        self._go_on()
        return piece

    def drop(self, piece: Piece[Any]) -> bool:
        """Do not begin with it; False when it was begun, and goes on."""
        waiting = self._waiting.get(piece.owner, {})
        if piece not in waiting:
            return False
        del waiting[piece]
        if not waiting:
            del self._waiting[piece.owner]
        piece.found.cancel()
        return True

    def stop(self) -> None:
        """Begin with nothing that was added, and let the threads end: what is told to those who wait is the caller's to say. What is added
        later is found as ever.
        """
        self._waiting, self._busy, self._last = {}, {}, {}
        threads, self._threads = self._threads, []
        for thread in threads:
            thread.end()

    def _go_on(self) -> None:
        while free := [owner for owner in self._waiting if owner not in self._busy]:
            owner = min(free, key=lambda one: self._last[one].number if one in self._last else 0)
            thread = self._idle(owner)
            if thread is None:
                return
            waiting = self._waiting[owner]
            piece = next(iter(waiting))
            del waiting[piece]
            if not waiting:
                del self._waiting[owner]
            self._begin(piece, thread)

    def _begin(self, piece: Piece[Any], thread: _Thread) -> None:
        self._count += 1
        self._last[piece.owner] = _Turn(self._count, thread)
        self._busy[piece.owner] = thread
        loop = asyncio.get_running_loop()

        def then(result: Any, error: BaseException | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there who could be told
                loop.call_soon_threadsafe(self._found, piece, thread, result, error)

        thread.do(piece.work, then)

    def _found(self, piece: Piece[Any], thread: _Thread, result: Any, error: BaseException | None) -> None:
        if self._busy.get(piece.owner) is thread:
            del self._busy[piece.owner]
        self._go_on()
        if piece.found.done():
            return
        if error is None:
            piece.found.set_result(result)
        else:
            piece.found.set_exception(error)

    def _idle(self, owner: str) -> _Thread | None:
        """A thread with nothing to do: that of the owner's last turn if it can be, since it keeps what was found out about the owner."""
        busy = set(self._busy.values())
        last = self._last.get(owner)
        if last is not None and last.thread not in busy:
            return last.thread
        for thread in self._threads:
            if thread not in busy:
                return thread
        if len(self._threads) == self._most:
            return None
        self._threads.append(_Thread(f"{self._name} {len(self._threads)}"))
        return self._threads[-1]
