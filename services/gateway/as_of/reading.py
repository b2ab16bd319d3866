"""Reads the tables of a value as those of the database are read."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Final, TypeVar

from contracts.shapes import Json
from services.gateway.as_of.tables import Held, Row, Tables, text_of
from services.gateway.narrowing import Needs
from services.gateway.rows import FIELDS, Table
from services.gateway.store import BY_AGE, Batch, Cursor, Order, Page, ResourceSearch, Series, Where

T = TypeVar("T")
_Dated = tuple[tuple[str, int, str], Json]

_MANY: Final = 1_000
"""What looks through more rows is done in a thread: everything else in this process goes on meanwhile."""


class HeldStore(ABC):
    """A `ReadStore` over `Tables`. Documents are copies at their top level; what is below is shared and must not be changed."""

    def __init__(self) -> None:
        self._ordered: tuple[Held, object, Order, list[str]] | None = None

    @abstractmethod
    async def held(self, workspace_id: str) -> Tables:
        """The tables of a workspace."""

    async def _table(self, workspace_id: str, table: Table) -> Held:
        return (await self.held(workspace_id)).of(table)

    async def get(self, workspace_id: str, table: Table, row_id: str) -> Json | None:
        """See `ReadStore.get`."""
        found = (await self._table(workspace_id, table)).rows.get(row_id)
        return dict(found.doc) if found is not None else None

    async def many(self, workspace_id: str, table: Table, row_ids: Sequence[str]) -> dict[str, Json]:
        """See `ReadStore.many`."""
        rows = (await self._table(workspace_id, table)).rows
        found = ((one, rows.get(one)) for one in row_ids)
        return {one: dict(row.doc) for one, row in found if row is not None}

    async def find(
        self,
        workspace_id: str,
        table: Table,
        *,
        where: Where | None = None,
        order: Order = BY_AGE,
        limit: int | None = None,
        offset: int = 0,
    ) -> Page:
        """See `ReadStore.find`."""
        held = await self._table(workspace_id, table)
        ids = await self._in_order(held, where, order)
        end = None if limit is None else offset + limit
        return Page([dict(held.rows[one].doc) for one in ids[offset:end]], len(ids))

    async def tally(
        self, workspace_id: str, table: Table, fields: Sequence[str], where: Where | None = None
    ) -> dict[tuple[str, ...], int]:
        """See `ReadStore.tally`."""
        assert set(fields) <= FIELDS[table], f"{table} has no index for {fields}"
        held = await self._table(workspace_id, table)

        def work() -> dict[tuple[str, ...], int]:
            return dict(Counter(tuple(text_of(row.doc, one) for one in fields) for _, row in held.having(where)))

        return await _beside(held.rows, work)

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
        held = await self._table(workspace_id, table)
        ids = await self._in_order(held, where, order)

        def place(row_id: str) -> Cursor:
            return _place(order, row_id, held.rows[row_id])

        begin = 0
        if after is not None and order.descending:
            begin = len(ids) - bisect_left(ids[::-1], after, key=place)
        elif after is not None:
            begin = bisect_right(ids, after, key=place)
        part = ids[begin : begin + limit]
        return Batch([dict(held.rows[one].doc) for one in part], place(part[-1]) if len(ids) > begin + limit else None)

    async def _in_order(self, held: Held, where: Where | None, order: Order) -> list[str]:
        """The ids of the rows whose keys have these texts. The last list is remembered: one that is gone through is asked for in parts."""
        wanted = tuple(sorted((where or {}).items()))
        known = self._ordered
        if known is not None and known[0] is held and known[1:3] == (wanted, order):
            return known[3]

        def work() -> list[str]:
            found = sorted((_place(order, row_id, row) for row_id, row in held.having(where)), reverse=order.descending)
            return [row_id for _, _, row_id in found]

        ids = await _beside(held.rows, work)
        self._ordered = held, wanted, order, ids
        return ids

    async def search_resources(self, workspace_id: str, search: ResourceSearch, *, limit: int, offset: int) -> Page:
        """See `ReadStore.search_resources`."""
        text = search.text.lower()

        def wanted(doc: Json) -> bool:
            return (
                all(not values or text_of(doc, field) in values for field, values in search.any_of.items())
                and (text in text_of(doc, "name").lower() or text in text_of(doc, "identifier").lower())
                and search.metadata.items() <= doc["metadata"].items()
            )

        rows = (await self._table(workspace_id, "resource")).rows

        def work() -> list[tuple[str, str, str]]:
            found = ((row_id, row.doc) for row_id, row in rows.items() if wanted(row.doc))
            places = ((text_of(doc, search.sort_by), text_of(doc, "identifier"), row_id) for row_id, doc in found)
            return sorted(places, reverse=search.descending)

        places = await _beside(rows, work)
        return Page([dict(rows[row_id].doc) for _, _, row_id in places[offset : offset + limit]], len(places))

    async def among(self, workspace_id: str, table: Table, field: str, values: Sequence[str]) -> list[Json]:
        """See `ReadStore.among`."""
        held = await self._table(workspace_id, table)
        found = [(row.since, row_id, row.doc) for row_id, row in held.among(field, dict.fromkeys(values))]
        return [dict(doc) for _, _, doc in sorted(found, key=lambda one: one[:2])]

    async def newest(
        self, workspace_id: str, table: Table, field: str, values: Sequence[str], by: str, where: Mapping[str, str] | None = None
    ) -> dict[str, Json]:
        """See `ReadStore.newest`."""
        held = await self._table(workspace_id, table)
        others = [held.ids(*one) for one in (where or {}).items()]

        def work() -> dict[str, Json]:
            found: dict[str, Json] = {}
            for value in dict.fromkeys(values):
                ids = (one for one in held.ids(field, value) if all(one in other for other in others))
                best = max((_dated(by, one, held.rows[one]) for one in ids), key=lambda one: one[0], default=None)
                if best is not None:
                    found[value] = dict(best[1])
            return found

        return await _beside(held.rows, work)

    async def measured(self, workspace_id: str, wanted: Series, *, limit: int, offset: int = 0) -> Page:
        """See `ReadStore.measured`."""
        found = await self._measured(workspace_id, wanted)
        without = frozenset(wanted.without)
        page = [{key: value for key, value in doc.items() if key not in without} for _, doc in found[offset : offset + limit]]
        return Page(page, len(found))

    async def last_measured(self, workspace_id: str, of: Sequence[str], *, limit: int) -> list[Json]:
        """See `ReadStore.last_measured`."""
        return [dict(doc) for _, doc in (await self._measured(workspace_id, Series(of)))[-limit:]]

    async def _measured(self, workspace_id: str, wanted: Series) -> list[_Dated]:
        held = await self._table(workspace_id, "measurement")

        def work() -> list[_Dated]:
            found: list[_Dated] = []
            for series in dict.fromkeys(wanted.of):
                rows = (_dated("measuredAt", one, held.rows[one]) for one in held.ids("$series", series))
                within = (one for one in rows if _is_within(one[0][0], wanted))
                found += _spread(sorted(within, key=lambda one: one[0]), wanted.points)
            return sorted(found, key=lambda one: one[0])

        return await _beside(held.rows, work)

    async def targets(self, workspace_id: str, pair: str, *, limit: int, offset: int) -> Page:
        """See `ReadStore.targets`."""
        tables = await self.held(workspace_id)
        targets, resources = tables.of("target"), tables.of("resource").rows

        def work() -> list[tuple[str, str, str]]:
            found = ((row_id, row.doc["resourceId"]) for row_id, row in targets.having({"$pair": pair, "$gone": "false"}))
            there = ((row_id, one, resources.get(one)) for row_id, one in found)
            return sorted((text_of(row.doc, "identifier"), one, row_id) for row_id, one, row in there if row is not None)

        places = await _beside(targets.rows, work)
        return Page([dict(targets.rows[row_id].doc) for _, _, row_id in places[offset : offset + limit]], len(places))


async def _beside(rows: Sized, work: Callable[[], T]) -> T:
    """Do what takes time in proportion to some rows."""
    return await asyncio.to_thread(work) if len(rows) > _MANY else work()


def _place(order: Order, row_id: str, row: Row) -> Cursor:
    return tuple(text_of(row.doc, field) for field in order.fields), row.since, row_id


def _dated(by: str, row_id: str, row: Row) -> _Dated:
    return (text_of(row.doc, by), row.since, row_id), row.doc


def _is_within(at: str, wanted: Series) -> bool:
    return (wanted.begin is None or wanted.begin <= at) and (wanted.end is None or at < wanted.end)


def _spread(rows: list[_Dated], points: int | None) -> list[_Dated]:
    """The last one of each of so many equal parts."""
    if points is None or len(rows) <= points:
        return rows
    of = len(rows)
    return [row for place, row in enumerate(rows) if (place + 1) * points // of != place * points // of]
