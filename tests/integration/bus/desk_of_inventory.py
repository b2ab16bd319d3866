"""A service for tests of the bus: the shape of inventory with whatever answers a test gives it."""

from __future__ import annotations

from typing import Any

from contracts.command import Answer, Asked, Request, Wish
from contracts.commands.inventory import DeleteProvider, SaveProvider
from libs.runtime.service import Command, Decided, Service


def _never(wish: Wish, state: None, asked: Asked) -> Decided:
    raise AssertionError("the bus does not decide")


service: Service[Any] = Service(
    name="inventory",
    state_version=1,
    reads=frozenset(),
    initial=lambda workspace_id: None,
    evolve=lambda state, recorded: state,
    commands={"save_provider": Command(SaveProvider, _never), "delete_provider": Command(DeleteProvider, _never)},
)


async def echo(wish: Wish, request: Request) -> Answer:
    """Answer with the wish itself and the id it was asked under."""
    return Answer(position=7, result={"id": request.id, "wish": wish.model_dump(mode="json")})
