"""One worker process and the pipe to it. Whatever it does, a request ends: with an answer, or with the process."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from libs.rego.problems import RegoUnavailable
from libs.rego.worker import TOO_LARGE

_SCRIPT: Final = Path(__file__).with_name("worker.py")
_START_S: Final = 60.0
MAX_ANSWER_BYTES: Final = 128 * 1024
"""So that what a module says can be recorded."""


class Died(Exception):
    """The process ended instead of answering. `str()` says why, to go on with: "it …"."""


class Apart:
    """A worker process; for one request at a time."""

    def __init__(self, memory_bytes: int) -> None:
        """Start it. Raises: RegoUnavailable: it can not start, or the library can not be loaded there."""
        try:
            self._process = subprocess.Popen(
                # Isolated: no folder of the caller and no variable of its environment reaches the code of a rule.
                [sys.executable, "-I", str(_SCRIPT), str(memory_bytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
            )
        except OSError as error:
            raise RegoUnavailable(f"Rego can not be run now: {error.strerror}.") from error
        self._done = False
        try:
            told = self._read(time.monotonic() + _START_S)
        except Died as error:
            self.close()
            raise RegoUnavailable(f"Rego can not be run now: its process did not start; {error}.") from error
        if "unavailable" in told:
            self.close()
            reason = str(told["unavailable"]).rstrip(".")
            raise RegoUnavailable(
                f"Rules in Rego can not be used on this machine; their library, regopy, can not be loaded: {reason}."
            )

    @property
    def spent(self) -> bool:
        """It takes no more requests, and another has to be started."""
        return self._done or self._process.poll() is not None

    def ask(self, request: dict[str, Any], *, cpu_s: float, wall_s: float) -> dict[str, Any]:
        """The answer to a request. Raises: Died: it ended over it; it is spent then."""
        body = json.dumps({**request, "cpu_s": cpu_s}).encode()
        deadline = time.monotonic() + wall_s
        try:
            self._write(struct.pack(">I", len(body)) + body, deadline)
            answer = self._read(deadline)
        except BaseException:
            self.close()
            raise
        if answer["last"]:
            self.close()
        return answer

    def kill(self) -> None:
        """Make the process end, also while another thread waits for its answer; that one is told so."""
        self._done = True
        self._process.kill()

    def close(self) -> None:
        """End the process and let go of it; again changes nothing. Not while another thread waits for its answer."""
        self._done = True
        process = self._process
        if process.returncode is None:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _write(self, data: bytes, deadline: float) -> None:
        assert self._process.stdin is not None
        target = self._process.stdin.fileno()
        os.set_blocking(target, False)
        rest = memoryview(data)
        while rest:
            _wait(target, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(target, rest) :]
            except BrokenPipeError:
                raise Died(self._end()) from None

    def _read(self, deadline: float) -> dict[str, Any]:
        (size,) = struct.unpack(">I", self._bytes(4, deadline))
        if size > MAX_ANSWER_BYTES:
            raise Died(f"its answer is longer than {MAX_ANSWER_BYTES} bytes")
        answer: dict[str, Any] = json.loads(self._bytes(size, deadline))
        return answer

    def _bytes(self, count: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        source = self._process.stdout.fileno()
        found = bytearray()
        while len(found) < count:
            _wait(source, select.POLLIN, deadline)
            part = os.read(source, count - len(found))
            if not part:
                raise Died(self._end())
            found += part
        return bytes(found)

    def _end(self) -> str:
        """How the process ended, which it has when its pipe is closed."""
        status = self._process.wait()
        if status == -signal.SIGPROF:
            return "it took too long"
        if status in (TOO_LARGE, -signal.SIGABRT):  # the library gives up where it gets no memory
            return "it needs too much memory"
        if status == -signal.SIGKILL:
            return "its process was ended"
        return "it broke off, as what goes too deep does"


def _wait(descriptor: int, event: int, deadline: float) -> None:
    # Not `select.select`, which knows no descriptor above 1023, and a gateway has as many connections.
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise Died("it took too long")
