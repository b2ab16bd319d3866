"""Effects: not yet, lanes, and what is said of one that may have been performed before."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from libs.runtime.lanes import LANE, Lanes
from libs.runtime.performing import Performing
from libs.runtime.service import Intent, NotYet

PATIENCE_S = 60


class Desk:
    """Performs what a test says, and tells when something arrived."""

    def __init__(self, answers: dict[str, list[Any]]) -> None:
        self.answers = answers
        self.asked: list[Intent] = []
        self.open = True
        self.arrived = asyncio.Event()
        self.performing = Performing(
            self._perform,
            Lanes(),
            lambda: datetime.now(UTC),
            lambda key: self.open,
            self.arrived.set,
        )

    async def _perform(self, intent: Intent) -> Any:
        self.asked.append(intent)
        answer = self.answers[intent.key].pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return {}
        return answer

    async def outcome(self) -> None:
        await asyncio.wait_for(self.arrived.wait(), PATIENCE_S)

    async def outcomes(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.performing.outcomes(number)) < number:
                self.arrived.clear()
                await self.arrived.wait()


async def test_what_is_not_yet_there_is_asked_for_again() -> None:
    desk = Desk({"a": [NotYet(0.001), NotYet(0.001), {"done": True}]})
    desk.performing.begin([Intent("a", {})])
    await desk.outcome()
    assert [one.result for one in desk.performing.outcomes(10)] == [{"done": True}]
    assert len(desk.asked) == 3
    assert not any(one.again for one in desk.asked)


async def test_what_broke_is_told_that_it_may_have_been_performed(monkeypatch: Any) -> None:
    monkeypatch.setattr("libs.runtime.performing.AGAIN_S", 0.001)
    desk = Desk({"a": [ValueError("broke"), {"done": True}]})
    desk.performing.begin([Intent("a", {})])
    await desk.outcome()
    assert [one.again for one in desk.asked] == [False, True]


async def test_a_full_lane_holds_up_no_other() -> None:
    stuck = asyncio.Event()
    slow = [Intent(f"slow {number}", {}, lane="slow") for number in range(LANE + 1)]
    desk = Desk({one.key: [stuck] for one in slow} | {"other": [{}], "free": [{}]})
    desk.performing.begin([*slow, Intent("other", {}, lane="other"), Intent("free", {})])
    await desk.outcome()
    asked = [one.key for one in desk.asked]
    assert "other" in asked
    assert "free" in asked
    assert slow[-1].key not in asked
    await desk.performing.stop()


async def test_those_who_do_not_answer_leave_room_for_those_who_do() -> None:
    stuck = asyncio.Event()
    hung = [Intent(f"{lane}/{number}", {}, lane=f"hung {lane}") for lane in range(20) for number in range(LANE)]
    well = [Intent(f"well {number}", {}, lane="well") for number in range(100)]
    desk = Desk({one.key: [stuck] for one in hung} | {one.key: [{}] for one in well})
    desk.performing.begin(hung)
    for _ in range(3):
        await asyncio.sleep(0)
    desk.performing.begin(well)
    await desk.outcomes(len(well))
    assert {one.key for one in desk.performing.outcomes(1_000)} == {one.key for one in well}
    await desk.performing.stop()


async def test_what_closed_while_it_waited_for_its_turn_is_not_performed() -> None:
    stuck = asyncio.Event()
    slow = [Intent(f"slow {number}", {}, lane="slow") for number in range(LANE + 1)]
    desk = Desk({one.key: [stuck] for one in slow})
    desk.performing.begin(slow)
    await asyncio.sleep(0)
    desk.open = False
    stuck.set()
    await desk.outcome()
    await desk.performing.stop()
    assert slow[-1].key not in [one.key for one in desk.asked]


@pytest.mark.parametrize(
    "said, kept",
    [("a\x00b", "a\ufffdb"), ("\\u0000", "\\u0000"), ("\\\x00\x00", "\\\ufffd\ufffd"), ("\\\\u0000\x00", "\\\\u0000\ufffd")],
)
async def test_what_the_log_can_not_hold_is_no_part_of_an_outcome(said: str, kept: str) -> None:
    desk = Desk({"a": [{"said": said, said: [said]}]})
    desk.performing.begin([Intent("a", {})])
    await desk.outcome()
    assert [one.result for one in desk.performing.outcomes(10)] == [{"said": kept, kept: [kept]}]


@pytest.mark.parametrize("late", [NotYet(0.0), ValueError("lost its connection as it was told to end")])
async def test_an_effect_that_makes_something_else_of_its_end_is_not_begun_again_after_the_stop(
    late: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("libs.runtime.performing.AGAIN_S", 0.0)
    under_way = asyncio.Event()
    begun: list[str] = []

    async def perform(intent: Intent) -> Any:
        begun.append(intent.key)
        under_way.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if isinstance(late, Exception):
                raise late from None
        return late

    performing = Performing(perform, Lanes(), lambda: datetime.now(UTC), lambda key: True, lambda: None)
    performing.begin([Intent("a", {})])
    await under_way.wait()
    await performing.stop()
    for _ in range(5):
        await asyncio.sleep(0)
    assert begun == ["a"], "its intent is taken up in the next life"
    performing.begin([Intent("b", {})])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert begun == ["a", "b"]
    await performing.stop()
