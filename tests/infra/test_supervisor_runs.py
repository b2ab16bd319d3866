"""The supervisor with real servers: what it hands over, what it brings back, and that nothing outlives it."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.infra.fake_service import WORKSPACE
from tests.infra.supervised import Running, is_alive, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
Start = Callable[..., Running]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def seen(data: Path) -> dict[str, str]:
    """What the stand-in service found in its environment."""
    found: dict[str, str] = json.loads((data / "seen.json").read_text("utf-8"))
    return found


def is_gone(pid: int) -> bool | None:
    return None if is_alive(pid) else True


def query(conninfo: str) -> bool | None:
    """Ask Postgres something; None while it does not answer."""
    try:
        with psycopg.connect(conninfo, connect_timeout=2) as connection:
            return connection.execute("SELECT current_database() = 'signalbox'").fetchone() == (True,)
    except psycopg.OperationalError:
        return None


def test_a_first_start_hands_over_an_address_a_key_and_a_workspace_to_the_owner_alone(tmp_path: Path, supervise: Start) -> None:
    outer = tmp_path / "a closed folder"
    outer.mkdir(mode=0o700)
    data = outer / "with spaces, a comma and 'quotes'"
    running = supervise(data)
    assert running.hear("Signalbox is ready").endswith(str(running.described()["port"]))
    assert str(data / "credentials.json") in running.hear("Credentials")
    known = running.credentials()
    identifier, secret = known["apiKey"].split(".")
    assert (len(identifier), len(secret)) == (16, 64)
    assert known["workspaceId"] == WORKSPACE
    assert running.ask()["pid"] == running.pids()["services"]
    assert sorted(running.pids()) == ["nats", "postgres", "services"]
    assert [mode(folder) for folder in (outer, data, data / "pg", data / "logs")] == [0o700] * 4
    private = ("credentials.json", "admin.key", "secret.key", "nats.token", "nats.conf", "supervisor.json")
    assert {mode(data / name) for name in private} == {0o600}
    assert seen(data)["SIGNALBOX_SECRET_KEY_FILE"] == str(data / "secret.key")
    assert seen(data)["SIGNALBOX_OUTBOUND_ALLOW"] == "loopback"
    master_key = (data / "secret.key").read_text("utf-8")
    assert len(bytes.fromhex(master_key)) == 32
    assert query(seen(data)["SIGNALBOX_POSTGRES"])
    assert running.stop() == 0
    again = supervise(data)
    again.hear("Signalbox is ready")
    assert again.credentials()["apiKey"] == known["apiKey"]
    assert (data / "secret.key").read_text("utf-8") == master_key
    assert again.stop() == 0


def test_each_killed_child_is_started_again_and_the_address_stays_open(tmp_path: Path, supervise: Start) -> None:
    running = supervise(tmp_path)
    running.hear("Signalbox is ready")
    for name in ("services", "nats", "postgres"):
        old = running.pids()[name]
        os.kill(old, signal.SIGKILL)
        running.hear(f"{name} killed by SIGKILL; starting it again")
        assert running.replaced(name, old) != old
        # Asked at once: the question waits in the queue of a socket that was never closed.
        assert running.ask()["workspaces"][0]["id"] == WORKSPACE
    until(lambda: query(seen(tmp_path)["SIGNALBOX_POSTGRES"]))
    assert running.stop() == 0


def test_nothing_outlives_a_killed_supervisor_and_the_next_start_works_at_once(tmp_path: Path, supervise: Start) -> None:
    running = supervise(tmp_path)
    running.hear("Signalbox is ready")
    children = running.pids()
    running.process.kill()
    for pid in children.values():
        until(partial(is_gone, pid))
    again = supervise(tmp_path)
    again.hear("Signalbox is ready")
    assert not set(children.values()) & set(again.pids().values())
    assert again.stop() == 0


def test_a_supervisor_and_servers_killed_together_come_back(tmp_path: Path, supervise: Start) -> None:
    running = supervise(tmp_path)
    running.hear("Signalbox is ready")
    for pid in (running.process.pid, *running.pids().values()):
        os.kill(pid, signal.SIGKILL)
    again = supervise(tmp_path)
    again.hear("Signalbox is ready")
    assert query(seen(tmp_path)["SIGNALBOX_POSTGRES"])
    assert again.stop() == 0


def test_a_stop_leaves_no_process_and_no_claim(tmp_path: Path, supervise: Start) -> None:
    running = supervise(tmp_path)
    running.hear("Signalbox is ready")
    children = running.pids()
    assert running.stop() == 0
    assert [pid for pid in children.values() if is_alive(pid)] == []
    assert not (tmp_path / "supervisor.json").exists()


def test_the_broker_is_held_back_while_its_store_is_removed(tmp_path: Path, supervise: Start) -> None:
    running = supervise(tmp_path)
    running.hear("Signalbox is ready")
    hold = tmp_path / "hold-nats"
    hold.touch()
    os.kill(running.pids()["nats"], signal.SIGKILL)
    running.hear("nats is held back")
    assert "nats" not in running.pids()
    hold.unlink()
    until(lambda: running.pids().get("nats"))
    assert running.stop() == 0


def test_a_start_can_be_broken_off(tmp_path: Path, supervise: Start) -> None:
    running = supervise(tmp_path)
    until(lambda: True if (tmp_path / "supervisor.json").exists() and "nats" in running.pids() else None)
    assert running.stop() == 0
    again = supervise(tmp_path)
    again.hear("Signalbox is ready")
    assert again.stop() == 0
