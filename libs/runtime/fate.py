"""What became of appends whose connection broke: the checkpoint that they were to move tells."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libs.eventlog.port import Append, CheckpointMove, CheckpointMoved, EventLog, LogUnavailable

PAUSE_S = 0.05
"""Between two tries in an outage: Postgres is back within a fraction of a second where a supervisor restarts it."""


async def fate(log: EventLog, appends: Sequence[Append]) -> int | None:
    """Whether appends were recorded that were made together, each from where the one before it got; as soon as the log can be asked.

    Returns: the newest position, at or after the last one; None when none was recorded.
    Raises: CheckpointMoved: another owner has moved the checkpoint since, or only the first of them were recorded.
    """
    first, last = _move(appends[0]), _move(appends[-1])
    while True:
        await asyncio.sleep(PAUSE_S)
        try:
            stored = await log.checkpoint(last.consumer, appends[-1].workspace_id)
            if stored == first.old:
                return None
            if stored == last.new and all([await _is_kept(log, one) for one in appends]):
                return await log.head(appends[-1].workspace_id)
        except LogUnavailable:
            continue
        raise CheckpointMoved(f"{last.consumer} of {appends[-1].workspace_id} no longer stands at {first.old}")


def _move(append: Append) -> CheckpointMove:
    assert append.move is not None, "only a checkpoint tells what became of an append"
    return append.move


async def _is_kept(log: EventLog, append: Append) -> bool:
    """Whether it is this append that moved the checkpoint: another owner may have gone from the same old one to the same new one."""
    move = _move(append)
    if append.decision is not None:
        kept = await log.decisions(append.workspace_id, move.consumer, move.new.sequence - 1, 1)
        return [one.decision for one in kept] == [append.decision]
    if append.command is not None:
        return await log.answered(append.workspace_id, append.command.id) is not None
    return True
