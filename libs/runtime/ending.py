"""Ends tasks for certain. What a task awaits may lose that it was told to end, and the task would go on as if nothing were.

`asyncio.wait_for` of Python 3.11 does where what it waits for is there in the same moment, and with it the client of the broker; others make
an error of their own of it. So whoever waits for an end says it again, and loops look whether they were told.
"""

from __future__ import annotations

import asyncio
from typing import Any

END_AGAIN_S = 5.0
"""Before a task is told once more: so long it may take to leave things in order."""


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, telling it again when nothing happens. Raises what the task raised."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=END_AGAIN_S)
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


def is_told() -> bool:
    """Whether the task that asks was told to end, though it may not have noticed."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def heed() -> None:
    """Go on only where nobody told this task to end. Raises: CancelledError."""
    if is_told():
        raise asyncio.CancelledError
