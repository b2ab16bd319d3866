"""The room: folding, rounds, timers, intents, and ids that are the same when a decision is made again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from contracts.command import Asked, Refused
from contracts.commands.inventory import DeleteProvider, SaveProvider
from contracts.envelope import Recorded
from contracts.facts.inventory import ProviderDeleted, ProviderSaved
from libs.eventlog.port import Checkpoint
from libs.runtime.room import Room
from libs.simulation.world import START, WORKSPACE, World, refold
from tests.unit.runtime.counter import Counted, Mortal, service

VERSION = "22222222-2222-4222-8222-222222222222"


def world() -> World:
    return World([service], {"inventory": lambda intent, now: {"by": "outside"}})


def test_a_command_is_recorded_with_its_envelope() -> None:
    here = world()
    answer = here.do(SaveProvider(name="a"), id=VERSION, by="user:bo")
    (one,) = here.log
    assert answer == {"id": VERSION}
    assert (one.position, one.auth_id, one.causation_id, one.correlation_id) == (1, "user:bo", VERSION, VERSION)
    assert one.traceparent.split("-")[1] == VERSION.replace("-", "")


def test_a_refusal_records_nothing() -> None:
    here = world()
    here.do(SaveProvider(name="a"))
    with pytest.raises(Refused, match="a is there"):
        here.do(SaveProvider(name="a"))
    assert len(here.log) == 1


def test_what_follows_from_a_fact_names_it_as_its_cause() -> None:
    here = world()
    here.do(SaveProvider(name="twin:b"))
    first, second = here.log
    assert second.causation_id == first.id
    assert second.correlation_id == first.correlation_id
    assert second.auth_id == "service:inventory"


def test_a_timer_fires_at_its_instant_and_once() -> None:
    here = world()
    here.do(SaveProvider(name="mortal"))
    here.advance(9.9)
    assert here.facts(ProviderDeleted) == []
    here.advance(60)
    assert len(here.facts(ProviderDeleted)) == 1
    assert here.log[-1].time == START + timedelta(seconds=10)


def test_a_timer_whose_reason_is_gone_does_not_fire() -> None:
    here = world()
    here.do(SaveProvider(name="mortal"))
    here.do(DeleteProvider(name="mortal"))
    here.advance(60)
    assert len(here.facts(ProviderDeleted)) == 1


def test_an_effect_is_settled_by_its_outcome() -> None:
    here = world()
    here.do(SaveProvider(name="call"))
    assert [fact.provider_id for fact in here.facts(ProviderDeleted)] == ["outside"]


def test_after_a_crash_timers_and_intents_are_there_again() -> None:
    here = World([service])
    here.do(SaveProvider(name="mortal"))
    here.do(SaveProvider(name="call"))
    again = Room(service, WORKSPACE)
    again.reset(service.initial(WORKSPACE), 0, here.room("inventory").stored)
    again.fold(here.log)
    assert again.next_due() == START + timedelta(seconds=10)
    assert [intent.key for intent in again.take_opened()] == ["call"]
    assert again.state == here.room("inventory").state == refold(service, here.log)


@pytest.mark.parametrize("moved", [True, False])
def test_an_intent_of_an_earlier_life_may_have_been_performed(moved: bool) -> None:
    """Also where that life did not come to move its checkpoint past what it recorded: it is killed over the effect, most likely."""
    here = World([service])
    here.do(SaveProvider(name="call"))
    stored = here.room("inventory").stored
    assert stored.position < here.log[-1].position
    again = Room(service, WORKSPACE)
    again.reset(service.initial(WORKSPACE), 0, Checkpoint(here.log[-1].position, stored.sequence + 1) if moved else stored)
    again.fold(())
    again.fold(here.log)
    assert [(intent.key, intent.again) for intent in again.take_opened()] == [("call", True)]


def test_an_intent_that_another_owner_recorded_may_have_been_performed() -> None:
    here = World([service])
    here.do(SaveProvider(name="call"))
    other = Room(service, WORKSPACE)
    other.fold(())
    other.fold(here.log)
    assert [(intent.key, intent.again) for intent in other.take_opened()] == [("call", True)]


def test_an_intent_that_was_just_recorded_was_not_performed_before() -> None:
    asked: set[tuple[str, bool]] = set()
    here = World([service], {"inventory": lambda intent, now: asked.add((intent.key, intent.again))})
    here.do(SaveProvider(name="call"))
    assert asked == {("call", False)}


def test_facts_that_were_decided_on_before_a_crash_are_not_decided_on_again() -> None:
    here = world()
    here.do(SaveProvider(name="twin:b"))
    here.do(DeleteProvider(name="b"))
    again = Room(service, WORKSPACE)
    again.reset(service.initial(WORKSPACE), 0, here.room("inventory").stored)
    again.fold(here.log)
    assert again.react(here.now) is None


def test_facts_after_the_checkpoint_are_decided_on_and_give_the_same_ids() -> None:
    here = world()
    here.do(SaveProvider(name="twin:b"))
    derived = here.log[1]
    again = Room(service, WORKSPACE)
    again.reset(service.initial(WORKSPACE), 0, Checkpoint(0, 1))
    again.fold(here.log[:1])
    round_ = again.react(here.now)
    assert round_ is not None
    assert [new.id for new in round_.append.facts] == [derived.id]


def test_a_gap_is_never_folded() -> None:
    here = world()
    here.do(SaveProvider(name="a"))
    here.do(SaveProvider(name="b"))
    with pytest.raises(AssertionError, match="at 0 was given"):
        Room(service, WORKSPACE).fold(here.log[1:])


def test_a_command_between_facts_and_their_reaction_loses_neither() -> None:
    here = world()
    here.ask(SaveProvider(name="twin:b"))
    room = here.room("inventory")
    assert len(room.pending) == 1
    round_ = room.command(SaveProvider(name="c"), Asked(id=VERSION, workspace_id=WORKSPACE, auth_id="user:a", now=here.now))
    move = round_.append.move
    assert move is not None
    assert move.new == Checkpoint(0, move.old.sequence + 1)
    here.run()
    assert [fact.name for fact in here.facts(ProviderSaved)] == ["twin:b", "b"]


def test_timers_that_move_do_not_fill_the_memory() -> None:
    moving = {"soon": START}

    class Moving(Mortal):
        def touched(self, recorded: Recorded) -> Iterable[str]:
            return ("soon",)

        def at(self, state: Counted, key: str) -> datetime | None:
            return moving.get(key)

    here = World([replace(service, timers=Moving(), effects=None)])
    for number in range(3_000):
        moving["soon"] = START + timedelta(days=3_000 - number)
        here.ask(SaveProvider(name=f"n{number}"))
    room = here.room("inventory")
    assert len(room._due) < 1_100
    assert room.next_due() == START + timedelta(days=1)
