"""The supervisor: it holds the gateway's socket, starts everything in order, keeps it running and stops it in order."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path

from infra.embedded import children
from infra.embedded.children import Child
from infra.embedded.datadir import DataDir
from infra.embedded.handover import default_workspace, write_credentials
from infra.embedded.keeping import Kept
from infra.embedded.nats import Nats
from infra.embedded.options import Options, ServiceProcess
from infra.embedded.own_servers import check_own_servers
from infra.embedded.postgres import Postgres
from infra.embedded.problem import CannotStart

ROOT = Path(__file__).resolve().parent.parent.parent
BACKLOG = 1024
# Crash recovery replays up to max_wal_size of log, which takes a while on a slow disk.
SERVER_START_LIMIT_S = 300.0
# Dying this often in a row before the first answer is not bad luck: the folder or the machine has a problem.
HOPELESS_DEATHS = 8
# A start takes a second or two; who waits longer wants to know for what.
PATIENCE_S = 8.0
SERVICE_GRACE_S = 10.0
SERVER_GRACE_S = 30.0


def run(options: Options, say: Callable[[str], None] | None = None) -> int:
    """Run the whole system until SIGINT or SIGTERM.

    Args:
        options: what to start, and where.
        say: takes one line of news; None writes it to stderr.

    Returns:
        The exit code: 0 after a stop that was asked for, 1 when it could not start (the reason went to `say`).
    """
    # Whatever a child of ours writes into the data folder is nobody else's business.
    os.umask(0o077)
    say = say or tell
    try:
        datadir = DataDir(options.data)
        try:
            with listening_socket(options.port) as listener:
                return asyncio.run(supervise(options, datadir, listener, say))
        finally:
            with contextlib.suppress(FileNotFoundError):
                (datadir.path / "supervisor.json").unlink()
            datadir.close()
    except CannotStart as problem:
        say(str(problem))
        return 1


async def supervise(options: Options, datadir: DataDir, listener: socket.socket, say: Callable[[str], None]) -> int:
    """Run the system in a folder and on a socket that are ours already; see `run`."""
    return await Supervisor(options, datadir, listener, say).run()


def tell(line: str) -> None:
    """Write one line of news to stderr."""
    print(f"signalbox: {line}", file=sys.stderr, flush=True)


def past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that let a child reach this machine directly where its user's network is behind a proxy."""
    known = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    direct = ",".join([*filter(None, known.split(",")), "127.0.0.1", "localhost"])
    return {"no_proxy": direct, "NO_PROXY": direct}


def listening_socket(port: int) -> socket.socket:
    """Open the gateway's socket here, so that clients wait in its queue instead of being refused while the gateway restarts."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except OSError as problem:
        listener.close()
        raise CannotStart(f"can not listen on 127.0.0.1:{port}: {problem.strerror}; choose another port with --port") from problem
    return listener


class Supervisor:
    """One run of the system in a locked data folder."""

    def __init__(self, options: Options, datadir: DataDir, listener: socket.socket, say: Callable[[str], None]) -> None:
        self.options = options
        self.datadir = datadir
        self.listener = listener
        self.say = say
        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.api_key_file = datadir.api_key_file()
        self.secret_key_file = datadir.secret_key_file()
        self.postgres_url = options.postgres or ""
        self.nats_url = options.nats or ""
        # In the order of starting; stopping goes backwards.
        self._kept: list[Kept] = []
        self._tasks: list[asyncio.Task[None]] = []
        # Done when the run is over: with a result when a person ended it, with an error when something broke.
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._graces: dict[str, tuple[float, signal.Signals]] = {}

    async def run(self) -> int:
        """Start, keep and, when told to, stop everything."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        self._publish()
        self._work(self._start(), "start")
        try:
            await self._over
            self.say("stopping")
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._stop()
        return 0

    def _work(self, what: Coroutine[None, None, None], name: str) -> None:
        """Run something beside everything else; when it breaks, the whole run is over, with its error."""

        def check(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self._end(error)

        task = asyncio.create_task(what, name=name)
        task.add_done_callback(check)
        self._tasks.append(task)

    def _end(self, error: BaseException | None = None) -> None:
        if self._over.done():
            return
        if error is None:
            self._over.set_result(None)
        else:
            self._over.set_exception(error)

    async def _start(self) -> None:
        self.say(f"starting, with all data in {self.datadir.path}")
        await check_own_servers(self.options)
        # Both at once: neither needs the other, and initdb takes most of a first start.
        await asyncio.gather(self._start_postgres(), self._start_nats())
        services = [self._start_service(process) for process in self.options.services]
        for service in services:
            await self._until_ready(service)
        api_key = self.api_key_file.read_text("utf-8").strip()
        workspace = await default_workspace(self.url, api_key)
        credentials = write_credentials(self.datadir, self.url, api_key, workspace)
        print(f"Signalbox is ready at {self.url}\nCredentials: {credentials}", flush=True)
        if self.options.demo:
            self._start_demo(credentials)
        self.say("a demo shop releases versions in it; Ctrl-C stops everything" if self.options.demo else "Ctrl-C stops it")

    async def _until_ready(self, service: Kept) -> None:
        while not service.ready.is_set():
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await service.ready.wait()
            except TimeoutError:
                self.say(f"{service.name} is not ready yet; see {self.datadir.logs / service.name}.log")

    async def _start_postgres(self) -> None:
        if self.options.postgres:
            return
        postgres = Postgres(self.datadir, children.root_mode())
        if postgres.needs_making:
            code = await self._run_to_end(postgres.making())
            if code != 0:
                raise CannotStart(f"initdb ended with code {code}; see {postgres.log}")
            postgres.made()
        kept = self._keep("postgres", lambda _: postgres.child(), SERVER_GRACE_S, signal.SIGQUIT, stop_signal=signal.SIGINT)
        await self._until_up(kept, lambda: kept.process is not None and postgres.is_ready(kept.process), postgres.log)
        await asyncio.to_thread(postgres.make_database)
        self.postgres_url = postgres.conninfo()

    async def _start_nats(self) -> None:
        if self.options.nats:
            return
        nats = Nats(self.datadir)
        hold = self.datadir.path / "hold-nats"
        kept = self._keep("nats", lambda _: nats.child(), SERVER_GRACE_S, signal.SIGKILL, hold=hold)
        await self._until_up(kept, nats.is_ready, nats.log)
        self.nats_url = nats.url

    def _start_service(self, process: ServiceProcess) -> Kept:
        def make(ready: int) -> Child:
            environment = self._environment()
            environment["SIGNALBOX_READY_FD"] = str(ready)
            descriptors = [ready]
            if process.has_gateway:
                environment["SIGNALBOX_LISTEN_FD"] = str(self.listener.fileno())
                descriptors.append(self.listener.fileno())
            log = self.datadir.logs / f"{process.name}.log"
            return Child(process.command, log, environment=environment, descriptors=tuple(descriptors), folder=ROOT)

        return self._keep(process.name, make, SERVICE_GRACE_S, signal.SIGKILL, reports_ready=True)

    def _start_demo(self, credentials: Path) -> None:
        if importlib.util.find_spec("infra.demo") is None:
            self.say("there is no module infra.demo, so no demonstration runs; --no-demo avoids this message")
            return
        environment = {**os.environ, **past_proxies(os.environ), "SIGNALBOX_CREDENTIALS": str(credentials)}
        command = (sys.executable, "-m", "infra.demo")
        child = Child(command, self.datadir.logs / "demo.log", environment=environment, folder=ROOT)
        self._keep("demo", lambda _: child, SERVICE_GRACE_S, signal.SIGKILL, restart_after_success=False)

    def _environment(self) -> dict[str, str]:
        # Variables of libpq would fill in whatever our connection string leaves open.
        ours = {name: value for name, value in os.environ.items() if self.options.postgres or not name.startswith("PG")}
        return {
            # On one machine, what is deployed to and measured is usually on it too; who says otherwise is heard.
            "SIGNALBOX_OUTBOUND_ALLOW": "loopback",
            "SIGNALBOX_SECRET_KEY_FILE": str(self.secret_key_file),
            **ours,
            **past_proxies(os.environ),
            "SIGNALBOX_POSTGRES": self.postgres_url,
            "SIGNALBOX_NATS": self.nats_url,
            "SIGNALBOX_DATA_DIR": str(self.datadir.path),
            "SIGNALBOX_BOOTSTRAP_KEY_FILE": str(self.api_key_file),
        }

    def _keep(
        self,
        name: str,
        make: Callable[[int], Child],
        grace_s: float,
        last_resort: signal.Signals,
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        hold: Path | None = None,
        reports_ready: bool = False,
        restart_after_success: bool = True,
    ) -> Kept:
        kept = Kept(
            name,
            make,
            say=self.say,
            changed=self._publish,
            stop_signal=stop_signal,
            hold=hold,
            reports_ready=reports_ready,
            restart_after_success=restart_after_success,
        )
        self._kept.append(kept)
        self._graces[name] = (grace_s, last_resort)
        self._work(kept.keep(), f"keep {name}")
        return kept

    async def _until_up(self, kept: Kept, is_up: Callable[[], bool], log: Path) -> None:
        end = time.monotonic() + SERVER_START_LIMIT_S
        while not is_up():
            if kept.quick_deaths >= HOPELESS_DEATHS or time.monotonic() > end:
                raise CannotStart(f"{kept.name} does not come up; see {log}")
            await asyncio.sleep(0.01)

    async def _run_to_end(self, child: Child) -> int:
        process = children.start(child)
        try:
            return await children.exited(process)
        except asyncio.CancelledError:
            process.kill()
            process.wait()
            raise

    def _publish(self) -> None:
        self.datadir.publish(self.port, {one.name: one.process.pid for one in self._kept if one.process is not None})

    async def _stop(self) -> None:
        servers = ("nats", "postgres")
        users = [one for one in self._kept if one.name not in servers]
        # The demo first, so that it does not complain about a gateway that goes away; then all services at once.
        for group in ([one for one in users if one.name == "demo"], [one for one in users if one.name != "demo"]):
            await asyncio.gather(*(one.stop(*self._graces[one.name]) for one in group))
        for name in servers:
            for one in self._kept:
                if one.name == name:
                    await one.stop(*self._graces[name])
