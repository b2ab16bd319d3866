"""Postgres and nats-server without any service, for tests: start, kill, wipe and start again."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded import children
from infra.embedded.children import Process
from infra.embedded.datadir import DataDir
from infra.embedded.nats import Nats
from infra.embedded.postgres import Postgres
from infra.embedded.problem import CannotStart

START_LIMIT_S = 120.0
STOP_LIMIT_S = 30.0


class Servers:
    """Both servers in a folder of their own, as `with Servers(folder) as servers` or `async with`.

    All methods block for the fraction of a second that they need and must be called from the main thread, because the kernel
    ends children together with the thread that started them. Starting what runs and stopping what does not are harmless.
    """

    def __init__(self, folder: Path, *, root_mode: str | None = None) -> None:
        """Name the folder; nothing is started yet.

        Args:
            folder: the data folder, made with mode 0700 when missing; data in it is used again.
            root_mode: how to run Postgres when we are root, as in `launch.py`; None finds out.
        """
        self.folder = folder
        self._root_mode = root_mode
        self._postgres_process: Process | None = None
        self._nats_process: Process | None = None

    @property
    def postgres(self) -> str:
        """Connection string of the database `signalbox`."""
        return self._postgres.conninfo()

    @property
    def nats(self) -> str:
        """URL of the broker, with its token; the same over restarts."""
        return self._nats.url

    def start(self) -> Self:
        """Start both and wait until they answer.

        Raises:
            CannotStart: the folder is in use or not ours to write, or a server does not come up.
        """
        self._datadir = DataDir(self.folder)
        try:
            self._postgres = Postgres(self._datadir, self._root_mode or children.root_mode())
            self._nats = Nats(self._datadir)
            self.start_postgres()
            self._postgres.make_database()
            self.start_nats()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both in good order and let go of the folder."""
        self._end(self._nats_process, signal.SIGTERM)
        self._end(self._postgres_process, signal.SIGINT)
        self._nats_process = self._postgres_process = None
        self._datadir.close()

    def start_postgres(self) -> None:
        """Start Postgres, after a kill with recovery, and wait until it answers."""
        if self._postgres_process is not None:
            return
        if self._postgres.needs_making:
            if children.start(self._postgres.making()).wait() != 0:
                raise CannotStart(f"initdb failed: {self._postgres.log.read_text('utf-8')[-500:]}")
            self._postgres.made()
        self._postgres_process = self._up("postgres", lambda: children.start(self._postgres.child()), self._postgres.is_ready)

    def kill_postgres(self) -> None:
        """Kill Postgres's main process the hard way; `start_postgres` brings it back."""
        self._end(self._postgres_process, signal.SIGKILL)
        self._postgres_process = None

    def start_nats(self, *, wipe: bool = False) -> None:
        """Start nats-server on the same port and wait until it answers.

        Args:
            wipe: delete the JetStream store first, as an operator might; nats-server must not be running.
        """
        if self._nats_process is not None:
            assert not wipe, "kill nats-server before its store is wiped"
            return
        if wipe:
            self._nats.wipe()
        self._nats_process = self._up("nats", lambda: children.start(self._nats.child()), lambda _: self._nats.is_ready())

    def kill_nats(self) -> None:
        """Kill nats-server the hard way; `start_nats` brings it back."""
        self._end(self._nats_process, signal.SIGKILL)
        self._nats_process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        # Connections that the servers closed are noticed by their readers before the test goes on.
        await asyncio.sleep(0)

    def _up(self, name: str, begin: Callable[[], Process], is_ready: Callable[[Process], bool]) -> Process:
        end = time.monotonic() + START_LIMIT_S
        process = begin()
        while not is_ready(process):
            if time.monotonic() > end:
                process.kill()
                process.wait()
                raise CannotStart(f"{name} does not answer after {START_LIMIT_S:.0f} s; see {self._datadir.logs}")
            if process.poll() is not None:
                # After a kill, processes of the old server hold its shared memory for a moment.
                time.sleep(0.1)
                process = begin()
            time.sleep(0.005)
        return process

    def _end(self, process: Process | None, how: signal.Signals) -> None:
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_LIMIT_S)
        except Exception:
            process.kill()
            process.wait()
            raise
