"""The order in which the targets of an environment follow one another in a rollout: scattered, yet the same at every reading."""

from __future__ import annotations

from typing import Final

from immutables import Map

from contracts.shapes import Target
from libs.runtime.kept import Kept
from services.policy.state import Pair

_BASIS: Final = 14695981039346656037
_PRIME: Final = 1099511628211
_MASK: Final = (1 << 64) - 1
_KEPT: Final = 128


def fnv1a(text: str, after: int = _BASIS) -> int:
    """FNV-1a, 64 bit, over the UTF-8 bytes of a text; `after` is the hash of what comes before it."""
    value = after
    for byte in text.encode():
        value = ((value ^ byte) * _PRIME) & _MASK
    return value


class _Order:
    """The order of one version over the targets of one pair; hashes are kept when targets come and go.

    Targets are sorted by the hash of target key and version, ties by key.
    """

    __slots__ = ("places", "ranks", "targets")

    def __init__(self) -> None:
        self.targets: Map[str, int] | None = None
        self.ranks: dict[str, tuple[int, str]] = {}
        self.places: dict[str, int] = {}


_orders: Kept[tuple[str, str, str], _Order] = Kept(_KEPT)
_keys: Kept[tuple[str, str], dict[str, tuple[int, str]]] = Kept(_KEPT)
"""By deployment and environment: key and its hash, of each target. Most of what is hashed is the same for every version."""


def places_of(pair: Pair, version_id: str) -> dict[str, int]:
    """The place, from 0, of every target of a pair in the rollout of a version. The caller must not change it."""
    key = (pair.deployment_id, pair.environment_id, version_id)
    order = _orders.get(key)
    if order is None:
        order = _orders.keep(key, _Order())
    if order.targets is not pair.targets:
        ranks = order.ranks
        keys = _keys_of(pair)
        order.ranks = {one: ranks.get(one) or (fnv1a(version_id, keys[one][0]), keys[one][1]) for one in pair.targets}
        ordered = sorted(order.ranks, key=order.ranks.__getitem__)
        order.places = {one: place for place, one in enumerate(ordered)}
        order.targets = pair.targets
    return order.places


class Places:
    """The place, from 0, of every target of a pair in the rollout of a version; found once anybody asks."""

    __slots__ = ("_pair", "_places", "_version_id")

    def __init__(self, pair: Pair, version_id: str) -> None:
        self._pair = pair
        self._version_id = version_id
        self._places: dict[str, int] | None = None

    def __getitem__(self, resource_id: str) -> int:
        if self._places is None:
            self._places = places_of(self._pair, self._version_id)
        return self._places[resource_id]


def _keys_of(pair: Pair) -> dict[str, tuple[int, str]]:
    place = (pair.deployment_id, pair.environment_id)
    keys = _keys.get(place)
    if keys is None or len(keys) > 2 * len(pair.targets):
        keys = _keys.keep(place, {})
    for one in pair.targets:
        if one not in keys:
            key = Target(one, pair.environment_id, pair.deployment_id).key
            keys[one] = (fnv1a(key), key)
    return keys
