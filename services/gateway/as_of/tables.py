"""The read tables of a workspace as one value: what facts make of it, and how its rows are found. Pure.

A value is never changed, and a new one shares with the one before it whatever is the same in both, so that the tables of many positions
take little more room than those of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from immutables import Map

from contracts.envelope import Recorded
from contracts.shapes import Json
from libs.runtime.as_of import Fold
from libs.runtime.codec import derived
from services.gateway.readmodel import PROJECTED, patches_of
from services.gateway.rows import FIELDS, Change, Delete, DeleteWhere, Merge, Patch, Put, Table
from services.gateway.store import Where

Ids = Map[str, bool]
Index = dict[str, Map[str, Ids]]
"""The rows that have a text under a key: by key, then by text."""


class Row(NamedTuple):
    """A document, and the position of the fact that made the row. Whoever shows the document must copy what it changes."""

    since: int
    doc: dict[str, Any]


def text_of(doc: Json, key: str) -> str:
    """What stands under a key, as text; '' for what is absent."""
    value = doc.get(key)
    if type(value) is str:  # which nearly all are
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _indexed(held: Held) -> Index:
    """The index of a table that was read back."""
    found: dict[str, dict[str, dict[str, bool]]] = {key: {} for key in FIELDS[held.table]}
    for row_id, row in held.rows.items():
        for key, of in found.items():
            if text := text_of(row.doc, key):
                of.setdefault(text, {})[row_id] = True
    return {key: Map({text: Map(ids) for text, ids in of.items()}) for key, of in found.items()}


@dataclass(frozen=True, slots=True)
class Held:
    """One table.

    Attributes:
        index: by each key of `FIELDS`; rows that lack the key are in none. Never changed once it is here.
    """

    table: Table
    rows: Map[str, Row] = Map()
    index: Index = field(default_factory=dict, metadata=derived(_indexed))

    def having(self, where: Where | None) -> Iterator[tuple[str, Row]]:
        """The rows whose keys have these texts, in no order that is promised."""
        rows = self.rows
        if not where:
            return iter(rows.items())
        every = sorted((self._ids(key, wanted) for key, wanted in where.items()), key=len)
        least, others = every[0], every[1:]
        return ((one, rows[one]) for one in least if all(one in other for other in others))

    def _ids(self, key: str, wanted: str | tuple[str, ...]) -> Mapping[str, bool]:
        if isinstance(wanted, str):
            return self.ids(key, wanted)
        return {row_id: True for text in wanted for row_id in self.ids(key, text)}

    def ids(self, key: str, text: str) -> Mapping[str, bool]:
        """The ids of the rows that have a text under a key."""
        assert key in FIELDS[self.table], f"{self.table} has no index for {key}"
        if not text:
            return {row_id: True for row_id, row in self.rows.items() if not text_of(row.doc, key)}
        return self.index.get(key, _EMPTY).get(text, _NONE)

    def among(self, key: str, texts: Iterable[str]) -> Iterator[tuple[str, Row]]:
        """The rows that have one of the texts under a key, those of one text after those of the one before."""
        return ((one, self.rows[one]) for text in texts for one in self.ids(key, text))

    def put(self, row_id: str, row: Row, changed: Iterable[str] | None = None) -> Held:
        """With this row, in the place of the one that had its id.

        Args:
            changed: the keys under which it may have another text than that; any, when it is left out.
        """
        before = self.rows.get(row_id)
        index: Index | None = None
        fields = FIELDS[self.table]
        for key in fields if changed is None else fields.intersection(changed):
            text = text_of(row.doc, key)
            old = text_of(before.doc, key) if before is not None else ""
            if text != old:
                index = dict(self.index) if index is None else index
                of = _without(index.get(key, _EMPTY), old, row_id)
                index[key] = of.set(text, of.get(text, _NONE).set(row_id, True)) if text else of
        return Held(self.table, self.rows.set(row_id, row), self.index if index is None else index)

    def without(self, row_id: str) -> Held:
        """Without the row of this id, if there is one."""
        row = self.rows.get(row_id)
        if row is None:
            return self
        index = {key: _without(of, text_of(row.doc, key), row_id) for key, of in self.index.items()}
        return Held(self.table, self.rows.delete(row_id), index)


_NONE: Final[Ids] = Map()
_EMPTY: Final[Map[str, Ids]] = Map()


def _without(of: Map[str, Ids], text: str, row_id: str) -> Map[str, Ids]:
    """The part of an index of one key, where a row no longer has a text, if it ever had one."""
    if not text:
        return of
    left = of[text].delete(row_id)
    return of.set(text, left) if left else of.delete(text)


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables of a workspace; one without a row may be missing."""

    by_name: Map[str, Held] = Map()

    def of(self, table: Table) -> Held:
        """A table."""
        return self.by_name.get(table) or Held(table)

    def changed(self, position: int, patch: Patch) -> Tables:
        """After a patch of the fact at a position."""
        held = self.of(patch.table)
        match patch:
            case Put():
                known = held.rows.get(patch.id)
                held = held.put(patch.id, Row(known.since if known is not None else position, dict(patch.doc)))
            case Merge():
                known = held.rows.get(patch.id) or Row(position, {})
                row = Row(known.since, {**patch.first, **known.doc, **patch.doc})
                held = held.put(patch.id, row, {*patch.first, *patch.doc} if patch.first else patch.doc)
            case Delete():
                held = held.without(patch.id)
            case DeleteWhere():
                for row_id in tuple(held.ids(patch.field, patch.value)):
                    held = held.without(row_id)
        return Tables(self.by_name.set(patch.table, held))

    def after(self, change: Change) -> Tables:
        """After a change."""
        return self.changed(change.position, change.patch)

    def dump(self) -> dict[tuple[Table, str], Row]:
        """Every row, for comparison."""
        return {(held.table, row_id): row for held in self.by_name.values() for row_id, row in held.rows.items()}


def initial(workspace_id: str) -> Tables:
    """No rows."""
    return Tables()


def evolve(tables: Tables, recorded: Recorded) -> Tables:
    """After a fact. One that can not be shown changes nothing: the projector has left it out as well, and has told of it."""
    try:
        patches = patches_of(recorded)
    except Exception:  # noqa: BLE001 - whatever is wrong with one fact must not stop the others
        return tables
    for patch in patches:
        tables = tables.changed(recorded.position, patch)
    return tables


FOLD: Final[Fold[Tables]] = Fold(name="gateway.rows", state_version=3, reads=PROJECTED, initial=initial, evolve=evolve)
"""How the read tables follow from the log. The version is raised with whatever the read model makes of facts."""
