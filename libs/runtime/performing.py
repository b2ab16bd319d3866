"""The effects of one queue: each open intent is performed once at a time, and what came of it is kept until it was decided on."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Final
from weakref import WeakValueDictionary

import orjson

from libs.runtime.ending import is_told
from libs.runtime.lanes import Lane, Lanes
from libs.runtime.service import Intent, NotYet, Outcome, Performer

AGAIN_S = 1.0
"""Before an effect is tried again that broke on our side."""
_NUL: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")

log_ = logging.getLogger("signalbox.queue")


class Performing:
    """Effects that wait for their time, that are under way, and that came to an outcome."""

    def __init__(
        self,
        performer: Performer | None,
        places: Lanes,
        clock: Callable[[], datetime],
        is_open: Callable[[str], bool],
        arrived: Callable[[], None],
    ) -> None:
        """Nothing is performed yet.

        Args:
            performer: does the effects; None where the service has none.
            places: bounds how many are under way, shared by all queues of a service.
            clock: tells when an intent may start.
            is_open: whether an intent is still to be performed.
            arrived: called when there is an outcome.
        """
        self._performer = performer
        self._places = places
        self._clock = clock
        self._is_open = is_open
        self._arrived = arrived
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._lanes: WeakValueDictionary[str, Lane] = WeakValueDictionary()

    def begin(self, intents: Sequence[Intent]) -> None:
        """Take up intents. One that waits, is under way or has its outcome is not taken up again: a reload opens all of them anew."""
        for intent in intents:
            self._schedule(intent)

    def outcomes(self, limit: int) -> list[Outcome]:
        """Outcomes to decide on, in order of arrival; they stay until they are dropped."""
        return list(islice(self._outcomes.values(), limit))

    def drop(self, outcomes: Sequence[Outcome]) -> None:
        """Forget outcomes that were decided on, or whose intents are closed."""
        for one in outcomes:
            del self._outcomes[one.key]

    async def stop(self) -> None:
        """Cancel what waits or is under way; the intents stay open and are taken up in the next life. Again changes nothing."""
        timers, self._timers = self._timers, {}
        tasks, self._tasks = self._tasks, {}
        for timer in timers.values():
            timer.cancel()
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        self._outcomes.clear()

    def _schedule(self, intent: Intent, pause_s: float = 0.0) -> None:
        key = intent.key
        if self._performer is None or key in self._timers or key in self._tasks or key in self._outcomes:
            return
        delay = pause_s
        if intent.not_before is not None:
            delay = max(delay, (intent.not_before - self._clock()).total_seconds())
        if delay > 0:
            self._timers[key] = asyncio.get_running_loop().call_later(delay, self._start, self._performer, intent)
        else:
            self._start(self._performer, intent)

    def _start(self, performer: Performer, intent: Intent) -> None:
        self._timers.pop(intent.key, None)
        if self._is_open(intent.key):
            self._tasks[intent.key] = asyncio.create_task(self._perform(performer, intent))

    async def _perform(self, performer: Performer, intent: Intent) -> None:
        lane = self._lanes.setdefault(intent.lane, Lane() if intent.lane else Lane(most=None))
        try:
            async with self._places.turn(lane):
                if not self._is_open(intent.key):  # while it waited for its turn
                    self._tasks.pop(intent.key, None)
                    return
                result = await performer(intent)
                if not isinstance(result, NotYet):
                    result = _plain(result)
        except Exception:
            if is_told():
                return
            log_.exception("an effect broke and is tried again", extra={"intent": intent.key})
            self._tasks.pop(intent.key, None)
            self._schedule(replace(intent, again=True), AGAIN_S)
            return
        if is_told():  # whatever the performer made of that: somebody else may have taken the intent up
            return
        self._tasks.pop(intent.key, None)
        if isinstance(result, NotYet):
            self._schedule(intent, result.after_s)
            return
        self._outcomes[intent.key] = Outcome(intent.key, result)
        self._arrived()


def _plain(result: dict[str, Any]) -> dict[str, Any]:
    """A result as it will be recorded, so that what can not be recorded is noticed here and not in the decision on it.

    The log can not hold a NUL, and what the outside says must not stop a workspace: it becomes U+FFFD.
    """
    text = orjson.dumps(result)
    if b"\\u0000" in text:
        text = _NUL.sub(rb"\1\\ufffd", text)
    plain: dict[str, Any] = orjson.loads(text)
    return plain
