"""Which version a person chose for a target, or for all targets of a deployment in an environment, until they release it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from immutables import Map

from contracts.facts.planner import PinReleased, VersionPinned
from services.planner.history import past_key

Pins = Map[str, Map[str, str]]
"""The pinned version, by deployment and environment (`past_key`), then by resource id; under `WHOLE` that of all targets there."""

WHOLE: Final = ""
NO_PINS: Final[Map[str, str]] = Map()


def pin_of(pins: Pins, deployment_id: str, environment_id: str, resource_id: str | None) -> str | None:
    """The version of exactly this pin: a target's own, or with None that of all targets."""
    return pins.get(past_key(deployment_id, environment_id), NO_PINS).get(resource_id or WHOLE)


def held_to(pins: Pins, deployment_id: str, environment_id: str, resource_id: str) -> str | None:
    """The version that a target is held to: its own pin comes before that of all targets. None when it takes any."""
    of_pair = pins.get(past_key(deployment_id, environment_id), NO_PINS)
    return of_pair.get(resource_id) or of_pair.get(WHOLE)


def changed(pins: Pins, fact: VersionPinned | PinReleased) -> Pins:
    """The pins after one was set or released."""
    key, scope = past_key(fact.deployment_id, fact.environment_id), fact.resource_id or WHOLE
    of_pair = pins.get(key, NO_PINS)
    if isinstance(fact, VersionPinned):
        return pins.set(key, of_pair.set(scope, fact.version_id))
    return _put(pins, key, of_pair.delete(scope)) if scope in of_pair else pins


def without_resource(pins: Pins, resource_id: str, keys: Iterable[str]) -> Pins:
    """Forget a resource that was deleted; its id never returns. `keys` are of the pairs in which it may be pinned."""
    for key in keys:
        of_pair = pins.get(key, NO_PINS)
        if resource_id in of_pair:
            pins = _put(pins, key, of_pair.delete(resource_id))
    return pins


def pairs_with(pins: Pins, entity_id: str) -> list[str]:
    """Keys of the pairs of a deployment or an environment in which anything is pinned, sorted."""
    return sorted(key for key in pins if entity_id in key.split("/"))


def _put(pins: Pins, key: str, of_pair: Map[str, str]) -> Pins:
    if of_pair:
        return pins.set(key, of_pair)
    return pins.delete(key) if key in pins else pins
