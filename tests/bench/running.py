"""The system as `infra/dev up` runs it, in a folder of its own, with an empty workspace; and what its processes take."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300.0
START_S = 120.0
REST = 0.1
"""Who uses less than so much of a processor, rests."""


@dataclass
class Running:
    """One running system with an empty workspace.

    Attributes:
        folder: everything that it keeps.
        options: of its command line, beside the folder.
        client: speaks to the workspace.
    """

    folder: Path
    options: tuple[str, ...] = ()
    client: httpx.Client = field(init=False, default_factory=httpx.Client)
    workspace_id: str = field(init=False)
    postgres: str = field(init=False)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _database: psycopg.Connection[tuple[Any, ...]] | None = field(init=False, default=None)

    def start(self) -> float:
        """Start it; seconds until it answered."""
        began = time.monotonic()
        credentials = self.folder / "credentials.json"
        credentials.unlink(missing_ok=True)
        command = [sys.executable, "-m", "infra.embedded", "--no-demo", "--port", "0", "--data", str(self.folder), *self.options]
        process = self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        while not credentials.exists():
            assert process.poll() is None, "the system ended"
            assert time.monotonic() - began < START_S, "the system did not start"
            time.sleep(0.02)
        known = json.loads(credentials.read_text())
        self.workspace_id = known["workspaceId"]
        self.postgres = f"host='{self.folder / 'pg'}' port=5432 user=postgres dbname=signalbox"
        base = f"{known['url']}/api/v1/workspaces/{self.workspace_id}"
        self.client = httpx.Client(base_url=base, headers={"X-API-Key": known["apiKey"]}, timeout=PATIENCE_S)
        self.client.get("/systems").raise_for_status()
        return time.monotonic() - began

    def stop(self) -> float:
        """Stop it; seconds until everything had ended."""
        began = time.monotonic()
        if self._process is not None:
            self.client.close()
            if self._database is not None:
                self._database.close()
                self._database = None
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None
        return time.monotonic() - began

    def post(self, method: str, path: str, body: Any = None) -> Any:
        response = self.client.request(method, path, json=body)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else {}

    def query(self, sql: str, *values: Any) -> tuple[Any, ...]:
        """The first row of a statement, over one connection that stays open."""
        if self._database is None:
            self._database = psycopg.connect(self.postgres, autocommit=True)
        row = self._database.execute(sql.encode(), values).fetchone()
        assert row is not None
        return row

    def head(self) -> int:
        """The newest position of the workspace."""
        return int(self.query("SELECT position FROM es.workspace_head WHERE workspace_id = %s", self.workspace_id)[0])

    def until_read(self, position: int) -> None:
        """Wait until the read tables show a position."""
        sql = "SELECT coalesce(max(position), 0) FROM read.checkpoint WHERE workspace_id = %s"
        end = time.monotonic() + PATIENCE_S
        while (shown := self.query(sql, self.workspace_id)[0]) < position:
            assert time.monotonic() < end, f"the read tables are at {shown} of {position} after {PATIENCE_S} s"
            time.sleep(0.05)

    def at_rest(self) -> None:
        """Wait until its processes have nothing to do: what was asked of them before is not to be measured too."""
        end = time.monotonic() + PATIENCE_S
        used = self.cpu_s()
        while True:
            time.sleep(2)
            before, used = used, self.cpu_s()
            if sum(used.values()) - sum(before.values()) < 2 * REST:
                return
            assert time.monotonic() < end, f"the system did not come to rest in {PATIENCE_S} s"

    def peaks_mb(self) -> dict[str, int]:
        """Peak resident memory of each process by name; of Postgres the largest of its processes, shared buffers included."""
        return {name: max(peak_mb(one) for one in (pid, *children(pid))) for name, pid in self.pids().items()}

    def cpu_s(self) -> dict[str, float]:
        """Seconds of processor time used so far, by name. Beside the clock, because a shared machine makes that one tell less."""
        return {name: sum(cpu_s(one) for one in (pid, *children(pid))) for name, pid in self.pids().items()}

    def pids(self) -> dict[str, int]:
        """The processes by name."""
        known: dict[str, int] = json.loads((self.folder / "supervisor.json").read_text())["processes"]
        return known


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process and the children it waited for have used; 0 when it is gone."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def peak_mb(pid: int) -> int:
    """Peak resident memory of a process; 0 when it is gone."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    return 0


def children(pid: int) -> list[int]:
    """Processes that a process started and that still run."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text() if Path(f"/proc/{pid}").exists() else ""
    return [int(one) for one in listed.split()]


@contextlib.contextmanager
def running(*options: str) -> Iterator[Running]:
    """Start the system in a new folder, and stop it again."""
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as name:
        here = Running(Path(name), options)
        try:
            here.start()
            yield here
        finally:
            here.stop()


def machine(*options: str) -> str:
    """What it was measured on, in one line."""
    layout = "a process per service" if "--processes" in options else "one service process"
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    return f"{processor()}, {cores} cores (load {load:.1f} at the start), Python {platform.python_version()}, {layout}"


def processor() -> str:
    """What the processor calls itself."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} ({platform.machine()})"
    return platform.machine()
