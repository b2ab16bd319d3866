"""Where something is remembered of a resource, a past or a pin: enough to forget it without going through all pairs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from immutables import Map

from services.planner.history import NO_PASTS, Pasts
from services.planner.pins import NO_PINS, WHOLE, Pins

Whereabouts = Map[str, tuple[str, ...]]
"""For each resource with a past or a pin of its own: the keys of the pairs (`past_key`), sorted."""

NOWHERE: Final[Whereabouts] = Map()


def whereabouts(pasts: Pasts, pins: Pins) -> Whereabouts:
    """Of every resource, out of all pairs."""
    found: dict[str, list[str]] = {}
    for key in sorted({*pasts, *pins}):
        for one in dict.fromkeys((*pasts.get(key, NO_PASTS), *pins.get(key, NO_PINS))):
            if one != WHOLE:
                found.setdefault(one, []).append(key)
    return Map({one: tuple(keys) for one, keys in found.items()})


def after(where: Whereabouts, resource_ids: Iterable[str], key: str, pasts: Pasts, pins: Pins) -> Whereabouts:
    """As it is once pasts and pins of these resources changed in one pair; `WHOLE` among them is passed over."""
    with_past, with_pin = pasts.get(key, NO_PASTS), pins.get(key, NO_PINS)
    new = where.mutate()
    for one in resource_ids:
        known = new.get(one, ())
        remembered = one != WHOLE and (one in with_past or one in with_pin)
        if remembered == (key in known):
            continue
        if remembered:
            new[one] = tuple(sorted((*known, key)))
        elif len(known) > 1:
            new[one] = tuple([pair for pair in known if pair != key])
        else:
            del new[one]
    return new.finish()
