"""What must hold of a simulated world after anything: its memory and its decisions follow from its log alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from contracts.fact import Fact
from libs.runtime.room import Room, Round
from libs.runtime.service import Service
from libs.simulation.world import World, refold


def check_memory(world: World, services: Sequence[Service[Any]]) -> None:
    """Folding the log from zero gives what each service remembers. Raises: AssertionError."""
    for service in services:
        assert world.room(service.name).state == refold(service, world.log), f"{service.name} remembers otherwise"


def check_decisions(world: World, services: Sequence[Service[Any]]) -> None:
    """Every decision of every service would be made again as it was. Raises: AssertionError."""
    for service in services:
        state, position, recorded = service.initial(world.workspace_id), 0, 0
        for name, round_ in world.rounds:
            first, recorded = recorded, recorded + len(round_.append.facts)
            if name != service.name or round_.append.decision is None:
                continue
            told = orjson.loads(round_.append.decision)
            for one in world.log[position : told["decided_upto"]]:
                state = service.evolve(state, one) if one.type in service.reads else state
            position = told["decided_upto"]
            again = _again(world, service, state, told, round_)
            assert again == [one.fact for one in world.log[first:recorded]], f"{name} decided otherwise: {told['trigger']}"
        assert recorded == len(world.log), "every fact is some round's"


def _again(world: World, service: Service[Any], state: Any, told: dict[str, Any], round_: Round) -> list[Fact]:
    trigger, upto = told["trigger"], told["decided_upto"]
    room: Room[Any] = Room(service, world.workspace_id)
    room.state, room.position = state, upto
    if trigger["kind"] == "facts":
        room.pending = [one for one in world.log[trigger["from"] - 1 : upto] if one.type in service.reads]
    move = round_.append.move
    assert move is not None
    room.stored, room.decided = move.old, move.old.position
    made = room.again(trigger, datetime.fromisoformat(told["decided_at"]))
    return [one.fact for one in made.append.facts] if made is not None else []
