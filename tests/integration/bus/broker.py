"""A nats-server that a test may treat badly, and helpers to wait for signals."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sysconfig
import time
from pathlib import Path

from infra.embedded.nats import free_port
from libs.eventlog.memory import MemoryLog
from libs.eventlog.port import OnCommit
from libs.runtime.feed import Feed


class Broker:
    """One nats-server on a fixed port, its store in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.store = folder / "js"
        self._config = folder / "nats.conf"
        self._config.write_text(
            f'listen: "127.0.0.1:{self.port}"\nmax_payload: 2MB\n'
            f'jetstream {{ store_dir: "{self.store}", max_mem: 256MB, max_file: 1GB }}\n'
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("nats-server", path=sysconfig.get_path("scripts"))
        assert program is not None
        command = [program, "-c", str(self._config)]
        self._process = None
        end = time.monotonic() + 60
        while not self._greets():
            if self._process is None or self._process.poll() is not None:  # whoever was killed may hold the port for a moment
                self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            assert time.monotonic() < end, "nats-server does not come up"
            time.sleep(0.005)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self, *, wipe: bool = False) -> None:
        """Kill it, perhaps delete its store, and start it."""
        self.kill()
        if wipe:
            shutil.rmtree(self.store, ignore_errors=True)
        self.start()

    def _greets(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.2) as connection:
                return connection.recv(5) == b"INFO "
        except OSError:
            return False


class OtherProcess(MemoryLog):
    """A view of another process's log: the same facts, but nobody here is told of appends."""

    def __init__(self, log: MemoryLog) -> None:
        super().__init__()
        self._workspaces = log._workspaces
        self._staged = log._staged

    def on_commit(self, listener: OnCommit) -> None:
        del listener


async def positions(feed: Feed, workspace_id: str, upto: int) -> list[int]:
    """Follow a feed as a service does, until a position was reached."""
    got: list[int] = []
    while len(got) < upto:
        assert await feed.wait(workspace_id, len(got), 30), f"nothing came after position {len(got)}"
        got.extend(one.position for one in await feed.read(workspace_id, len(got), 100))
    return got
