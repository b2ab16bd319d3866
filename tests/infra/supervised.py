"""A supervisor in a process of its own, as a person starts it, around a stand-in for the services."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).resolve().parents[2]
FAKE_SERVICE = Path(__file__).with_name("fake_service.py")
START = """
import sys
from pathlib import Path
from infra.embedded.options import Options, ServiceProcess
from infra.embedded.supervisor import run
data, port, *command = sys.argv[1:]
sys.exit(run(Options(Path(data), int(port), services=(ServiceProcess("services", tuple(command)),), demo=False)))
"""
LIMIT_S = 100.0
T = TypeVar("T")


def until(what: Callable[[], T | None], limit_s: float = LIMIT_S) -> T:
    """Wait until something outside this process has come about, and return what it is."""
    end = time.monotonic() + limit_s
    # Other people's processes send no signal to us, so they are looked at, often.
    while (found := what()) is None:
        assert time.monotonic() < end, f"did not happen within {limit_s} s"
        threading.Event().wait(0.005)
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Running:
    """A started supervisor and what it says, line by line."""

    def __init__(self, data: Path, port: int = 0, *, options: tuple[str, ...] | None = None) -> None:
        """Start it around the stand-in, or, given options of `infra/dev up`, as the whole system."""
        self.data = data
        stand_in = [sys.executable, "-c", START, str(data), str(port), sys.executable, str(FAKE_SERVICE)]
        whole = [sys.executable, "-m", "infra.embedded", "--data", str(data), "--port", str(port), *(options or ())]
        command = stand_in if options is None else whole
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines: list[str] = []
        self._news: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._news.put(line.rstrip("\n"))
        self._news.put(None)

    def hear(self, part: str) -> str:
        """Wait for a line with these words; fails when the supervisor ends first."""
        while True:
            line = self._news.get(timeout=LIMIT_S)
            assert line is not None, f"ended without saying {part!r}: {self.lines}"
            self.lines.append(line)
            if part in line:
                return line

    def rest(self) -> list[str]:
        """Wait for the end and return every line that was not heard yet."""
        self.process.wait(LIMIT_S)
        self._reader.join(LIMIT_S)
        rest = []
        while (line := self._news.get(timeout=LIMIT_S)) is not None:
            rest.append(line)
        self._news.put(None)
        return rest

    def described(self) -> dict[str, Any]:
        described: dict[str, Any] = json.loads((self.data / "supervisor.json").read_text("utf-8"))
        return described

    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        processes: dict[str, int] = self.described()["processes"]
        return processes

    def credentials(self) -> dict[str, str]:
        credentials: dict[str, str] = json.loads((self.data / "credentials.json").read_text("utf-8"))
        return credentials

    def ask(self) -> dict[str, Any]:
        """Ask the stand-in gateway, as a client that waits for its turn."""
        known = self.credentials()
        answer = httpx.get(
            f"{known['url']}/api/v1/workspaces", headers={"X-API-Key": known["apiKey"]}, trust_env=False, timeout=20
        )
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return said

    def replaced(self, name: str, old: int) -> int:
        """Wait until a process of this name has another process id, and return that."""

        def new() -> int | None:
            pid = self.pids().get(name)
            return None if pid == old else pid

        return until(new)

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C does, and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        self.rest()
        return self.process.returncode
