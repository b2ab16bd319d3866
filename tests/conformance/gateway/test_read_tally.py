"""How many rows there are of each kind: one suite for memory, which looks at all of them, and Postgres, which keeps the numbers of jobs
and of resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

from services.gateway.adapters.memory import MemoryRows
from services.gateway.rows import Delete, DeleteWhere, Merge, Patch, Put, Table
from services.gateway.store import ReadStore, Sink
from tests.conformance.gateway.both_sides import ELSEWHERE, HERE, Both, drawn, in_postgres, written_twice

KEYS: dict[Table, tuple[str, ...]] = {
    "job": ("jobAgentId", "$deployment", "$environment", "status"),
    "resource": ("providerId",),
}
_DOCUMENTS = {
    "job": st.fixed_dictionaries(
        {}, optional={"jobAgentId": st.sampled_from("xy"), "$deployment": st.sampled_from("de"), "status": st.sampled_from("st")}
    ),
    "resource": st.fixed_dictionaries({}, optional={"providerId": st.sampled_from("xyz"), "identifier": st.sampled_from("st")}),
}


def patches(table: Table, where: str) -> st.SearchStrategy[Patch]:
    """Whatever may happen to a few rows; some go together by a key."""
    documents, rows = _DOCUMENTS[table], st.sampled_from("abc")
    return st.one_of(
        st.builds(Put, st.just(table), rows, documents),
        st.builds(Merge, st.just(table), rows, documents, documents),
        st.builds(Delete, st.just(table), rows),
        st.builds(DeleteWhere, st.just(table), st.just(where), st.sampled_from("dexy")),
    )


def job(row_id: str, agent: str, status: str, **more: Any) -> Put:
    return Put("job", row_id, {"jobAgentId": agent, "status": status, **more})


async def test_rows_are_counted_by_what_stands_under_their_keys(both: Both) -> None:
    assert await both.store.tally(HERE, "job", ("status",)) == {}
    await both.write(job("a", "x", "s"), job("b", "x", "t"), job("c", "y", "s"), Put("job", "d", {}))
    await both.write(job("a", "x", "s"), workspace_id=ELSEWHERE)
    assert await both.store.tally(HERE, "job", ("jobAgentId", "status")) == {
        ("x", "s"): 1,
        ("x", "t"): 1,
        ("y", "s"): 1,
        ("", ""): 1,
    }
    assert await both.store.tally(HERE, "job", ("status",), {"jobAgentId": "x"}) == {("s",): 1, ("t",): 1}
    assert await both.store.tally(HERE, "job", ("status",), {"jobAgentId": ("x", "y"), "status": "s"}) == {("s",): 2}
    assert await both.store.tally(HERE, "job", (), {"status": ("s", "t")}) == {(): 3}
    assert await both.store.tally(HERE, "job", (), {"status": "none"}) == {}


async def test_what_is_counted_follows_what_is_there(both: Both) -> None:
    await both.write(job("a", "x", "s"), job("b", "x", "s", **{"$deployment": "d"}))
    await both.write(Merge("job", "a", {"status": "t"}), Merge("job", "a", {"delay": 1}))
    assert await both.store.tally(HERE, "job", ("status",)) == {("s",): 1, ("t",): 1}
    await both.write(DeleteWhere("job", "$deployment", "d"), job("a", "y", "t"))
    assert await both.store.tally(HERE, "job", ("jobAgentId", "status")) == {("y", "t"): 1}
    assert (await both.store.find(HERE, "job", where={"jobAgentId": "y"}, limit=0)).total == 1
    assert (await both.store.find(HERE, "job", where={"jobAgentId": "x"}, limit=0)).total == 0


async def test_other_tables_and_other_keys_are_counted_as_well(both: Both) -> None:
    resources = [Put("resource", str(number), {"providerId": "p" if number else "q"}) for number in range(3)]
    await both.write(*resources, job("a", "x", "s", **{"$run": "r"}))
    assert await both.store.tally(HERE, "resource", ("providerId",), {"providerId": ("p", "q", "z")}) == {("p",): 2, ("q",): 1}
    assert await both.store.tally(HERE, "job", ("status",), {"$run": "r"}) == {("s",): 1}


async def test_resources_are_counted_by_who_told_of_them(both: Both) -> None:
    def resource(row_id: str, provider: str | None, **more: str) -> Put:
        return Put("resource", row_id, {"providerId": provider, **more})

    await both.write(resource("a", "p"), resource("b", "p"), resource("c", None))
    await both.write(resource("a", "p"), workspace_id=ELSEWHERE)
    assert await both.store.tally(HERE, "resource", ("providerId",)) == {("p",): 2, ("",): 1}
    await both.write(resource("a", "q"), resource("b", "p", name="new"), Merge("resource", "c", {"providerId": "q"}))
    assert await both.store.tally(HERE, "resource", ("providerId",)) == {("p",): 1, ("q",): 2}
    await both.write(Delete("resource", "b"), Delete("resource", "none"), resource("d", "q"))
    assert await both.store.tally(HERE, "resource", ("providerId",), {"providerId": ("p", "q")}) == {("q",): 3}
    assert (await both.store.find(HERE, "resource", limit=1)).total == 3
    assert (await both.store.find(HERE, "resource", where={"providerId": "p"}, limit=0)).total == 0


@pytest.mark.integration
@pytest.mark.parametrize("table, where", [("job", "$deployment"), ("resource", "providerId")])
async def test_whatever_happens_to_rows_they_are_counted_as_they_are(postgres: str, table: Table, where: str) -> None:
    async with in_postgres(postgres) as both:
        for rounds in drawn(patches(table, where), 8):
            await _compare(both.sink, both.store, table, rounds)


@pytest.mark.integration
@pytest.mark.parametrize("table", list(KEYS))
async def test_nobody_looks_at_the_rows_to_count_them(postgres: str, table: Table) -> None:
    key = KEYS[table][0]
    async with in_postgres(postgres) as both:
        await both.write(*(Put(table, row_id, {key: "x"}) for row_id in "abc"))
        async with await psycopg.AsyncConnection.connect(postgres) as connection:
            await connection.execute(SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(Identifier("read", table)))
            await connection.execute(SQL("DELETE FROM {}").format(Identifier("read", table)))
        assert await both.store.tally(HERE, table, (key,), {key: ("x", "y")}) == {("x",): 3}


async def _compare(sink: Sink, store: ReadStore, table: Table, rounds: Sequence[Sequence[Patch]]) -> None:
    workspace_id, rows, keys = str(uuid4()), MemoryRows(), KEYS[table]
    async for _ in written_twice(sink, rows, workspace_id, rounds):
        wanted = Counter(
            tuple(str(row.doc.get(key) or "") for key in keys) for (of, _), row in rows.dump(workspace_id).items() if of == table
        )
        assert await store.tally(workspace_id, table, keys) == wanted
        assert await rows.tally(workspace_id, table, keys) == wanted
