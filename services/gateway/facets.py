"""What there is among resources to filter by: kinds, providers, metadata keys and their values, with how many have them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from contracts.shapes import Json

MOST_KEYS: Final = 200
MOST_VALUES: Final = 50
"""That are told of one key; a key such as a serial number has one for each resource."""
MOST_PATHS: Final = 200
_COUNTED: Final = 2_000
"""Different values of one key that are counted; what comes after is only said to be there."""
_COUNTED_IN_ALL: Final = 200_000
"""The same of all keys together."""
_KEYS: Final = 5_000
"""Different keys, and paths, that are counted; those that come after are not told of."""
_LONG: Final = 200
"""Characters of a value that nobody picks from a list; it is only said to be there."""
_DEPTH: Final = 3


class Facets:
    """Counts resources as they come."""

    def __init__(self) -> None:
        self.total = 0
        self._of: dict[str, Counter[str]] = {"kind": Counter(), "version": Counter(), "providerId": Counter()}
        self._metadata: dict[str, Counter[str]] = {}
        self._having: Counter[str] = Counter()
        self._uncounted: set[str] = set()
        self._paths: Counter[str] = Counter()
        self._values = 0

    def add(self, resources: Iterable[Json]) -> None:
        """Count some more."""
        # Most have the same values as others: these are counted together first, which is several times as quick.
        pairs: Counter[tuple[str, str]] = Counter()
        for one in resources:
            self.total += 1
            for key, counts in self._of.items():
                if one.get(key):
                    counts[one[key]] += 1
            pairs.update(one["metadata"].items())
            for path in _paths(one["config"], "config", _DEPTH):
                _count(self._paths, path, 1, _KEYS)
        for (key, value), count in pairs.items():
            if not _count(self._having, key, count, _KEYS):
                continue
            counts = self._metadata.setdefault(key, Counter())
            before = len(counts)
            room = min(_COUNTED, before + _COUNTED_IN_ALL - self._values)
            if len(value) > _LONG or not _count(counts, value, count, room):
                self._uncounted.add(key)
            self._values += len(counts) - before

    def told(self, providers: dict[str, Json]) -> Json:
        """All of it, what most have first.

        Args:
            providers: rows by id, for their names.
        """
        return {
            "total": self.total,
            "kinds": _values(self._of["kind"], MOST_VALUES),
            "versions": _values(self._of["version"], MOST_VALUES),
            "providers": [
                {"id": id_, "name": providers[id_]["name"], "count": count}
                for id_, count in _ordered(self._of["providerId"])
                if id_ in providers
            ],
            "metadata": [
                {
                    "key": key,
                    "count": count,
                    "values": _values(self._metadata[key], MOST_VALUES),
                    "more": key in self._uncounted or len(self._metadata[key]) > MOST_VALUES,
                }
                for key, count in _ordered(self._having)[:MOST_KEYS]
            ],
            "paths": sorted(path for path, _ in _ordered(self._paths)[:MOST_PATHS]),
        }

    @property
    def provider_ids(self) -> list[str]:
        """Whose names are needed."""
        return sorted(self._of["providerId"])


def _count(counts: Counter[str], what: str, count: int, most: int) -> bool:
    """Count something; False where it would be one thing too many, so that whatever is there takes no more room."""
    if what not in counts and len(counts) >= most:
        return False
    counts[what] += count
    return True


def _ordered(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _values(counts: Counter[str], most: int) -> list[Json]:
    return [{"value": value, "count": count} for value, count in _ordered(counts)[:most]]


def _paths(value: Json, before: str, depth: int) -> Iterator[str]:
    """Where something is in a configuration, as an expression would name it."""
    for key, below in value.items():
        path = f"{before}.{key}" if key.isidentifier() else f'{before}["{key}"]'
        if isinstance(below, dict) and below and depth > 1:
            yield from _paths(below, path, depth - 1)
        else:
            yield path
