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
from libs.secrets.keys import SecretKeys
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from services.gateway.adapters.system import SystemView
from services.gateway.configs.saving import Configs
from services.gateway.store import ReadStore


class Progress(Protocol):
    """Tells how far the read tables are."""

    async def reached(self, workspace_id: str, position: int, timeout_s: float) -> bool:
        """Wait until the rows of a workspace show a position; False when the time is over."""


def _no_health() -> list[dict[str, Any]]:
    return []


def no_secrets() -> Vault:
    """A vault that can not seal anything."""
    return Vault(Sources({}, None), None)


@dataclass(frozen=True, slots=True, repr=False)
class WebhookSecrets:
    """What GitHub's App and Terraform sign with; empty where their webhooks were not set up."""

    github: str = ""
    tfe: str = ""


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
        vault: seals secrets, and opens them for who may read them.
        keys: those of the vault, to be destroyed with their workspace; None where nothing can be sealed.
        webhook_secrets: what the webhooks of all workspaces are signed with.
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
    vault: Vault = field(default_factory=no_secrets)
    keys: SecretKeys | None = None
    webhook_secrets: WebhookSecrets = field(default_factory=WebhookSecrets)

    @property
    def configs(self) -> Configs:
        """Checks configurations and keeps their secrets out of the log."""
        return Configs(self.vault, self.store)
