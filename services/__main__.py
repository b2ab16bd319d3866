"""Runs services: `python -m services serve [--only planner,policy]`. The one place that knows all of them.

One process may run any subset; nothing in a service knows which. `verify` checks a log that services wrote: that folding it from zero
gives the states that were stored, and that every recorded decision would be made again. `rebuild` makes the read tables anew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from importlib import import_module
from typing import Any

from contracts.envelope import NIL_WORKSPACE
from libs.bus.courier import Courier
from libs.bus.ingest import Ingest
from libs.bus.relay import Relay
from libs.bus.requests import BusRequests
from libs.eventlog.migration import DatabaseTooNew, migrate
from libs.eventlog.port import LogUnavailable
from libs.eventlog.postgres import PostgresLog
from libs.runtime import audit, codec, logs
from libs.runtime.ending import end
from libs.runtime.feed import Feed
from libs.runtime.host import Host
from libs.runtime.leases import Leases
from libs.runtime.outside import outside_of
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.secrets.postgres_keys import SECRETS_MIGRATIONS

NAMES = ("inventory", "planner", "policy", "dispatcher", "verifier", "gateway")
RETRY_S = 0.1

log_ = logging.getLogger("signalbox.services")


def load(name: str) -> Service[Any]:
    """The service of a name. Only what is asked for is imported."""
    service: Service[Any] = import_module(f"services.{name}.app").service
    return service


class Process:
    """Everything that runs in one service process."""

    def __init__(self, settings: Settings, names: tuple[str, ...]) -> None:
        self.settings = settings
        self.log = PostgresLog(settings.postgres)
        self.feed = Feed(self.log)
        self.relay = Relay(self.log, self.feed, settings.nats, settings.postgres)
        self.requests = BusRequests(settings.nats, self.log)
        self.outside = outside_of(settings, self.log)
        self.hosts: list[Host[Any]] = []
        self.leases: list[Leases] = []
        self.couriers: list[Courier] = []
        for name in names:
            app = import_module(f"services.{name}.app")
            leases = Leases(settings.postgres, name)
            host: Host[Any] = Host(
                app.service,
                self.log,
                self.feed,
                performer=app.performer(self.outside) if hasattr(app, "performer") else None,
                ownership=leases,
                system=name == "gateway",
                snapshot_every=settings.snapshot_every,
            )
            self.hosts.append(host)
            self.leases.append(leases)
            self.couriers.append(
                Courier(app.service, settings.nats, self.feed, self.log, host.answer, hints=set(names) == set(NAMES))
            )
        self.gateway = None
        if "gateway" in names:
            from services.gateway.serve import Gateway

            self.gateway = Gateway(
                settings,
                self.log,
                self.feed,
                self.requests,
                health=self.health,
                positions=self.positions,
                outside=self.outside,
            )
            self.ingest = Ingest(settings.nats, self.gateway.keeping)

    def health(self) -> list[dict[str, Any]]:
        """What each service of this process says of itself."""
        return [host.health() for host in self.hosts]

    def positions(self, workspace_id: str) -> dict[str, int]:
        """How far each service of this process is with a workspace that it has."""
        found = ((host.service.name, host.position(workspace_id)) for host in self.hosts)
        return {name: position for name, position in found if position is not None}

    async def run(self, stop: asyncio.Event) -> None:
        """Start, serve until told to stop, stop."""
        # States are large and hardly ever cyclic: walking them often would be most of the time that a load or a fold takes.
        gc.set_threshold(100_000, 20, 20)
        await unless_told(stop, migrated(self.settings.postgres, with_gateway=self.gateway is not None))
        if stop.is_set():
            return
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.log.close)
            stack.push_async_callback(self.outside.close)
            await self.requests.start()
            stack.push_async_callback(self.requests.stop)
            # All of a kind at once: where a server does not answer any more, each gives up only after some seconds.
            for kind in (self.leases, self.hosts, self.couriers):
                stack.push_async_callback(all_of, [one.stop for one in kind])
            for leases, host, courier in zip(self.leases, self.hosts, self.couriers, strict=True):
                leases.start()
                host.start()
                await courier.start()
            await self.relay.start()
            stack.push_async_callback(self.relay.stop)
            await self._settle(stop)
            if stop.is_set():
                return
            if self.gateway is not None:
                await self.ingest.start()
                stack.push_async_callback(self.ingest.stop)
                stack.push_async_callback(self.gateway.stop)
                await unless_told(stop, self.gateway.start())
                if stop.is_set():
                    return
            self._tell_ready()
            gc.collect()
            gc.freeze()  # what was imported and loaded stays; the collector need not walk it again
            await stop.wait()
            log_.info("stopping")

    async def _settle(self, stop: asyncio.Event) -> None:
        """Wait until every service knows what it owns and has loaded it, and can be asked."""
        for leases, courier in zip(self.leases, self.couriers, strict=True):
            await unless_told(stop, leases.settled.wait())
            await unless_told(stop, courier.ready.wait())
        for workspace_id, head in (await self._heads(stop)).items():
            self.feed.hint(workspace_id, head)
            for host in self.hosts:
                if (queue := host.queue(workspace_id)) is not None:
                    await unless_told(stop, queue.ready.wait())

    async def _heads(self, stop: asyncio.Event) -> dict[str, int]:
        while not stop.is_set():
            try:
                return await self.log.heads()
            except LogUnavailable:
                await asyncio.sleep(RETRY_S)
        return {}

    def _tell_ready(self) -> None:
        log_.info("ready", extra={"services": [host.service.name for host in self.hosts]})
        if self.settings.ready_fd is not None:
            os.write(self.settings.ready_fd, b"ready\n")
            os.close(self.settings.ready_fd)


async def all_of(stops: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Stop several beside each other. Raises what the first one raises that does, after all have ended."""
    for error in await asyncio.gather(*(stop() for stop in stops), return_exceptions=True):
        if error is not None:
            raise error


async def unless_told(stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> None:
    """Do something that may have to wait, or give it up when told to stop. Raises what it raises."""
    doing = asyncio.create_task(work)
    told = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        await end(doing)


async def migrated(postgres: str, *, with_gateway: bool) -> None:
    """Bring the database to our schema, waiting for it to be reachable. Raises: DatabaseTooNew."""
    while True:
        try:
            await migrate(postgres)
            await migrate(postgres, component="secrets", folder=SECRETS_MIGRATIONS)
            if with_gateway:
                from services.gateway.serve import MIGRATIONS

                await migrate(postgres, component="gateway", folder=MIGRATIONS)
            return
        except LogUnavailable as error:
            log_.debug("waiting for the database: %s", error)
            await asyncio.sleep(RETRY_S)


async def serve(settings: Settings, names: tuple[str, ...]) -> None:
    """Run services until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    process = Process(settings, names)
    tracing = None
    if settings.traces != "none":
        from libs.runtime.telemetry import tracing as make_tracing

        tracing = make_tracing(settings.traces)
        if tracing is not None:
            process.log.on_commit(tracing.recorded)
    try:
        await process.run(stop)
    finally:
        if tracing is not None:
            tracing.stop()


async def verify(settings: Settings) -> int:
    """Check every workspace: stored states against the log folded from zero, and every decision made again. The exit status."""
    wrong = 0
    async with PostgresLog.open(settings.postgres) as log:
        for workspace_id in sorted(await log.heads()):
            for name in NAMES:
                if (workspace_id == NIL_WORKSPACE) != (name == "gateway"):
                    continue
                service = load(name)
                snapshot = await log.load_snapshot(name, workspace_id, service.state_version)
                if snapshot is not None:
                    state, _ = await audit.refold(log, service, workspace_id, snapshot.position)
                    same = codec.decode(type(state), snapshot.state) == state
                    wrong += not same
                    print(
                        f"{workspace_id} {name}: stored state at {snapshot.position} {'equals' if same else 'DIFFERS FROM'} the fold"
                    )
                count, differences = await audit.redecide(log, service, workspace_id)
                wrong += len(differences)
                print(f"{workspace_id} {name}: {count} decisions made again, {len(differences)} came out differently")
                for one in differences[:5]:
                    print(f"  round {one.sequence}: {one.message[:600]}")
    return 1 if wrong else 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m services", description="Run or check Signalbox services.")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="run services until SIGTERM")
    serving.add_argument("--only", default=",".join(NAMES), help="comma-separated: " + ", ".join(NAMES))
    commands.add_parser("verify", help="check the stored states and decisions of every workspace against its log")
    commands.add_parser(
        "rebuild", help="drop the read tables of every workspace and make them again from its log; services may run"
    )
    asked = parser.parse_args()
    settings = Settings()
    logs.set_up(settings.log_level)
    if asked.command == "verify":
        return asyncio.run(verify(settings))
    if asked.command == "rebuild":
        from services.gateway.serve import rebuild

        return asyncio.run(rebuild(settings))
    names = tuple(name.strip() for name in asked.only.split(","))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        parser.error(f"unknown service {', '.join(unknown)}; there are {', '.join(NAMES)}")
    try:
        asyncio.run(serve(settings, names))
    except DatabaseTooNew as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
