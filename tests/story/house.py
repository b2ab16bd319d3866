"""The whole system as a user starts it, for tests that tell the story: start, look, break, stop."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

ROOT = Path(__file__).parents[2]
START_S = 100.0
LOOK_S = 0.05


def wait_until(look: Callable[[], Any], what: str, patience_s: float = 60.0) -> Any:
    """Look again and again until something true is seen; what was seen. Raises: AssertionError."""
    end = time.monotonic() + patience_s
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < end, f"{what}: not within {patience_s:.0f} s"
        time.sleep(LOOK_S)


@dataclass
class House:
    """A running system.

    Attributes:
        folder: its data folder.
        url, api_key, workspace_id: its credentials.
    """

    folder: Path
    process: subprocess.Popen[bytes]
    url: str
    api_key: str
    workspace_id: str

    @property
    def postgres(self) -> str:
        return f"host='{self.folder / 'pg'}' port=5432 user=postgres dbname=signalbox"

    def client(self) -> httpx.Client:
        """A client of the default workspace."""
        base = f"{self.url}/api/v1/workspaces/{self.workspace_id}"
        return httpx.Client(base_url=base, headers={"X-API-Key": self.api_key}, timeout=30)

    def pids(self) -> dict[str, int]:
        """The processes that the supervisor keeps, by name."""
        known: dict[str, int] = json.loads((self.folder / "supervisor.json").read_text(encoding="utf-8"))["processes"]
        return known

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query on the log's database."""
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            return connection.execute(sql, values).fetchall()

    def stop(self) -> None:
        """Ctrl-C, and wait for the end."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(60) == 0


@contextlib.contextmanager
def house(folder: Path, *options: str) -> Iterator[House]:
    """Start the system in a folder, as `infra/dev up --no-demo` does, and stop it at the end."""
    with started(folder, *options, python=sys.executable, cwd=ROOT) as running:
        yield running


@contextlib.contextmanager
def started(folder: Path, *options: str, python: str, cwd: Path, path: str | None = None) -> Iterator[House]:
    """Start the system that an interpreter finds, with a PATH of its own where one is given, and stop it at the end."""
    command = [python, "-P", "-m", "infra.embedded", "--no-demo", "--port", "0", "--data", str(folder), *options]
    environment = os.environ if path is None else {**os.environ, "PATH": path}
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL)
    credentials = folder / "credentials.json"
    try:

        def ready() -> bool:
            assert process.poll() is None, f"the system ended with {process.returncode}"
            return credentials.exists()

        wait_until(ready, "the system starts", START_S)
        known = json.loads(credentials.read_text(encoding="utf-8"))
        yield House(folder, process, known["url"], known["apiKey"], known["workspaceId"])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


class Chaos:
    """Kills a random process of the system every few seconds, and twice empties JetStream's store while the broker is down.

    On a machine that takes longer to start a process again, the next one waits for that: nothing could be told to a system that is never
    there.
    """

    def __init__(self, here: House, *, every_s: float = 3.0, seed: int = 1) -> None:
        self.kills: list[str] = []
        self.wipes = 0
        self._house = here
        self._every_s = every_s
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._error: BaseException | None = None

    def __enter__(self) -> Chaos:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(90)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._over.wait(self._every_s):
                wait_until(lambda: self._over.is_set() or self._answers(), "the system answers again")
                if len(self.kills) in (3, 8) and self.wipes < 2:
                    self._wipe()
                name = self._random.choice(sorted(self._house.pids()))
                self._kill(name)
                self.kills.append(name)
        except BaseException as error:  # noqa: BLE001 (told where the test can see it)
            self._error = error

    def _answers(self) -> bool:
        try:
            with self._house.client() as client:
                return client.get("/systems").is_success
        except httpx.TransportError:
            return False

    def _kill(self, name: str) -> None:
        pid = self._house.pids().get(name)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _wipe(self) -> None:
        hold = self._house.folder / "hold-nats"
        hold.touch()
        old = self._house.pids().get("nats")
        self._kill("nats")
        wait_until(lambda: old is None or not Path(f"/proc/{old}").exists(), "the broker is gone")
        shutil.rmtree(self._house.folder / "js", ignore_errors=True)
        hold.unlink()
        self.wipes += 1
