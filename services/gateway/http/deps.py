"""What the HTTP side is given to work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from libs.bus.port import Requests
from libs.eventlog.port import EventLog
from libs.runtime import clock as wall
from libs.runtime.feed import Feed
from services.gateway.adapters.system import SystemView
from services.gateway.store import ReadStore


class Progress(Protocol):
    """Tells how far the read tables are."""

    async def reached(self, workspace_id: str, position: int, timeout_s: float) -> bool:
        """Wait until the rows of a workspace show a position; False when the time is over."""


def _no_health() -> list[dict[str, Any]]:
    return []


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything that the endpoints reach for.

    Attributes:
        requests: asks services.
        log, feed: facts, and the newest of them.
        store, progress: the read tables.
        system: workspaces, users and keys.
        health: what the services of this process say of themselves.
        version: of this program, for `/api/version`.
        patience_s: how long a request waits for an outage behind the API to end.
        read_wait_s: how long a write waits for its rows.
        heartbeat_s: pause between two signs of life on a quiet stream.
        clock: only to tell whether a key has expired.
        filters: how many lists are filtered at the same time; each of them may keep a processor busy.
        closing: set when the process is about to end, so that streams end first.
    """

    requests: Requests
    log: EventLog
    feed: Feed
    store: ReadStore
    progress: Progress
    system: SystemView
    health: Callable[[], list[dict[str, Any]]] = _no_health
    version: str = "dev"
    patience_s: float = 20.0
    read_wait_s: float = 10.0
    heartbeat_s: float = 15.0
    clock: Callable[[], datetime] = wall.now
    filters: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    closing: asyncio.Event = field(default_factory=asyncio.Event)
