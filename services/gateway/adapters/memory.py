"""The read tables in memory: for tests, and the plain model that the Postgres ones are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from contracts.shapes import Json
from services.gateway.narrowing import Needs
from services.gateway.rows import FIELDS, Change, Delete, DeleteWhere, Merge, Put, Table
from services.gateway.store import BY_AGE, Batch, Cursor, Order, Page, ResourceSearch, Series

_Row = tuple[int, Json]
_Dated = tuple[tuple[str, int, str], Json]


def _text(doc: Json, field: str) -> str:
    value = doc.get(field)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class MemoryRows:
    """Both sides of the store: a `ReadStore` and a `Sink`."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, Table], dict[str, _Row]] = {}
        self._checkpoints: dict[str, int] = {}

    # --- writing ---------------------------------------------------------------------------------------------------------------

    async def lead(self) -> bool:
        """There is nobody else."""
        return True

    async def close(self) -> None:
        """Nothing is held."""

    async def checkpoint(self, workspace_id: str) -> int:
        """See `ReadStore.checkpoint`."""
        return self._checkpoints.get(workspace_id, 0)

    async def apply(self, workspace_id: str, old: int, new: int, changes: Sequence[Change]) -> bool:
        """See `Sink.apply`; one change after the other."""
        if self._checkpoints.get(workspace_id, 0) != old:
            return False
        for change in changes:
            self._change(workspace_id, change)
        self._checkpoints[workspace_id] = new
        return True

    def _change(self, workspace_id: str, change: Change) -> None:
        patch = change.patch
        rows = self._tables.setdefault((workspace_id, patch.table), {})
        match patch:
            case Put():
                since = rows[patch.id][0] if patch.id in rows else change.position
                rows[patch.id] = (since, dict(patch.doc))
            case Merge():
                since, known = rows.get(patch.id, (change.position, {}))
                rows[patch.id] = (since, {**patch.first, **known, **patch.doc})
            case Delete():
                rows.pop(patch.id, None)
            case DeleteWhere():
                assert patch.field in FIELDS[patch.table]
                for row_id in [one for one, (_, doc) in rows.items() if _text(doc, patch.field) == patch.value]:
                    del rows[row_id]

    # --- reading ---------------------------------------------------------------------------------------------------------------

    def dump(self, workspace_id: str) -> dict[tuple[Table, str], _Row]:
        """Every row, for comparison."""
        return {
            (table, row_id): row
            for (ws, table), rows in self._tables.items()
            if ws == workspace_id
            for row_id, row in rows.items()
        }

    def _rows(self, workspace_id: str, table: Table) -> dict[str, _Row]:
        return self._tables.get((workspace_id, table), {})

    async def get(self, workspace_id: str, table: Table, row_id: str) -> Json | None:
        """See `ReadStore.get`."""
        found = self._rows(workspace_id, table).get(row_id)
        return dict(found[1]) if found is not None else None

    async def holders(self, table: Table, row_id: str) -> list[str]:
        """See `ReadStore.holders`."""
        return sorted(ws for (ws, of), rows in self._tables.items() if of == table and row_id in rows)

    async def holders_of(self, table: Table, field: str, value: str) -> list[str]:
        """See `ReadStore.holders_of`."""
        assert field in FIELDS[table]
        held = (
            (ws, any(_text(doc, field) == value for _, doc in rows.values()))
            for (ws, of), rows in self._tables.items()
            if of == table
        )
        return sorted(ws for ws, has in held if has)

    async def many(self, workspace_id: str, table: Table, row_ids: Sequence[str]) -> dict[str, Json]:
        """See `ReadStore.many`."""
        rows = self._rows(workspace_id, table)
        return {one: dict(rows[one][1]) for one in row_ids if one in rows}

    async def find(
        self,
        workspace_id: str,
        table: Table,
        *,
        where: Mapping[str, str] | None = None,
        order: Order = BY_AGE,
        limit: int | None = None,
        offset: int = 0,
    ) -> Page:
        """See `ReadStore.find`."""
        assert set(where or ()) <= FIELDS[table]
        found = [(row_id, row) for row_id, row in self._rows(workspace_id, table).items() if _holds(row[1], where)]
        found.sort(
            key=lambda one: ([_text(one[1][1], field) for field in order.fields], one[1][0], one[0]), reverse=order.descending
        )
        end = None if limit is None else offset + limit
        return Page([dict(row[1]) for _, row in found[offset:end]], len(found))

    async def scan(
        self,
        workspace_id: str,
        table: Table,
        *,
        where: Mapping[str, str] | None = None,
        needs: Needs = (),
        order: Order = BY_AGE,
        after: Cursor | None = None,
        limit: int,
    ) -> Batch:
        """See `ReadStore.scan`."""
        assert set(where or ()) <= FIELDS[table]
        found: list[tuple[Cursor, Json]] = [
            ((tuple(_text(doc, field) for field in order.fields), since, row_id), doc)
            for row_id, (since, doc) in self._rows(workspace_id, table).items()
            if _holds(doc, where)
        ]
        found.sort(key=lambda one: one[0], reverse=order.descending)
        if after is not None:
            found = [one for one in found if (one[0] < after if order.descending else one[0] > after)]
        part = found[:limit]
        return Batch([dict(doc) for _, doc in part], part[-1][0] if len(found) > limit else None)

    async def search_resources(self, workspace_id: str, search: ResourceSearch, *, limit: int, offset: int) -> Page:
        """See `ReadStore.search_resources`."""
        text = search.text.lower()

        def wanted(doc: Json) -> bool:
            return (
                all(not values or _text(doc, field) in values for field, values in search.any_of.items())
                and (text in _text(doc, "name").lower() or text in _text(doc, "identifier").lower())
                and search.metadata.items() <= doc["metadata"].items()
            )

        found = [(row_id, doc) for row_id, (_, doc) in self._rows(workspace_id, "resource").items() if wanted(doc)]
        found.sort(
            key=lambda one: (_text(one[1], search.sort_by), _text(one[1], "identifier"), one[0]), reverse=search.descending
        )
        return Page([dict(doc) for _, doc in found[offset : offset + limit]], len(found))

    async def among(self, workspace_id: str, table: Table, field: str, values: Sequence[str]) -> list[Json]:
        """See `ReadStore.among`."""
        assert field in FIELDS[table]
        wanted = set(values)
        found = [
            (row[0], row_id, row[1]) for row_id, row in self._rows(workspace_id, table).items() if _text(row[1], field) in wanted
        ]
        return [dict(doc) for _, _, doc in sorted(found, key=lambda one: one[:2])]

    async def newest(
        self, workspace_id: str, table: Table, field: str, values: Sequence[str], by: str, where: Mapping[str, str] | None = None
    ) -> dict[str, Json]:
        """See `ReadStore.newest`."""
        assert {field, *(where or ())} <= FIELDS[table]
        wanted = set(values)
        best: dict[str, tuple[tuple[str, int, str], Json]] = {}
        for row_id, (since, doc) in self._rows(workspace_id, table).items():
            value = _text(doc, field)
            if value in wanted and _holds(doc, where):
                rank = (_text(doc, by), since, row_id)
                if value not in best or best[value][0] < rank:
                    best[value] = (rank, doc)
        return {value: dict(doc) for value, (_, doc) in best.items()}

    async def measured(self, workspace_id: str, wanted: Series, *, limit: int, offset: int = 0) -> Page:
        """See `ReadStore.measured`."""
        left = [
            {key: value for key, value in doc.items() if key not in wanted.without}
            for _, doc in self._measured(workspace_id, wanted)
        ]
        return Page(left[offset : offset + limit], len(left))

    async def last_measured(self, workspace_id: str, of: Sequence[str], *, limit: int) -> list[Json]:
        """See `ReadStore.last_measured`."""
        return [dict(doc) for _, doc in self._measured(workspace_id, Series(of))[-limit:]]

    def _measured(self, workspace_id: str, wanted: Series) -> list[_Dated]:
        found: list[_Dated] = []
        for series in dict.fromkeys(wanted.of):
            rows = [
                ((_text(doc, "measuredAt"), since, row_id), doc)
                for row_id, (since, doc) in self._rows(workspace_id, "measurement").items()
                if _text(doc, "$series") == series and _is_within(_text(doc, "measuredAt"), wanted)
            ]
            found += _spread(sorted(rows, key=lambda one: one[0]), wanted.points)
        return sorted(found, key=lambda one: one[0])

    async def targets(self, workspace_id: str, pair: str, *, limit: int, offset: int) -> Page:
        """See `ReadStore.targets`."""
        resources = self._rows(workspace_id, "resource")
        targets = [doc for _, doc in self._rows(workspace_id, "target").values()]
        found = [
            (_text(resources[doc["resourceId"]][1], "identifier"), doc["resourceId"], doc)
            for doc in targets
            if _holds(doc, {"$pair": pair, "$gone": "false"}) and doc["resourceId"] in resources
        ]
        found.sort(key=lambda one: one[:2])
        return Page([dict(doc) for _, _, doc in found[offset : offset + limit]], len(found))


def _is_within(at: str, wanted: Series) -> bool:
    return (wanted.begin is None or wanted.begin <= at) and (wanted.end is None or at < wanted.end)


def _spread(rows: list[_Dated], points: int | None) -> list[_Dated]:
    """The last one of each of so many equal parts."""
    if points is None or len(rows) <= points:
        return rows
    of = len(rows)
    return [row for place, row in enumerate(rows) if (place + 1) * points // of != place * points // of]


def _holds(doc: Json, where: Mapping[str, str] | None) -> bool:
    wanted: Iterable[tuple[str, str]] = where.items() if where else ()
    return all(_text(doc, field) == value for field, value in wanted)
