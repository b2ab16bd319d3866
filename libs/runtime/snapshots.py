"""Stored states of services: a cache of the log, so nothing that is wrong with one may stop anything."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

from contracts.envelope import Recorded
from libs.eventlog.port import EventLog, LogUnavailable, Snapshot
from libs.runtime import codec

S = TypeVar("S")
T = TypeVar("T")

SMALL_BYTES: Final = 64 * 1024
"""A stored state of no more bytes is read at once: a small workspace must not wait for a large one."""

_THREAD: Final = ThreadPoolExecutor(1, thread_name_prefix="snapshots")
"""States are coded beside the loop, because a large one takes seconds, and one after the other: several threads would take the loop most
of its turns, and services that are loaded together find documents known that the first of them has read."""

log_ = logging.getLogger("signalbox.snapshots")


class Folding(Protocol[S]):
    """Who folds a log into a state: a service, or whoever says these five things of itself as a service does."""

    @property
    def name(self) -> str:
        """Under which states are stored."""

    @property
    def state_version(self) -> int:
        """Stored states of another version are passed over."""

    @property
    def reads(self) -> frozenset[str]:
        """Wire types that are folded."""

    @property
    def initial(self) -> Callable[[str], S]:
        """The empty state of a workspace."""

    @property
    def evolve(self) -> Callable[[S, Recorded], S]:
        """Folds one fact."""


async def load(log: EventLog, service: Folding[S], workspace_id: str, at_most: int) -> tuple[S, int]:
    """The newest stored state at or before a position, and where it stands; the empty state at 0 where there is none.

    Raises: LogUnavailable.
    """
    found = await nearest(log, service, workspace_id, after=0, at_most=at_most)
    return found if found is not None else (service.initial(workspace_id), 0)


async def nearest(log: EventLog, service: Folding[S], workspace_id: str, *, after: int, at_most: int) -> tuple[S, int] | None:
    """The newest stored state after one position and at or before another, and where it stands; None where there is none.

    Raises: LogUnavailable.
    """
    snapshot = await log.load_snapshot(service.name, workspace_id, service.state_version, at_most)
    if snapshot is None or snapshot.position <= after:
        return None
    try:
        apart = _apart if len(snapshot.state) > SMALL_BYTES else asyncio.to_thread
        return await apart(codec.decode, type(service.initial(workspace_id)), snapshot.state), snapshot.position
    except Exception:
        log_.exception(
            "a stored state can not be read; the log is folded instead", extra=_about(service, workspace_id, snapshot.position)
        )
        return None


async def save(log: EventLog, service: Folding[S], workspace_id: str, position: int, state: S) -> None:
    """Store the state after folding the log through a position."""
    try:
        data = await _apart(codec.encode, type(state), state)
        await log.save_snapshot(service.name, workspace_id, Snapshot(position, service.state_version, data))
    except LogUnavailable:
        log_.info("a state was not stored; the next one will do", extra=_about(service, workspace_id, position))
    except Exception:
        log_.exception(
            "a state could not be stored; a restart folds the log instead", extra=_about(service, workspace_id, position)
        )


async def _apart(work: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREAD, work, *arguments)


def _about(service: Folding[Any], workspace_id: str, position: int) -> dict[str, Any]:
    return {"service": service.name, "workspace_id": workspace_id, "position": position}
