"""Keep one process alive: start it again whenever it dies, slower when it keeps dying."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from infra.embedded import children
from infra.embedded.children import Child, Process

QUICK_DEATH_S = 5.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0


def pause_s(quick_deaths: int) -> float:
    """Return the seconds to wait before the next start.

    Args:
        quick_deaths: how often in a row, before this death, the process died within `QUICK_DEATH_S` of its start.

    Returns:
        0 the first time, then 0.1, 0.2, 0.4 and so on up to 2.
    """
    return 0.0 if quick_deaths == 0 else min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(quick_deaths - 1, 10))


class Kept:
    """A process that is there until `stop`, under changing process ids."""

    def __init__(
        self,
        name: str,
        make: Callable[[int], Child],
        *,
        say: Callable[[str], None],
        changed: Callable[[], None],
        stop_signal: signal.Signals = signal.SIGTERM,
        hold: Path | None = None,
        reports_ready: bool = False,
        restart_after_success: bool = True,
    ) -> None:
        """Describe the process; `keep` starts it.

        Args:
            name: for the person who reads the messages.
            make: gives the child for every start; its argument is the descriptor to write `ready` to, or -1.
            say: takes one line of news.
            changed: called after every start and end, when `pid` differs.
            stop_signal: asks it to stop in good order.
            hold: while this file exists, it is not started.
            reports_ready: whether it writes the line `ready` to the descriptor when it serves.
            restart_after_success: whether to start it again although it ended with code 0.
        """
        self.name = name
        self.process: Process | None = None
        self.quick_deaths = 0
        self.ready = asyncio.Event()
        self._make = make
        self._say = say
        self._changed = changed
        self._stop_signal = stop_signal
        self._hold = hold
        self._log: Path | None = None
        self._reports_ready = reports_ready
        self._restart_after_success = restart_after_success

    async def keep(self) -> None:
        """Start the process again and again; ends only when cancelled, or after a success that is not to be repeated."""
        while True:
            await self._until_not_held()
            began = time.monotonic()
            self.process = process = self._start()
            self._changed()
            code = await children.exited(process)
            self.process = None
            self._changed()
            if code == 0 and not self._restart_after_success:
                return
            pause = 0.0
            if time.monotonic() - began < QUICK_DEATH_S:
                pause = pause_s(self.quick_deaths)
                self.quick_deaths += 1
            else:
                self.quick_deaths = 0
            how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}, see {self._log}"
            self._say(f"{self.name} {how}; starting it again" + (f" in {pause:.1f} s" if pause else ""))
            await asyncio.sleep(pause)

    async def stop(self, grace_s: float, last_resort: signal.Signals = signal.SIGKILL) -> None:
        """Ask the process to stop and make it, after the grace; harmless when it does not run. `keep` must be cancelled before."""
        process = self.process
        if process is None:
            return
        children.tell(process, self._stop_signal)
        try:
            async with asyncio.timeout(grace_s):
                await children.exited(process)
        except TimeoutError:
            self._say(f"{self.name} did not stop within {grace_s:.0f} s; ending it")
            children.tell(process, last_resort)
            await children.exited(process)
        self.process = None

    def _start(self) -> Process:
        if not self._reports_ready:
            return self._begin(-1)
        reader, writer = os.pipe()
        try:
            process = self._begin(writer)
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        self._listen(reader)
        return process

    def _begin(self, ready: int) -> Process:
        child = self._make(ready)
        self._log = child.log
        return children.start(child)

    def _listen(self, reader: int) -> None:
        loop = asyncio.get_running_loop()
        os.set_blocking(reader, False)
        heard = bytearray()

        def hear() -> None:
            with contextlib.suppress(BlockingIOError):
                part = os.read(reader, 64)
                heard.extend(part)
                if b"ready" in heard:
                    self.ready.set()
                if not part or self.ready.is_set():
                    loop.remove_reader(reader)
                    os.close(reader)

        loop.add_reader(reader, hear)

    async def _until_not_held(self) -> None:
        if self._hold is None or not self._hold.exists():
            return
        self._say(f"{self.name} is held back until {self._hold} is removed")
        # An operator removes the file; nothing inside this process knows when.
        while self._hold.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
