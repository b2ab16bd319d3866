"""The SQL by which rows are found: how a row is looked at, in which order a table is gone through, which resources are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from services.gateway.narrowing import Need, Needs
from services.gateway.rows import Table
from services.gateway.store import Cursor, Order, ResourceSearch, Series

FOLDING = ("pg_unicode_fast", "pg_c_utf8", "und-x-icu", "default")
"""Collations that know the case of all letters, the quickest first; which of them there are depends on version and build of Postgres."""


def table_name(table: Table) -> Identifier:
    """The SQL name of a table."""
    return Identifier("read", table)


def text_of(field: str) -> Composed:
    """The text of a top-level key, exactly as the indexes have it."""
    return SQL("(coalesce(doc ->> {}, '') COLLATE \"C\")").format(Literal(field))


def scanned(table: Table, conditions: Composable, needs: Needs, order: Order, after: Cursor | None) -> tuple[Composed, list[Any]]:
    """Rows of a table after a place: document, since, id, and the texts of the order.

    Args:
        conditions: of the look-up; their values come between the workspace and ours.

    Returns: the query, and its values between those of the conditions and the limit.
    """
    texts = [text_of(field) for field in order.fields]
    keys = SQL(", ").join([*texts, SQL("since"), SQL("id")])
    values: list[Any] = []
    place: Composable = SQL("")
    if after is not None:
        holes = SQL(", ").join([SQL("%s")] * len(texts) + [SQL("%s::bigint"), SQL("%s")])
        place = SQL(" AND ({}) {} ({})").format(keys, SQL("<" if order.descending else ">"), holes)
        values += [*after[0], after[1], after[2]]
    narrowed, more = _needed(needs)
    direction = SQL(" DESC") if order.descending else SQL("")
    query = SQL("SELECT doc::text, since, id, {} FROM {} WHERE workspace_id = %s::uuid{}{}{} ORDER BY {} LIMIT %s").format(
        SQL(", ").join(texts),
        table_name(table),
        conditions,
        place,
        narrowed,
        SQL(", ").join(key + direction for key in [*texts, SQL("since"), SQL("id")]),
    )
    return query, values + more


_AT = (text_of("measuredAt"), SQL("since"), SQL("id"))

# Of each series as much as can be needed, in the order that its index has; only that is sorted. A series may have a million rows.
_MEASURED = SQL(
    "SELECT (found.doc - %s::text[])::text FROM unnest(%s::text[]) AS wanted (series) CROSS JOIN LATERAL ("
    " SELECT doc, since, id, {at} AS at FROM {table} WHERE workspace_id = %s::uuid AND {series} = wanted.series{bounds}"
    " ORDER BY {order} LIMIT %s) AS found ORDER BY {outer} LIMIT %s OFFSET %s"
)

# The last one of each of so many equal parts of a series.
_SPREAD = SQL(
    "SELECT id FROM (SELECT id, row_number() OVER series AS place, count(*) OVER (PARTITION BY {series}) AS of {wanted}"
    " WINDOW series AS (PARTITION BY {series} ORDER BY {at}, since, id)) AS placed"
    " WHERE of <= %s OR place * %s / of <> (place - 1) * %s / of"
)


def measured(workspace_id: str, wanted: Series, limit: int, offset: int) -> tuple[Composed, list[Any], Composed, list[Any]]:
    """Measurements of some series in the order in which they were taken: the query of a page with its values, and the one that counts."""
    table, series, of = table_name("measurement"), text_of("$series"), list(dict.fromkeys(wanted.of))
    bounds, times = _bounds(wanted)
    found = SQL("FROM {} WHERE workspace_id = %s::uuid AND {} = ANY(%s){}").format(table, series, bounds)
    values: list[Any] = [workspace_id, of, *times]
    if wanted.points is None:
        page = _measured(bounds, newest_first=False)
        asked = [list(wanted.without), of, workspace_id, *times, offset + limit, limit, offset]
        return page, asked, SQL("SELECT count(*) {}").format(found), values
    spread = _SPREAD.format(series=series, at=text_of("measuredAt"), wanted=found)
    found = SQL("FROM {} WHERE workspace_id = %s::uuid AND id IN ({})").format(table, spread)
    values = [workspace_id, *values, wanted.points, wanted.points, wanted.points]
    page = SQL("SELECT (doc - %s::text[])::text {} ORDER BY {} LIMIT %s OFFSET %s").format(found, SQL(", ").join(_AT))
    return page, [list(wanted.without), *values, limit, offset], SQL("SELECT count(*) {}").format(found), values


def last_measured(workspace_id: str, of: Sequence[str], limit: int) -> tuple[Composed, list[Any]]:
    """The newest measurements of some series together, the newest first."""
    values = [[], list(dict.fromkeys(of)), workspace_id, limit, limit, 0]
    return _measured(SQL(""), newest_first=True), values


def _measured(bounds: Composable, *, newest_first: bool) -> Composed:
    direction = SQL(" DESC") if newest_first else SQL("")
    outer = (SQL("found.at"), SQL("found.since"), SQL("found.id"))
    return _MEASURED.format(
        at=text_of("measuredAt"),
        table=table_name("measurement"),
        series=text_of("$series"),
        bounds=bounds,
        order=SQL(", ").join(key + direction for key in _AT),
        outer=SQL(", ").join(key + direction for key in outer),
    )


def _bounds(wanted: Series) -> tuple[Composable, list[str]]:
    told = [(one, sign) for one, sign in ((wanted.begin, SQL(">=")), (wanted.end, SQL("<"))) if one is not None]
    parts = [SQL(" AND {} {} %s").format(text_of("measuredAt"), sign) for _, sign in told]
    return SQL("").join(parts), [one for one, _ in told]


def _needed(needs: Needs) -> tuple[Composable, list[Any]]:
    parts, values = [], []
    for alternatives in needs:
        ways = []
        for way, one in (_way(one) for one in alternatives):
            ways.append(way)
            values += one
        parts.append(SQL(" AND ({})").format(SQL(" OR ").join(ways)))
    return SQL("").join(parts), values


def _way(need: Need) -> tuple[Composed, list[Any]]:
    path = list(need.path)
    match need.kind:
        case "has":
            return SQL("doc #> %s::text[] IS NOT NULL").format(), [path]
        case "eq" if len(path) == 1:
            # Some top-level keys have an index.
            return SQL("{} = %s").format(text_of(path[0])), [need.text]
        case "eq":
            return SQL("doc #>> %s::text[] = %s").format(), [path, need.text]
        case "prefix":
            return SQL("starts_with(doc #>> %s::text[], %s)").format(), [path, need.text]


def searched(search: ResourceSearch, folding: str) -> tuple[Composed, list[Any]]:
    """A page of the wanted resources: document (NULL when the page is empty), and how many there are in all.

    One pass over the resources finds and counts them; documents are fetched for the page alone.

    Args:
        folding: a collation that knows the case of letters.

    Returns: the query, and its values between the workspace and limit, offset, workspace.
    """
    parts: list[Composable] = []
    values: list[Any] = []
    for field, wanted in search.any_of.items():
        if wanted:
            parts.append(SQL(" AND {} = ANY(%s)").format(text_of(field)))
            values.append(list(wanted))
    if search.metadata:
        parts.append(SQL(" AND doc @> convert_from(%b::bytea, 'UTF8')::jsonb"))
        values.append(orjson.dumps({"metadata": dict(search.metadata)}))
    if search.text:
        lower = SQL("lower({} COLLATE {})")
        ways = [
            # Not LIKE: whatever is looked for is meant literally.
            SQL("strpos({}, {}) > 0").format(
                lower.format(text_of(field), Identifier(folding)), lower.format(SQL("%s::text"), Identifier(folding))
            )
            for field in ("name", "identifier")
        ]
        parts.append(SQL(" AND ({})").format(SQL(" OR ").join(ways)))
        values += [search.text, search.text]
    keys = SQL(", ").join(SQL(name + (" DESC" if search.descending else "")) for name in ("key", "identifier", "id"))
    return _SEARCH.format(
        key=text_of(search.sort_by), identifier=text_of("identifier"), conditions=SQL("").join(parts), order=keys
    ), values


_SEARCH = SQL(
    "WITH found AS MATERIALIZED ("
    " SELECT id, {key} AS key, {identifier} AS identifier FROM read.resource WHERE workspace_id = %s::uuid{conditions}),"
    " page AS (SELECT * FROM found ORDER BY {order} LIMIT %s OFFSET %s)"
    " SELECT resource.doc::text, counted.total FROM (SELECT count(*) AS total FROM found) AS counted"
    " LEFT JOIN (page JOIN (SELECT id AS resource_id, doc FROM read.resource WHERE workspace_id = %s::uuid) AS resource"
    " ON resource.resource_id = page.id) ON true ORDER BY {order}"
)
