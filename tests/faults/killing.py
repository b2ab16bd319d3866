"""Kills a process of a running system at a moment seen from outside, and checks what the log says afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

import orjson
import psycopg

from contracts.fact import Fact
from tests.story.house import House

PATIENCE_S = 60.0


@contextlib.contextmanager
def killed_at(here: House, fact: type[Fact], process: str = "services") -> Iterator[None]:
    """Kill a process as soon as a new fact of a class is in the log, once, while the block runs.

    Raises: AssertionError: at the end of the block, when there was no such fact.
    """
    ((head,),) = here.rows("SELECT position FROM es.workspace_head WHERE workspace_id = %s", here.workspace_id)
    pid = here.pids()[process]
    over, killed = threading.Event(), threading.Event()

    def watch() -> None:
        sql = "SELECT FROM es.event WHERE workspace_id = %s AND position > %s AND type = %s LIMIT 1"
        with psycopg.connect(here.postgres, autocommit=True) as connection:
            while not over.is_set():
                if connection.execute(sql, (here.workspace_id, head, fact.TYPE)).rowcount:
                    os.kill(pid, signal.SIGKILL)
                    killed.set()
                    return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
        assert killed.wait(PATIENCE_S), f"no {fact.TYPE} was recorded"
    finally:
        over.set()
        watching.join(PATIENCE_S)


def check_decisions(here: House) -> None:
    """Every fact comes from exactly one decision, and no service decided on a fact twice."""
    sql = "SELECT consumer, first_pos, last_pos, decision FROM es.decision WHERE workspace_id = %s ORDER BY consumer, sequence"
    decisions = here.rows(sql, here.workspace_id)
    covered = sorted(position for _, first, last, _ in decisions for position in range(first, last + 1))
    ((head,),) = here.rows("SELECT position FROM es.workspace_head WHERE workspace_id = %s", here.workspace_id)
    assert covered == list(range(1, head + 1)), "a fact without a decision, or with two"
    reacted: dict[str, int] = {}
    for consumer, _, _, decision in decisions:
        trigger = (decision if isinstance(decision, dict) else orjson.loads(decision))["trigger"]
        if trigger["kind"] == "facts":
            assert trigger["from"] > reacted.get(consumer, 0), f"{consumer} decided twice on {trigger}"
            reacted[consumer] = trigger["to"]
