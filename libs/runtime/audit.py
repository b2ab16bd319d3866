"""Checks on a log: what was folded from zero, and whether every recorded decision would be made again.

These are the promises that replay, explanation and forecast stand on, so they are checked on real histories.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import orjson

from contracts.envelope import Recorded
from libs.eventlog.port import Checkpoint, EventLog, RecordedDecision
from libs.runtime.room import Room
from libs.runtime.service import Service

S = TypeVar("S")
PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that came out differently: whose, which, and how."""

    service: str
    sequence: int
    message: str


async def refold(log: EventLog, service: Service[S], workspace_id: str, upto: int | None = None) -> tuple[S, int]:
    """The state of a service after folding its log from zero, and the position it stands at."""
    room = Room(service, workspace_id)
    state = room.state
    position = 0
    async for one in _facts(log, workspace_id):
        if upto is not None and one.position > upto:
            break
        position = one.position
        if one.type in service.reads:
            state = service.evolve(state, one)
    return state, position


async def redecide(log: EventLog, service: Service[Any], workspace_id: str) -> tuple[int, list[Difference]]:
    """Make every recorded decision of a service again. Returns: how many there were, and those that came out differently."""
    facts = [one async for one in _facts(log, workspace_id)]
    state = service.initial(workspace_id)
    position = 0
    count = 0
    differences: list[Difference] = []
    async for recorded in _decisions(log, service.name, workspace_id):
        told = orjson.loads(recorded.decision)
        for one in facts[position : told["decided_upto"]]:
            position = one.position
            if one.type in service.reads:
                state = service.evolve(state, one)
        count += 1
        message = _compare(service, workspace_id, state, facts, recorded, told)
        if message:
            differences.append(Difference(service.name, recorded.sequence, message))
    return count, differences


def _compare(
    service: Service[S], workspace_id: str, state: S, facts: list[Recorded], recorded: RecordedDecision, told: dict[str, Any]
) -> str | None:
    room = Room(service, workspace_id)
    trigger, upto = told["trigger"], told["decided_upto"]
    first = trigger["from"] if trigger["kind"] == "facts" else upto + 1
    room.state, room.position, room.decided = state, upto, first - 1
    room.stored = Checkpoint(first - 1, recorded.sequence - 1)
    room.pending = [one for one in facts[first - 1 : upto] if one.type in service.reads]
    round_ = room.again(trigger, datetime.fromisoformat(told["decided_at"]))
    again = [(new.id, type(new.fact).TYPE, new.fact) for new in (round_.append.facts if round_ else ())]
    then = [(one.id, one.type, one.fact) for one in facts[recorded.first - 1 : recorded.last]]
    if again == then:
        return None
    at = next((i for i, (a, b) in enumerate(zip(again, then, strict=False)) if a != b), min(len(again), len(then)))
    return f"{len(then)} facts then, {len(again)} again; first difference at {at}: {then[at : at + 1]} / {again[at : at + 1]}"


async def _facts(log: EventLog, workspace_id: str) -> AsyncIterator[Recorded]:
    after = 0
    while page := await log.read(workspace_id, after, PAGE):
        for one in page:
            yield one
        after = page[-1].position


async def _decisions(log: EventLog, consumer: str, workspace_id: str) -> AsyncIterator[RecordedDecision]:
    after = 0
    while page := await log.decisions(workspace_id, consumer, after, PAGE):
        for one in page:
            yield one
        after = page[-1].sequence
