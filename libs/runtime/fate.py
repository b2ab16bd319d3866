"""What became of an append whose connection broke: the checkpoint that it was to move tells."""

from __future__ import annotations

import asyncio

from libs.eventlog.port import Append, Checkpoint, CheckpointMove, CheckpointMoved, EventLog, LogUnavailable

PAUSE_S = 0.05
"""Between two tries in an outage: Postgres is back within a fraction of a second where a supervisor restarts it."""


async def fate(log: EventLog, append: Append, *, since: Checkpoint | None = None) -> int | None:
    """Whether an append with a checkpoint move was recorded, as soon as the log can be asked.

    Args:
        since: where the first of several stood that were appended together, of which this is the last; else where this one did.

    Returns: the newest position, at or after the append; None when it was not recorded.
    Raises: CheckpointMoved: another owner has moved the checkpoint since.
    """
    move = append.move
    assert move is not None, "only a checkpoint tells what became of an append"
    while True:
        await asyncio.sleep(PAUSE_S)
        try:
            stored = await log.checkpoint(move.consumer, append.workspace_id)
            if stored == (since or move.old):
                return None
            if stored == move.new and await _is_kept(log, append, move):
                return await log.head(append.workspace_id)
        except LogUnavailable:
            continue
        raise CheckpointMoved(f"{move.consumer} of {append.workspace_id} no longer stands at {move.old}")


async def _is_kept(log: EventLog, append: Append, move: CheckpointMove) -> bool:
    """Whether it is this append that moved the checkpoint: another owner may have gone from the same old one to the same new one."""
    if append.decision is not None:
        kept = await log.decisions(append.workspace_id, move.consumer, move.new.sequence - 1, 1)
        return [one.decision for one in kept] == [append.decision]
    if append.command is not None:
        return await log.answered(append.workspace_id, append.command.id) is not None
    return True
