"""How fast a dying process is started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from infra.embedded.children import Child, rotate
from infra.embedded.keeping import Kept, pause_s


def test_the_first_restart_is_immediate_and_later_ones_are_slower_up_to_two_seconds() -> None:
    assert [pause_s(deaths) for deaths in range(8)] == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


async def test_a_process_that_dies_twice_at_once_is_started_three_times(tmp_path: Path) -> None:
    said: list[str] = []
    thrice = asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 3:
            thrice.set()

    child = Child((sys.executable, "-S", "-c", "print('here'); raise SystemExit(3)"), tmp_path / "log")
    kept = Kept("poor", lambda _: child, say=say, changed=lambda: None)
    keeper = asyncio.create_task(kept.keep())
    async with asyncio.timeout(30):
        await thrice.wait()
    keeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeper
    await kept.stop(1.0)
    assert said == [
        f"poor ended with code 3, see {tmp_path}/log; starting it again",
        f"poor ended with code 3, see {tmp_path}/log; starting it again in 0.1 s",
        f"poor ended with code 3, see {tmp_path}/log; starting it again in 0.2 s",
    ]
    assert (tmp_path / "log").read_text("utf-8") == "here\n" * 3


async def test_a_process_that_is_done_is_left_alone(tmp_path: Path) -> None:
    child = Child((sys.executable, "-S", "-c", ""), tmp_path / "log")
    kept = Kept("done", lambda _: child, say=pytest.fail, changed=lambda: None, restart_after_success=False)
    async with asyncio.timeout(30):
        await kept.keep()
    assert kept.process is None


async def test_a_process_that_does_not_stop_is_ended(tmp_path: Path) -> None:
    deaf = "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.write({ready}, b'ready'); signal.pause()"

    def make(ready: int) -> Child:
        return Child((sys.executable, "-S", "-c", deaf.format(ready=ready)), tmp_path / "log", descriptors=(ready,))

    said: list[str] = []
    kept = Kept("deaf", make, say=said.append, changed=lambda: None, reports_ready=True)
    keeper = asyncio.create_task(kept.keep())
    async with asyncio.timeout(30):
        await kept.ready.wait()
    keeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeper
    await kept.stop(0.05)
    assert said == ["deaf did not stop within 0 s; ending it"]
    assert kept.process is None


async def test_a_process_that_ended_by_itself_before_it_is_stopped_is_done(tmp_path: Path) -> None:
    """As when a service manager tells every process of the group to end."""
    ends = "import os, signal; os.write({ready}, b'ready'); signal.pause()"

    def make(ready: int) -> Child:
        return Child((sys.executable, "-S", "-c", ends.format(ready=ready)), tmp_path / "log", descriptors=(ready,))

    kept = Kept("quick", make, say=pytest.fail, changed=lambda: None, reports_ready=True)
    keeper = asyncio.create_task(kept.keep())
    async with asyncio.timeout(60):
        await kept.ready.wait()
    keeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeper
    process = kept.process
    assert process is not None
    process.send_signal(signal.SIGTERM)
    # It has ended then, and nobody has asked how.
    await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    async with asyncio.timeout(60):
        await kept.stop(30.0)
    assert kept.process is None
    assert process.returncode == -signal.SIGTERM


def test_a_log_that_has_grown_long_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "nats.log"
    log.write_bytes(b"x" * (10 * 1024 * 1024))
    rotate(log)
    assert log.exists()
    log.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    rotate(log)
    assert not log.exists()
    assert (tmp_path / "nats.log.1").exists()
