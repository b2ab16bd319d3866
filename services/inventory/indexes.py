"""Indexes over what the state keeps in maps: documents of resources by their fields, selectors by what they ask for.

An index is a cache. The state does not know of it, and no decision depends on whether it is there: it follows one very map from fold to
fold, by identity, and for a map that nobody followed it is built anew. So it is right after a restart, when old decisions are made again,
and for two histories side by side. It lives as long as its map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from weakref import ref

from immutables import Map

from contracts.shapes import Json
from libs.cel import DocumentIndex, ExpressionIndex, contexts
from libs.cel.problems import CelProblems
from libs.cel.program import Program

if TYPE_CHECKING:
    from services.inventory.state import Selector

V = TypeVar("V")
I = TypeVar("I")  # noqa: E741 (an index)


class Followed(Generic[V, I]):
    """One kind of index, over any number of maps.

    Args:
        make: an empty index.
        change: puts the value of a key into an index, in place of an older one; with None takes the key out if it is there.
    """

    def __init__(self, make: Callable[[], I], change: Callable[[I, str, V | None], None]) -> None:
        self._make = make
        self._change = change
        self._entries: dict[int, _Entry[V, I]] = {}

    def follow(self, before: Map[str, V], after: Map[str, V], key: str) -> None:
        """A map became another by a change of one key. Costs next to nothing; the index catches up when it is asked for."""
        # Taken out in one step: of two folds that go on from one map, one keeps the index and the other has it made.
        entry = self._entries.pop(id(before), None)
        if entry is not None and entry.map() is before:
            entry.changed[key] = None
            if len(entry.changed) <= len(after):
                self._keep(after, entry)

    def of(self, map_: Map[str, V]) -> I:
        """The index of a map. Valid until the next call; must not be changed."""
        entry = self._entries.pop(id(map_), None)
        if entry is None or entry.map() is not map_ or len(entry.changed) * 2 > len(map_):
            entry = _Entry(self._make())
            for key, value in map_.items():
                self._change(entry.index, key, value)
        for key in entry.changed:
            self._change(entry.index, key, map_.get(key))
        entry.changed = {}
        self._keep(map_, entry)
        return entry.index

    def _keep(self, map_: Map[str, V], entry: _Entry[V, I]) -> None:
        entries, place = self._entries, id(map_)

        def forget(gone: ref[Map[str, V]]) -> None:
            kept = entries.get(place)
            if kept is not None and kept.map is gone:
                del entries[place]

        entry.map = ref(map_, forget)
        entries[place] = entry


class _Entry(Generic[V, I]):
    """An index, the map it follows, and the keys in which it is behind that map."""

    __slots__ = ("changed", "index", "map")

    map: ref[Map[str, V]]

    def __init__(self, index: I) -> None:
        self.index = index
        self.changed: dict[str, None] = {}


def program_of(source: str) -> Program | None:
    """The program of a selector; None for one that can not be compiled.

    Selectors are checked when they are saved. One that got past that opens nothing.
    """
    try:
        return contexts.SELECTOR.compile(source)
    except CelProblems:
        return None


def _put_document(index: DocumentIndex, key: str, document: Json | None) -> None:
    if document is None:
        index.remove(key)
    else:
        index.put(key, document)


def _put_selector(index: ExpressionIndex, key: str, selector: Selector | None) -> None:
    program = program_of(selector.source) if selector is not None else None
    if program is None:
        index.remove(key)
    else:
        index.put(key, program)


DOCUMENTS: Final = Followed[Json, DocumentIndex](DocumentIndex, _put_document)
SELECTORS: Final = Followed["Selector", ExpressionIndex](ExpressionIndex, _put_selector)
