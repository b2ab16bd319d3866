"""Commands about different things are decided on one state and appended together; each keeps its own decision, answer and fate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import hypothesis
import hypothesis.strategies as st
import pytest

from contracts.command import Answer, Request
from contracts.commands.inventory import DeleteProvider, SaveProvider
from libs.eventlog.port import Append, Appended, LogUnavailable
from libs.runtime import commands
from libs.runtime.audit import redecide
from libs.runtime.service import Command, Decided, Service
from libs.simulation.world import WORKSPACE
from tests.unit.runtime.counter import Counted, delete, save, service
from tests.unit.runtime.flaky import FlakyLog, hosted, id_of, names, queue_of


def _name(wish: SaveProvider | DeleteProvider, state: Counted) -> str:
    return wish.name


together = replace(
    service,
    commands={
        "save_provider": Command(SaveProvider, save, _name),
        "delete_provider": Command(DeleteProvider, delete),
    },
)
"""Providers are told apart by their names; a deletion is decided alone."""


class Grouping(FlakyLog):
    """Notes how many appends came together."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[int] = []

    async def append_all(self, requests: Sequence[Append]) -> list[Appended | Exception]:
        self.groups.append(len(requests))
        return await super().append_all(requests)


async def _ask_all(
    log: FlakyLog, *wishes: SaveProvider | DeleteProvider, ids: str = "", of: Service[Counted] = together
) -> list[Answer]:
    """The answers of commands that come at the same time; `ids` names their ids, one letter each."""
    async with hosted(log, of=of) as host:
        queue = queue_of(host)
        await queue.ready.wait()
        requests = [
            Request(id=id_of(ids[n] if ids else n), workspace_id=WORKSPACE, auth_id="user:ana") for n in range(len(wishes))
        ]
        asked = [host.answer(wish, request) for wish, request in zip(wishes, requests, strict=True)]
        return list(await asyncio.wait_for(asyncio.gather(*asked), 60))


def _saves(*names: str) -> list[SaveProvider]:
    return [SaveProvider(name=name) for name in names]


async def test_commands_about_different_things_are_appended_together() -> None:
    log = Grouping()
    answers = await _ask_all(log, *_saves("a", "b", "c"))
    assert [one.result for one in answers] == [{"id": id_of(n)} for n in range(3)]
    assert [one.position for one in answers] == [1, 2, 3]
    assert await names(log) == ["a", "b", "c"]
    assert max(log.groups) == 3


async def test_commands_about_one_thing_are_decided_one_after_the_other() -> None:
    log = FlakyLog()
    first, second, other = await _ask_all(log, *_saves("a", "a", "b"))
    assert first.refusal is None
    assert other.refusal is None
    assert second.refusal is not None
    assert second.refusal.code == "DUPLICATE_NAME"
    assert await names(log) == ["a", "b"]


async def test_a_command_that_is_decided_alone_sees_what_came_before_it() -> None:
    log = FlakyLog()
    answers = await _ask_all(
        log, SaveProvider(name="a"), SaveProvider(name="b"), DeleteProvider(name="b"), SaveProvider(name="b")
    )
    assert [one.refusal for one in answers] == [None] * 4
    assert await names(log) == ["a", "b", "b"]


async def test_no_more_than_so_many_are_decided_in_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "TOGETHER", 2)
    log = Grouping()
    await _ask_all(log, *_saves("a", "b", "c", "d", "e"))
    assert max(log.groups) == 2
    assert await names(log) == ["a", "b", "c", "d", "e"]


async def test_every_decision_of_them_would_be_made_again() -> None:
    log = FlakyLog()
    await _ask_all(log, *_saves("a", "b", "twin:c"))
    count, differences = await redecide(log, together, WORKSPACE)
    assert (count, differences) == (4, [])


async def test_a_repeated_command_gets_its_first_answer_and_spoils_no_other() -> None:
    log = FlakyLog()
    # The second is decided as if it were new, because nothing in the state says otherwise: the log knows it.
    answers = await _ask_all(log, *_saves("a", "b", "c"), ids="xxy")
    assert [one.result["id"] for one in answers] == [id_of("x"), id_of("x"), id_of("y")]
    assert await names(log) == ["a", "c"]


async def test_one_that_can_not_be_stored_spoils_no_other() -> None:
    log = FlakyLog()
    good, bad, other = await _ask_all(log, *_saves("a", "nul\x00", "c"))
    assert bad.refusal is not None
    assert bad.refusal.code == "NOT_STORABLE"
    assert (good.refusal, other.refusal) == (None, None)
    assert await names(log) == ["a", "c"]


async def test_one_whose_condition_fails_is_decided_again_with_those_after_it() -> None:
    log = FlakyLog()
    log.faults = ["", "race"]  # somebody closes in between, which the second one rests on
    answers = await _ask_all(log, *_saves("a", "guarded", "c"))
    assert [one.refusal for one in answers] == [None] * 3
    assert sorted(await names(log)) == ["a", "c", "foreign", "guarded"]


@pytest.mark.parametrize(
    "faults", [["before"], ["after"], ["", "before"], ["", "after"], ["", "", "after"], ["before", "", "after"]]
)
async def test_appends_of_unknown_fate_happen_once(faults: list[str]) -> None:
    log = FlakyLog()
    log.faults = list(faults)
    answers = await _ask_all(log, *_saves("a", "b", "c"))
    assert [one.result for one in answers] == [{"id": id_of(n)} for n in range(3)]
    assert sorted(await names(log)) == ["a", "b", "c"]


class Lost(FlakyLog):
    """The connection breaks with the first group of appends under way, after or before they took place."""

    def __init__(self, *, kept: bool) -> None:
        super().__init__()
        self._kept = kept
        self._broken = False

    async def append_all(self, requests: Sequence[Append]) -> list[Appended | Exception]:
        if self._broken:
            return await super().append_all(requests)
        self._broken = True
        for one in requests if self._kept else ():
            await self.append_untold(one)
        return [LogUnavailable("connection lost") for _ in requests]


@pytest.mark.parametrize("kept", [True, False])
async def test_a_group_of_unknown_fate_happens_once(kept: bool) -> None:
    log = Lost(kept=kept)
    answers = await _ask_all(log, *_saves("a", "b", "c"))
    assert [one.result for one in answers] == [{"id": id_of(n)} for n in range(3)]
    assert await names(log) == ["a", "b", "c"]


class Usurped(FlakyLog):
    """The connection breaks with the first group under way, of which another owner was asked the last one: it stands where we would."""

    def __init__(self) -> None:
        super().__init__()
        self._broken = False

    async def append_all(self, requests: Sequence[Append]) -> list[Appended | Exception]:
        if self._broken:
            return await super().append_all(requests)
        self._broken = True
        for one in requests[:-1]:
            assert one.move is not None
            await self.usurp(one.move, b'{"trigger":{"kind":"other"}}')
        await self.append_untold(requests[-1])
        return [LogUnavailable("connection lost") for _ in requests]


async def test_nobody_is_told_of_what_another_owner_did_instead() -> None:
    quiet = Command(DeleteProvider, lambda wish, state, asked: Decided(answer={"id": wish.name}), _name)
    log = Usurped()
    of = replace(together, commands={**together.commands, "delete_provider": quiet})
    saved, deleted = await _ask_all(log, SaveProvider(name="a"), DeleteProvider(name="b"), of=of)
    assert (saved.result, deleted.result) == ({"id": id_of(0)}, {"id": "b"})
    assert await names(log) == ["usurped", "a"]


async def test_who_has_gone_away_is_forgotten_also_while_nobody_can_be_answered() -> None:
    async with hosted(FlakyLog(), of=together) as host:
        waiting = queue_of(host)._commands
        request = Request(id=id_of(0), workspace_id=WORKSPACE, auth_id="user:ana", min_position=5)
        waiting.add(SaveProvider(name="a"), request).cancel()
        still = waiting.add(SaveProvider(name="b"), request)
        assert not await waiting.answer_next()
        assert [one.answered for one in waiting._waiting] == [still]


async def test_another_owner_in_the_middle_makes_the_state_be_loaded_again() -> None:
    log = FlakyLog()
    log.faults = ["", "usurped"]
    answers = await _ask_all(log, *_saves("a", "b", "usurped"))
    assert [one.refusal is None for one in answers] == [True, True, False]
    assert sorted(await names(log)) == ["a", "b", "usurped"]


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(
    wishes=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=8),
    faults=st.lists(st.sampled_from(["", "before", "after", "race"]), max_size=4).filter(lambda faults: faults.count("race") < 2),
)
def test_each_thing_is_as_if_its_commands_had_come_alone(wishes: list[tuple[str, bool]], faults: list[str]) -> None:
    async def told() -> None:
        log = FlakyLog()
        log.faults = list(faults)
        answers = await _ask_all(log, *(SaveProvider(name=n) if saves else DeleteProvider(name=n) for n, saves in wishes))
        assert all(one.unavailable is None for one in answers)
        there = dict.fromkeys("abc", 0)
        for (name, saves), answer in zip(wishes, answers, strict=True):
            if answer.refusal is None:
                there[name] += 1 if saves else -1
        assert set(there.values()) <= {0, 1}
        assert (await redecide(log, together, WORKSPACE))[1] == []

    asyncio.run(told())
