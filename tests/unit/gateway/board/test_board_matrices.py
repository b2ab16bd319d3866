"""Matrices of the past are made once, and only so many are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.simulation.world import WORKSPACE
from services.gateway.board import matrices
from services.gateway.board.live import Live
from tests.unit.gateway.board.board_scenes import V1, V2, deployed
from tests.unit.gateway.board.test_board_stream import House


@pytest.fixture
async def house() -> AsyncIterator[House]:
    one = House()
    yield one
    await one.boards.stop()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Positions of which a matrix was made."""
    found: list[int] = []

    class Counted(Live):
        def __init__(self, board: object, position: int, time: object) -> None:
            found.append(position)
            super().__init__(board, position, time)  # type: ignore[arg-type]

    monkeypatch.setattr(matrices, "Live", Counted)
    return found


async def test_a_matrix_of_the_past_is_made_once_for_all_who_ask(house: House, made: list[int]) -> None:
    first = await house.shop()
    second = await house.record(*deployed(V1))
    every = await asyncio.gather(*(house.boards.matrices.at(WORKSPACE, one) for one in (first, second, first, second)))
    assert every[0] == every[2] == await house.boards.matrices.at(WORKSPACE, first)
    assert [one["cells"][0]["status"] for one in every[:2]] == ["pending", "healthy"]
    assert sorted(made) == [first, second]


async def test_who_leaves_does_not_spoil_it_for_others(house: House, made: list[int]) -> None:
    position = await house.shop()
    leaving = asyncio.create_task(house.boards.matrices.at(WORKSPACE, position))
    staying = asyncio.create_task(house.boards.matrices.at(WORKSPACE, position))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying)["cells"]
    assert made == [position]


async def test_those_asked_for_longest_ago_are_let_go_of(house: House, made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrices, "KEPT", 2)
    first = await house.shop()
    second = await house.record(*deployed(V1))
    third = await house.record(*deployed(V2))
    for position in (first, second, first, third, first, second):
        await house.boards.matrices.at(WORKSPACE, position)
    assert made == [first, second, third, second]


async def test_large_ones_are_not_kept_beside_others(house: House, made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrices, "MOST_CELLS", 1)
    first = await house.shop()
    second = await house.record(*deployed(V1))
    for position in (first, first, second, first):
        await house.boards.matrices.at(WORKSPACE, position)
    assert made == [first, second, first]
