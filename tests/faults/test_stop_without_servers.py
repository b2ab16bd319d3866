"""A process that is told to stop ends, also while it still waits for its servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.story.house import ROOT, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.chaos]


def catches_sigterm(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM by now."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("postgres_runs", [False, True])
def test_it_ends_before_it_was_ready(postgres_runs: bool, postgres: str, tmp_path: Path) -> None:
    env = {
        **os.environ,
        "SIGNALBOX_POSTGRES": postgres if postgres_runs else f"host='{tmp_path}' dbname=signalbox user=postgres",
        "SIGNALBOX_NATS": "nats://127.0.0.1:1",
        "SIGNALBOX_PORT": "0",
    }
    with subprocess.Popen([sys.executable, "-m", "services", "serve"], cwd=ROOT, env=env) as process:
        try:
            wait_until(lambda: catches_sigterm(process.pid), "it has begun")
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
