"""The order in which the targets of an environment follow one another in a rollout: scattered, yet the same at every reading."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from immutables import Map

from contracts.shapes import Target
from services.policy.state import Pair

_BASIS: Final = 14695981039346656037
_PRIME: Final = 1099511628211
_MASK: Final = (1 << 64) - 1
_KEPT: Final = 128


def fnv1a(text: str) -> int:
    """FNV-1a, 64 bit, over the UTF-8 bytes of a text."""
    value = _BASIS
    for byte in text.encode():
        value = ((value ^ byte) * _PRIME) & _MASK
    return value


def rank_of(target: Target, version_id: str) -> tuple[int, str]:
    """What targets are sorted by: the hash of target key and version, ties by key."""
    key = target.key
    return (fnv1a(key + version_id), key)


class _Order:
    """The order of one version over the targets of one pair; hashes are kept when targets come and go."""

    __slots__ = ("places", "ranks", "targets")

    def __init__(self) -> None:
        self.targets: Map[str, int] | None = None
        self.ranks: dict[str, tuple[int, str]] = {}
        self.places: dict[str, int] = {}


_orders: OrderedDict[tuple[str, str, str], _Order] = OrderedDict()


def places_of(pair: Pair, version_id: str) -> dict[str, int]:
    """The place, from 0, of every target of a pair in the rollout of a version. The caller must not change it."""
    key = (pair.deployment_id, pair.environment_id, version_id)
    order = _orders.get(key)
    if order is None:
        order = _orders[key] = _Order()
        while len(_orders) > _KEPT:
            _orders.popitem(last=False)
    if order.targets is not pair.targets:
        ranks = order.ranks
        order.ranks = {
            one: ranks.get(one) or rank_of(Target(one, pair.environment_id, pair.deployment_id), version_id)
            for one in pair.targets
        }
        ordered = sorted(order.ranks, key=order.ranks.__getitem__)
        order.places = {one: place for place, one in enumerate(ordered)}
        order.targets = pair.targets
    return order.places
