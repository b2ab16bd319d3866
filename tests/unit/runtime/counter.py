"""A tiny service for tests of the runtime: it owns inventory's provider facts and counts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from immutables import Map

from contracts.command import Asked, Refused
from contracts.commands.inventory import DeleteProvider, SaveProvider
from contracts.envelope import Recorded
from contracts.facts.inventory import ProviderDeleted, ProviderSaved
from libs.eventlog.port import Condition
from libs.runtime.service import Command, Decided, Draft, Intent, Outcome, Service

LIFETIME = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Counted:
    """Providers by name with the time they were saved; `deleted` counts."""

    saved: Map[str, ProviderSaved] = Map()
    deleted: int = 0
    position: int = 0


def evolve(state: Counted, recorded: Recorded) -> Counted:
    state = replace(state, position=recorded.position)
    match recorded.fact:
        case ProviderSaved() as fact:
            return replace(state, saved=state.saved.set(fact.name, fact))
        case ProviderDeleted() as fact:
            return replace(state, saved=state.saved.delete(fact.name), deleted=state.deleted + 1)
        case other:
            raise AssertionError(f"not read: {other!r}")


def react(state: Counted, recorded: Sequence[Recorded], now: datetime) -> Sequence[Draft]:
    """A provider named `twin:X` begets a provider `X`."""
    return [
        Draft(ProviderSaved(provider_id="x", name=one.fact.name[5:], created_at=now), cause=one)
        for one in recorded
        if isinstance(one.fact, ProviderSaved) and one.fact.name.startswith("twin:") and one.fact.name[5:] not in state.saved
    ]


def save(wish: SaveProvider, state: Counted, asked: Asked) -> Decided:
    if wish.name in state.saved:
        raise Refused("conflict", f"{wish.name} is there", code="DUPLICATE_NAME")
    conditions = (Condition(("closed",), state.position),) if wish.name.startswith("guarded") else ()
    fact = ProviderSaved(provider_id=asked.id, name=wish.name, metadata=wish.metadata or {}, created_at=asked.now)
    return Decided((Draft(fact, conditions=conditions),), {"id": asked.id})


def delete(wish: DeleteProvider, state: Counted, asked: Asked) -> Decided:
    if wish.name not in state.saved:
        raise Refused("not_found", f"no provider {wish.name}")
    return Decided((Draft(ProviderDeleted(provider_id="x", name=wish.name)),), {"id": "x"})


class Mortal:
    """A provider whose name starts with `mortal` is deleted 10 s after it was saved."""

    def keys(self, state: Counted) -> Iterable[str]:
        return sorted(state.saved)

    def touched(self, recorded: Recorded) -> Iterable[str]:
        fact = recorded.fact
        return (fact.name,) if isinstance(fact, ProviderSaved | ProviderDeleted) else ()

    def at(self, state: Counted, key: str) -> datetime | None:
        fact = state.saved.get(key)
        return fact.created_at + LIFETIME if fact is not None and key.startswith("mortal") else None

    def fire(self, state: Counted, keys: Sequence[str], now: datetime) -> Sequence[Draft]:
        return [Draft(ProviderDeleted(provider_id="x", name=key)) for key in keys]


class Calls:
    """A provider whose name starts with `call` is deleted by the outcome of an effect."""

    def keys(self, state: Counted) -> Iterable[str]:
        return sorted(state.saved)

    def touched(self, recorded: Recorded) -> Iterable[str]:
        fact = recorded.fact
        return (fact.name,) if isinstance(fact, ProviderSaved | ProviderDeleted) else ()

    def intent(self, state: Counted, key: str) -> Intent | None:
        return Intent(key, {"name": key}) if key in state.saved and key.startswith("call") else None

    def settle(self, state: Counted, outcomes: Sequence[Outcome], now: datetime) -> Sequence[Draft]:
        return [Draft(ProviderDeleted(provider_id=str(one.result["by"]), name=one.key)) for one in outcomes]


service: Service[Counted] = Service(
    name="inventory",
    state_version=1,
    reads=frozenset({ProviderSaved.TYPE, ProviderDeleted.TYPE}),
    initial=lambda workspace_id: Counted(),
    evolve=evolve,
    react=react,
    commands={"save_provider": Command(SaveProvider, save), "delete_provider": Command(DeleteProvider, delete)},
    timers=Mortal(),
    effects=Calls(),
)
