"""What the HTTP side is given to work with."""

from __future__ import annotations

import asyncio
import secrets
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
from services.gateway.as_of.past import PastRows
from services.gateway.board.views import Boards
from services.gateway.configs.saving import Configs
from services.gateway.http.places import Places
from services.gateway.sessions import Signer
from services.gateway.sign_ins import SignedOut, WrongKeys
from services.gateway.store import ReadStore


class Progress(Protocol):
    """Tells how far the read tables are."""

    async def reached(self, workspace_id: str, position: int, timeout_s: float) -> bool:
        """Wait until the rows of a workspace show a position; False when the time is over."""


def _no_health() -> list[dict[str, Any]]:
    return []


def nowhere(workspace_id: str) -> dict[str, int]:
    """No service is in this process."""
    return {}


def no_secrets() -> Vault:
    """A vault that can not seal anything."""
    return Vault(Sources({}, None), None)


def forgetful_signer() -> Signer:
    """Signs sessions that no other process knows, nor this one after a restart: where there is no master key."""
    return Signer(secrets.token_bytes(32))


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
        positions: how far each service of this process is with a workspace, by its name.
        version: of this program, for `/api/version`.
        patience_s: how long a request waits for an outage behind the API to end.
        read_wait_s: how long a write waits for its rows.
        heartbeat_s: pause between two signs of life on a quiet stream.
        clock: only to tell whether a key has expired.
        filters: how many lists are filtered at the same time, two for each workspace; each of them may keep a processor busy.
        closing: set when the process is about to end, so that streams end first.
        vault: seals secrets, and opens them for who may read them.
        keys: those of the vault, to be destroyed with their workspace; None where nothing can be sealed.
        webhook_secrets: what the webhooks of all workspaces are signed with.
        signer: of the sessions of browsers.
        wrong_keys, signed_out: what is remembered of signing in and out.
        public_url: where we are reached from outside; empty where nobody said.
        past: the read tables as they were.
        boards: what is where, followed live for whoever looks.
    """

    requests: Requests
    log: EventLog
    feed: Feed
    store: ReadStore
    progress: Progress
    system: SystemView
    health: Callable[[], list[dict[str, Any]]] = _no_health
    positions: Callable[[str], dict[str, int]] = nowhere
    version: str = "dev"
    patience_s: float = 20.0
    read_wait_s: float = 10.0
    heartbeat_s: float = 15.0
    clock: Callable[[], datetime] = wall.now
    filters: Places = field(default_factory=lambda: Places(most=3, each=2))
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    vault: Vault = field(default_factory=no_secrets)
    keys: SecretKeys | None = None
    webhook_secrets: WebhookSecrets = field(default_factory=WebhookSecrets)
    signer: Signer = field(default_factory=forgetful_signer)
    wrong_keys: WrongKeys = field(default_factory=WrongKeys)
    signed_out: SignedOut = field(default_factory=SignedOut)
    public_url: str = ""
    past: PastRows = field(init=False)
    boards: Boards = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "past", PastRows(self.log))
        object.__setattr__(self, "boards", Boards(self.log, self.feed, self.closing))

    @property
    def configs(self) -> Configs:
        """Checks configurations and keeps their secrets out of the log."""
        return Configs(self.vault, self.store)
