"""Reads the read tables in Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from contracts.shapes import Json
from libs.eventlog.connections import Connections
from libs.eventlog.port import LogUnavailable
from libs.eventlog.together import Together
from services.gateway.adapters.searching import FOLDING, last_measured, measured, scanned, searched, table_name, text_of
from services.gateway.narrowing import Needs
from services.gateway.rows import FIELDS, Table
from services.gateway.store import BY_AGE, Batch, Cursor, Order, Page, ResourceSearch, Series, StoreUnavailable, Where


def _conditions(table: Table, where: Where | None) -> tuple[Composable, list[str | list[str]]]:
    fields = sorted(where or ())
    assert set(fields) <= FIELDS[table], f"{table} has no index for {fields}"
    wanted = [(where or {})[field] for field in fields]
    return _having(where, text_of), [one if isinstance(one, str) else list(one) for one in wanted]


def _having(where: Where | None, text: Callable[[str], Composed]) -> Composed:
    """That these keys have these texts, sorted by key; `text` says where the text of a key stands."""
    return SQL("").join(
        SQL(" AND {} = %s" if isinstance(one, str) else " AND {} = ANY(%s)").format(text(field))
        for field, one in sorted((where or {}).items())
    )


class _Kept(NamedTuple):
    """Numbers that the database keeps: in which table and column, and in which others of its columns keys of the rows stand."""

    table: str
    number: str
    keys: Mapping[str, str]

    def key(self, field: str) -> Composed:
        return SQL("{}").format(Identifier(self.keys[field]))


_TALLIES: Final[Mapping[Table, _Kept]] = {
    "job": _Kept(
        "job_tally",
        "jobs",
        {"jobAgentId": "agent", "$deployment": "deployment", "$environment": "environment", "status": "status"},
    ),
    "resource": _Kept("resource_tally", "resources", {"providerId": "provider"}),
}


def _parsed(rows: Sequence[tuple[Any, ...]]) -> list[Json]:
    return [orjson.loads(row[0]) for row in rows]


_MANY = 1_000

_FEW = 20
"""So few rows are looked up together with those that others want of the same table at the same time."""

_LOOK_UP = SQL(
    "SELECT asked.place, found.doc::text FROM unnest(%s::uuid[], %s::text[]) WITH ORDINALITY AS asked (workspace_id, id, place)"
    " CROSS JOIN LATERAL (SELECT doc FROM {} AS row WHERE row.workspace_id = asked.workspace_id AND row.id = asked.id LIMIT 1) AS found"
)

_Key = tuple[str, str]
"""A workspace and the id of a row."""

# One look-up of a resource for each target, whatever Postgres thinks of the tables: after a bulk load it knows nothing of them yet, and
# may go through all resources for each target.
_TARGETS = SQL(
    " FROM (SELECT doc, doc ->> 'resourceId' AS resource_id FROM read.target"
    " WHERE workspace_id = %s::uuid AND {pair} = %s AND {gone} = 'false' OFFSET 0) AS target"
    " CROSS JOIN LATERAL (SELECT id, {identifier} AS identifier FROM read.resource"
    " WHERE workspace_id = %s::uuid AND id = target.resource_id LIMIT 1) AS resource"
).format(pair=text_of("$pair"), gone=text_of("$gone"), identifier=text_of("identifier"))


class PostgresStore:
    """A `ReadStore` over the tables of schema `read`."""

    def __init__(self, conninfo: str, connections: int = 8) -> None:
        self._connections = Connections(conninfo, connections)
        self._folding: str | None = None
        self._look_ups: dict[Table, Together[_Key, str]] = {}

    async def close(self) -> None:
        """Close the connections; again changes nothing."""
        await self._connections.close()

    async def _rows(self, query: Composed, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return await self._connections.rows(query.as_string(), values)
        except LogUnavailable as error:
            raise StoreUnavailable(str(error)) from error

    async def _collation(self) -> str:
        """One that knows the case of letters, of those that this Postgres has."""
        if self._folding is None:
            query = SQL(
                "SELECT collname FROM pg_collation WHERE collname = ANY(%s) AND collencoding IN (-1, pg_char_to_encoding("
                "getdatabaseencoding())) AND pg_collation_is_visible(oid) ORDER BY array_position(%s, collname::text) LIMIT 1"
            ).format()
            self._folding = str((await self._rows(query, (list(FOLDING), list(FOLDING))))[0][0])
        return self._folding

    async def checkpoint(self, workspace_id: str) -> int:
        """See `ReadStore.checkpoint`."""
        query = SQL("SELECT position FROM read.checkpoint WHERE workspace_id = %s::uuid").format()
        rows = await self._rows(query, (workspace_id,))
        return int(rows[0][0]) if rows else 0

    async def get(self, workspace_id: str, table: Table, row_id: str) -> Json | None:
        """See `ReadStore.get`."""
        text = await self._looked_up(table).get((workspace_id, row_id))
        return orjson.loads(text) if text is not None else None

    async def holders(self, table: Table, row_id: str) -> list[str]:
        """See `ReadStore.holders`."""
        query = SQL("SELECT workspace_id::text FROM {} WHERE id = %s ORDER BY 1").format(table_name(table))
        return [row[0] for row in await self._rows(query, (row_id,))]

    async def holders_of(self, table: Table, field: str, value: str) -> list[str]:
        """See `ReadStore.holders_of`."""
        assert field in FIELDS[table]
        # The index holds only rows that have the key at all.
        query = SQL("SELECT DISTINCT workspace_id::text FROM {} WHERE {} = %s AND doc ->> {} IS NOT NULL ORDER BY 1").format(
            table_name(table), text_of(field), Literal(field)
        )
        return [row[0] for row in await self._rows(query, (value,))]

    async def many(self, workspace_id: str, table: Table, row_ids: Sequence[str]) -> dict[str, Json]:
        """See `ReadStore.many`."""
        if not row_ids:
            return {}
        if len(row_ids) <= _FEW:
            texts = await self._looked_up(table).many([(workspace_id, row_id) for row_id in row_ids])
            return {row_id: orjson.loads(text) for row_id, text in zip(row_ids, texts, strict=True) if text is not None}
        query = SQL("SELECT id, doc::text FROM {} WHERE workspace_id = %s::uuid AND id = ANY(%s)").format(table_name(table))
        return {row[0]: orjson.loads(row[1]) for row in await self._rows(query, (workspace_id, list(row_ids)))}

    def _looked_up(self, table: Table) -> Together[_Key, str]:
        """Looks up single rows of a table. Whoever shares one gets its text, so that nobody shares a document."""
        together = self._look_ups.get(table)
        if together is None:
            query = _LOOK_UP.format(table_name(table))

            async def look_up(keys: Sequence[_Key]) -> dict[_Key, str]:
                rows = await self._rows(query, ([one for one, _ in keys], [one for _, one in keys]))
                return {keys[place - 1]: text for place, text in rows}

            together = self._look_ups[table] = Together(look_up)
        return together

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
        conditions, values = _conditions(table, where)
        direction = SQL(" DESC") if order.descending else SQL("")
        keys = [*(text_of(field) for field in order.fields), SQL("since"), SQL("id")]
        query = SQL("SELECT doc::text FROM {} WHERE workspace_id = %s::uuid{} ORDER BY {} LIMIT %s OFFSET %s").format(
            table_name(table), conditions, SQL(", ").join(key + direction for key in keys)
        )
        rows = await self._rows(query, (workspace_id, *values, limit, offset))
        if offset == 0 and (limit is None or len(rows) < limit):
            total = len(rows)
        else:
            total = (await self.tally(workspace_id, table, (), where)).get((), 0)
        # Ten thousand documents take long enough to parse that everything else in this process would notice.
        documents = await asyncio.to_thread(_parsed, rows) if len(rows) > _MANY else _parsed(rows)
        return Page(documents, total)

    async def tally(
        self, workspace_id: str, table: Table, fields: Sequence[str], where: Where | None = None
    ) -> dict[tuple[str, ...], int]:
        """See `ReadStore.tally`."""
        assert set(fields) <= FIELDS[table], f"{table} has no index for {fields}"
        conditions, values = _conditions(table, where)
        number, source, keys = SQL("count(*)").format(), table_name(table), [text_of(one) for one in fields]
        kept = _TALLIES.get(table)
        if kept is not None and kept.keys.keys() >= {*fields, *(where or {})}:
            number, source = SQL("sum({})").format(Identifier(kept.number)), Identifier("read", kept.table)
            keys, conditions = [kept.key(one) for one in fields], _having(where, kept.key)
        grouped = SQL(" GROUP BY {}").format(SQL(", ").join(keys)) if keys else SQL("")
        query = SQL("SELECT {} FROM {} WHERE workspace_id = %s::uuid{}{}").format(
            SQL(", ").join([*keys, number]), source, conditions, grouped
        )
        rows = await self._rows(query, (workspace_id, *values))
        return {tuple(row[:-1]): int(row[-1]) for row in rows if row[-1]}

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
        conditions, values = _conditions(table, where)
        query, more = scanned(table, conditions, needs, order, after)
        rows = await self._rows(query, (workspace_id, *values, *more, limit))
        documents = await asyncio.to_thread(_parsed, rows) if len(rows) > _MANY else _parsed(rows)
        cursor = (tuple(rows[-1][3:]), int(rows[-1][1]), str(rows[-1][2])) if len(rows) == limit else None
        return Batch(documents, cursor)

    async def search_resources(self, workspace_id: str, search: ResourceSearch, *, limit: int, offset: int) -> Page:
        """See `ReadStore.search_resources`."""
        query, values = searched(search, await self._collation())
        rows = await self._rows(query, (workspace_id, *values, limit, offset, workspace_id))
        # The number of all stands in every row, also in the only one of an empty page.
        return Page([orjson.loads(row[0]) for row in rows if row[0] is not None], int(rows[0][1]))

    async def among(self, workspace_id: str, table: Table, field: str, values: Sequence[str]) -> list[Json]:
        """See `ReadStore.among`."""
        assert field in FIELDS[table]
        if not values:
            return []
        query = SQL("SELECT doc::text FROM {} WHERE workspace_id = %s::uuid AND {} = ANY(%s) ORDER BY since, id").format(
            table_name(table), text_of(field)
        )
        return [orjson.loads(row[0]) for row in await self._rows(query, (workspace_id, list(values)))]

    async def newest(
        self, workspace_id: str, table: Table, field: str, values: Sequence[str], by: str, where: Mapping[str, str] | None = None
    ) -> dict[str, Json]:
        """See `ReadStore.newest`."""
        assert field in FIELDS[table]
        if not values:
            return {}
        conditions, wanted = _conditions(table, where)
        query = SQL(
            "SELECT wanted.value, found.doc::text FROM unnest(%s::text[]) AS wanted (value) CROSS JOIN LATERAL ("
            " SELECT doc FROM {} WHERE workspace_id = %s::uuid AND {} = wanted.value{}"
            " ORDER BY {} DESC, since DESC, id DESC LIMIT 1) AS found"
        ).format(table_name(table), text_of(field), conditions, text_of(by))
        rows = await self._rows(query, (sorted(set(values)), workspace_id, *wanted))
        return {row[0]: orjson.loads(row[1]) for row in rows}

    async def measured(self, workspace_id: str, wanted: Series, *, limit: int, offset: int = 0) -> Page:
        """See `ReadStore.measured`."""
        if not wanted.of:
            return Page([], 0)
        page, values, count, counted = measured(workspace_id, wanted, limit, offset)
        rows = await self._rows(page, values)
        total = len(rows) if offset == 0 and len(rows) < limit else int((await self._rows(count, counted))[0][0])
        return Page(_parsed(rows), total)

    async def last_measured(self, workspace_id: str, of: Sequence[str], *, limit: int) -> list[Json]:
        """See `ReadStore.last_measured`."""
        return _parsed(await self._rows(*last_measured(workspace_id, of, limit)))[::-1]

    async def targets(self, workspace_id: str, pair: str, *, limit: int, offset: int) -> Page:
        """See `ReadStore.targets`."""
        query = SQL("SELECT target.doc::text{} ORDER BY resource.identifier, resource.id LIMIT %s OFFSET %s").format(_TARGETS)
        values = (workspace_id, pair, workspace_id)
        rows = await self._rows(query, (*values, limit, offset))
        if offset == 0 and len(rows) < limit:
            total = len(rows)
        else:
            total = int((await self._rows(SQL("SELECT count(*){}").format(_TARGETS), values))[0][0])
        return Page(_parsed(rows), total)
