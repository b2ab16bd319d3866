"""The gateway of a process, running: the read tables' projector, the view of the system log, and the HTTP server."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import uvicorn

from contracts.commands.gateway import Bootstrap
from contracts.envelope import NIL_WORKSPACE
from libs.bus.port import Requests, Unavailable
from libs.eventlog.port import EventLog, LogUnavailable
from libs.runtime.feed import Feed
from libs.runtime.outside import Outside
from libs.runtime.settings import Settings
from libs.secrets.keys import KeysUnavailable, MasterKey, SecretKeys
from services.gateway.adapters.forgetting import forget
from services.gateway.adapters.projector import Projector
from services.gateway.adapters.reading import PostgresStore
from services.gateway.adapters.system import SystemView
from services.gateway.adapters.writing import PostgresSink
from services.gateway.configs.saving import KeepingRequests
from services.gateway.http.app import create_app
from services.gateway.http.deps import Deps, WebhookSecrets, forgetful_signer, no_secrets, nowhere
from services.gateway.sessions import PURPOSE, Signer

MIGRATIONS = Path(__file__).parents[1] / "adapters" / "migrations"
"""The numbered SQL files of the read tables."""

_KEY = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{64})")
_RETRY_S = 0.1
_GRACE_S = 5
_FORGET_S = 5
_BOOTSTRAP = uuid5(NAMESPACE_URL, "signalbox/bootstrap")

log_ = logging.getLogger("signalbox.gateway")


class BadKeyFile(ValueError):
    """The file does not hold one API key."""


class Gateway:
    """Everything that the gateway runs in a process, beside deciding on the system log (its host does that).

    Args:
        health: what the services of this process say of themselves.
        positions: how far each of them is with a workspace.
        outside: seals and opens secrets; without it none can be sealed.

    Attributes:
        address: host and port (or path) where it listens, once started.
        keeping: asks services for those who do not come over HTTP, and keeps their secrets out of the log as well.
    """

    def __init__(
        self,
        settings: Settings,
        log: EventLog,
        feed: Feed,
        requests: Requests,
        health: Callable[[], list[dict[str, Any]]],
        positions: Callable[[str], dict[str, int]] = nowhere,
        outside: Outside | None = None,
    ) -> None:
        self._settings = settings
        self._store = PostgresStore(settings.postgres)
        self._projector = Projector(feed=feed, sink=PostgresSink(settings.postgres), store=self._store)
        self._system = SystemView(feed)
        self.deps = Deps(
            requests=requests,
            log=log,
            feed=feed,
            store=self._store,
            progress=self._projector,
            system=self._system,
            health=health,
            positions=positions,
            webhook_secrets=WebhookSecrets(settings.github_webhook_secret, settings.tfe_webhook_secret),
            vault=outside.vault if outside is not None else no_secrets(),
            keys=outside.keys if outside is not None else None,
            signer=signer_of(settings.secret_key_file),
            public_url=settings.public_url,
        )
        self.keeping = KeepingRequests(requests, self.deps.configs)
        self.address: Any = None
        self._server: _Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._forgetting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve; returns when requests are taken. Raises: BadKeyFile."""
        key = bootstrap_key(self._settings.bootstrap_key_file)
        self._projector.start()
        self._system.start()
        listening = self._listening()
        config = uvicorn.Config(
            create_app(self.deps),
            loop="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_GRACE_S,
        )
        server = self._server = _Server(config)
        self._tasks.append(asyncio.create_task(server.serve(sockets=[listening]), name="gateway http"))
        if key is not None:
            await self._see_to(key)
        if self.deps.keys is not None:
            self._forgetting = asyncio.create_task(self._forget(self.deps.keys), name="gateway forgets")
        await server.up.wait()
        self.address = listening.getsockname()
        log_.info("listening", extra={"address": str(self.address)})

    async def stop(self) -> None:
        """End streams, finish what was begun, and stop; again changes nothing."""
        self.deps.closing.set()
        server, self._server = self._server, None
        if server is not None:
            server.should_exit = True
        if self._forgetting is not None:
            self._forgetting.cancel()
            self._tasks.append(self._forgetting)
            self._forgetting = None
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._projector.stop()
        await self._system.stop()
        await self.deps.past.stop()
        await self.deps.boards.stop()
        await self._store.close()

    async def _forget(self, keys: SecretKeys) -> None:
        """Destroy the secrets of deleted workspaces, however long that can not be done."""
        while True:
            try:
                await forget(self.deps.log, keys)
                return
            except (LogUnavailable, KeysUnavailable) as error:
                log_.info("the secrets of deleted workspaces are destroyed later", extra={"reason": str(error)})
                await asyncio.sleep(_FORGET_S)

    def _listening(self) -> socket.socket:
        if self._settings.listen_fd is not None:
            # The supervisor holds it open over restarts of this process: clients wait in its queue.
            return socket.socket(fileno=self._settings.listen_fd)
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((self._settings.host, self._settings.port))
        listening.listen(1024)
        return listening

    async def _see_to(self, key: tuple[str, str]) -> None:
        """Have the first workspace, an admin and the key exist, and be known here."""
        prefix, digest = key
        wish = Bootstrap(key_prefix=prefix, key_secret_sha256=digest)
        while True:
            try:
                # At another state of the log it is another command: what was deleted since is made again.
                head = await self.deps.log.head(NIL_WORKSPACE)
                answer = await self.deps.requests.ask(
                    wish,
                    id=str(uuid5(_BOOTSTRAP, f"{prefix}/{head}")),
                    workspace_id=NIL_WORKSPACE,
                    auth_id="service:gateway",
                    min_position=head,
                )
            except (LogUnavailable, Unavailable):
                await asyncio.sleep(_RETRY_S)
                continue
            if answer.refusal is not None:
                log_.error("the API key could not be made sure of", extra={"reason": answer.refusal.message})
                return
            if answer.unavailable is None and await self._system.reached(answer.position, 10):
                return


def signer_of(master_key_file: Path | None) -> Signer:
    """Signs the sessions of browsers so that every gateway with this master key knows them. Raises: ValueError: the file is unusable."""
    return forgetful_signer() if master_key_file is None else Signer(*MasterKey.read(master_key_file).derived(PURPOSE))


def bootstrap_key(path: Path | None) -> tuple[str, str] | None:
    """Prefix and SHA-256 of the secret of the key in a file; None without a file. Raises: BadKeyFile."""
    if path is None:
        return None
    match = _KEY.fullmatch(path.read_text(encoding="ascii").strip())
    if match is None:
        raise BadKeyFile(f"{path.name} must hold one API key: 16 hex digits, a dot, 64 hex digits, all lower case")
    return match[1], hashlib.sha256(match[2].encode()).hexdigest()


class _Server(uvicorn.Server):
    """Leaves signals to the process that it is part of, and tells when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
