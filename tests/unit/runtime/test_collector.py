"""The collector stays out of the way of bulk work, and is as it was afterwards."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from libs.runtime.collector import YOUNG, spared


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    assert gc.get_threshold() == before


@pytest.fixture
def walked() -> Iterator[list[int]]:
    """Generations that were collected."""
    found: list[int] = []

    def told(phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            found.append(info["generation"])

    gc.callbacks.append(told)
    yield found
    gc.callbacks.remove(told)


def test_what_stays_is_walked_once_and_then_set_aside(walked: list[int]) -> None:
    with spared():
        kept = [[number] for number in range(40 * YOUNG)]
    assert len(walked) >= 39
    assert set(walked) == {0}
    assert gc.get_freeze_count() >= len(kept)


def test_cyclic_garbage_that_goes_soon_is_found() -> None:
    class Cyclic:
        def __init__(self) -> None:
            self.me = self

    with spared():
        gone = weakref.ref(Cyclic())
        kept = [[number] for number in range(2 * YOUNG)]
        assert gone() is None
    assert kept


def test_several_at_once_end_with_the_last() -> None:
    before = gc.get_threshold()
    with spared():
        with spared():
            inner = gc.get_threshold()
        assert gc.get_threshold() == inner != before
    assert gc.get_threshold() == before


def test_it_ends_with_an_error_too() -> None:
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="no"), spared():
        raise ValueError("no")
    assert gc.get_threshold() == before
