"""Stored states of services: a cache of the log, so nothing that is wrong with one may stop anything."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, TypeVar

from libs.eventlog.port import EventLog, LogUnavailable, Snapshot
from libs.runtime import codec
from libs.runtime.service import Service

S = TypeVar("S")

log_ = logging.getLogger("signalbox.snapshots")


async def load(log: EventLog, service: Service[S], workspace_id: str, at_most: int) -> tuple[S, int]:
    """The newest stored state at or before a position, and where it stands; the empty state at 0 where there is none.

    Raises: LogUnavailable.
    """
    empty = service.initial(workspace_id)
    snapshot = await log.load_snapshot(service.name, workspace_id, service.state_version, at_most)
    if snapshot is None:
        return empty, 0
    try:
        # In a thread, because a large state takes a second and others share the loop.
        return await asyncio.to_thread(codec.decode, type(empty), snapshot.state), snapshot.position
    except Exception:
        log_.exception(
            "a stored state can not be read; the log is folded instead", extra=_about(service, workspace_id, snapshot.position)
        )
        return empty, 0


async def save(log: EventLog, service: Service[S], workspace_id: str, position: int, state: S) -> None:
    """Store the state after folding the log through a position."""
    try:
        data = await asyncio.to_thread(codec.encode, type(state), state)
        await log.save_snapshot(service.name, workspace_id, Snapshot(position, service.state_version, data))
    except LogUnavailable:
        log_.info("a state was not stored; the next one will do", extra=_about(service, workspace_id, position))
    except Exception:
        log_.exception(
            "a state could not be stored; a restart folds the log instead", extra=_about(service, workspace_id, position)
        )


def _about(service: Service[Any], workspace_id: str, position: int) -> dict[str, Any]:
    return {"service": service.name, "workspace_id": workspace_id, "position": position}
