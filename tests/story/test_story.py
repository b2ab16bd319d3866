"""The story on the real system: one process, a process per service, and while processes die; afterwards the log is checked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.story.house import ROOT, Chaos, House, house
from tests.story.telling import Monitoring, Telling

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

ACTIVE = ("pending", "queued", "inProgress", "actionRequired")


def check_log(here: House) -> None:
    """What must be true of any history: one active job per target, and no job for a version that was not cleared there."""
    active: dict[tuple[str, str, str], set[str]] = {}
    cleared: set[tuple[str, str, str]] = set()
    sql = "SELECT type, data FROM es.event WHERE workspace_id = %s ORDER BY position"
    for kind, data in here.rows(sql, here.workspace_id):
        if kind == "policy.targets_cleared.v1":
            cleared.update((one, data["environment_id"], data["version_id"]) for one in data["resource_ids"])
        elif kind in ("dispatcher.job_created.v1", "dispatcher.job_status_changed.v1"):
            target = (data["resource_id"], data["environment_id"], data["deployment_id"])
            jobs = active.setdefault(target, set())
            (jobs.add if data["status"] in ACTIVE else jobs.discard)(data["job_id"])
            assert len(jobs) <= 1, f"two active jobs on {target}: {sorted(jobs)}"
            assert (data["resource_id"], data["environment_id"], data["version_id"]) in cleared, f"uncleared: {data}"


def check_states(here: House) -> None:
    """Stop the system, start its servers alone, and let it compare stored states and decisions with the log."""
    here.stop()
    from infra.embedded.servers import Servers

    with Servers(here.folder) as servers:
        result = subprocess.run(
            [sys.executable, "-m", "services", "verify"],
            cwd=ROOT,
            env={**os.environ, "SIGNALBOX_POSTGRES": servers.postgres, "SIGNALBOX_NATS": servers.nats},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "equals the fold" in result.stdout


def test_told_twice_in_one_workspace(tmp_path: Path) -> None:
    with Monitoring().serving() as monitoring, house(tmp_path / "with space") as here:
        Telling(here, monitoring).tell()
        Telling(here, monitoring).tell()
        check_log(here)
        check_states(here)


def test_told_with_a_process_per_service(tmp_path: Path) -> None:
    with Monitoring().serving() as monitoring, house(tmp_path, "--processes") as here:
        assert len(here.pids()) >= 8
        Telling(here, monitoring).tell()
        check_log(here)


def test_told_while_processes_die(tmp_path: Path) -> None:
    with Monitoring().serving() as monitoring, house(tmp_path) as here:
        with Chaos(here) as chaos:
            Telling(here, monitoring).tell()
        assert len(chaos.kills) >= 5
        check_log(here)
        check_states(here)
