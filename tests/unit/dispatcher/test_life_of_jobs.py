"""Whatever happens to jobs, in whatever order, and whenever we die: what was promised holds after every step."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from tests.unit.dispatcher.random_jobs import play, steps


@settings(max_examples=40, deadline=None)
@given(steps)
def test_nothing_twice_nothing_lost_nobody_forgotten(taken: list[tuple[str, Any, Any]]) -> None:
    play(taken)
