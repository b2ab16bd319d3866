"""Postgres is killed twice while eight clients send commands; each command happens exactly once."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.faults.killing import check_decisions
from tests.story.house import House, house, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.chaos, pytest.mark.timeout(180)]

CLIENTS = 8
COMMANDS = 25
"""Of each client."""
KILL_AT = (40, 110)
"""Postgres is killed when so many commands were answered."""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[House]:
    """A running system."""
    with house(tmp_path) as here:
        yield here


def kill_postgres(here: House, answered: list[tuple[str, str]], count: int) -> None:
    """Kill Postgres when so many commands are answered, and wait until it was started again."""
    wait_until(lambda: len(answered) >= count, f"{count} commands are answered")
    pid = here.pids()["postgres"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: here.pids().get("postgres") not in (None, pid), "Postgres is started again")


def test_every_command_happens_once(here: House) -> None:
    answered: list[tuple[str, str]] = []

    def send(client: httpx.Client, name: str, key: str) -> str:
        """Create a system, again with the same key until there is an answer; its id."""
        headers = {"Idempotency-Key": key}
        while True:
            try:
                response = client.post("/systems", json={"name": name}, headers=headers)
            except httpx.TransportError:
                continue
            if response.status_code != 503:
                assert response.is_success, f"{response.status_code}: {response.text}"
                return str(response.json()["id"])

    def work(number: int) -> None:
        with here.client() as client:
            for turn in range(COMMANDS):
                name = f"system {number} {turn}"
                answered.append((name, send(client, name, keys[name])))

    keys = {f"system {number} {turn}": str(uuid.uuid4()) for number in range(CLIENTS) for turn in range(COMMANDS)}
    with ThreadPoolExecutor(CLIENTS) as clients:
        working = [clients.submit(work, number) for number in range(CLIENTS)]
        for count in KILL_AT:
            kill_postgres(here, answered, count)
        for one in working:
            one.result(90)

    sql = "SELECT data->>'name', data->>'system_id' FROM es.event WHERE workspace_id = %s AND type = 'planner.system_saved.v1'"
    recorded = here.rows(sql, here.workspace_id)
    assert sorted(recorded) == sorted(answered), "each name once, with the id that its sender was told"
    assert sorted(name for name, _ in recorded) == sorted(keys)
    kept = here.rows("SELECT count(*) FROM es.command WHERE workspace_id = %s AND name = 'save_system'", here.workspace_id)
    assert kept == [(CLIENTS * COMMANDS,)]
    with here.client() as client:
        for name, told in answered[::20]:
            assert send(client, name, keys[name]) == told
    check_decisions(here)
