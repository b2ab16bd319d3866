"""The read tables: one suite for memory and Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from libs.eventlog.migration import migrate
from services.gateway.adapters.memory import MemoryRows
from services.gateway.adapters.writing import PostgresSink
from services.gateway.rows import TABLES, Change, Delete, DeleteWhere, Merge, Patch, Put, Table
from services.gateway.serve import MIGRATIONS
from services.gateway.store import NEWEST_FIRST, Order, ReadStore, RowsRefused, Sink, StoreUnavailable
from tests.conformance.gateway.both_sides import ELSEWHERE, HERE, Both, drawn, in_postgres, written_twice
from tests.conformance.gateway.row_patches import PATCHES


def job(row_id: str, at: str = "", **more: Any) -> Put:
    return Put("job", row_id, {"n": row_id, "$createdAt": at, **more})


async def test_there_is_nothing_at_first(both: Both) -> None:
    assert await both.store.checkpoint(HERE) == 0
    for table in TABLES:
        assert await both.store.get(HERE, table, "x") is None
        page = await both.store.find(HERE, table)
        assert (page.items, page.total) == ([], 0)


async def test_a_row_is_read_as_it_was_written(both: Both) -> None:
    doc = {"a": [1, 2.5, None, True, {"b": "ü\n\"'%s{}$1"}], "": "", "$x": {}}
    await both.write(Put("job", "it's", doc))
    assert await both.store.get(HERE, "job", "it's") == doc
    assert await both.store.many(HERE, "job", ["it's", "other"]) == {"it's": doc}
    assert await both.store.many(HERE, "job", []) == {}


async def test_puts_merges_and_deletes(both: Both) -> None:
    await both.write(Put("job", "a", {"x": 1, "y": 1}), Merge("job", "b", {"x": 1}, {"x": 9, "z": 9}))
    await both.write(Merge("job", "a", {"y": 2}, {"x": 9, "z": 9}), Delete("job", "none"))
    assert await both.store.many(HERE, "job", ["a", "b"]) == {"a": {"x": 1, "y": 2, "z": 9}, "b": {"x": 1, "z": 9}}
    await both.write(Put("job", "a", {"only": 1}), Delete("job", "b"))
    assert await both.store.many(HERE, "job", ["a", "b"]) == {"a": {"only": 1}}


async def test_rows_of_a_kind_go_together(both: Both) -> None:
    await both.write(*(Put("link", str(number), {"systemId": f"s{number % 2}"}) for number in range(4)))
    await both.write(
        Put("link", "9", {"systemId": "s0"}), DeleteWhere("link", "systemId", "s0"), Put("link", "0", {"systemId": "s0"})
    )
    assert sorted(await both.store.many(HERE, "link", [str(number) for number in range(10)])) == ["0", "1", "3"]


async def test_the_checkpoint_moves_with_the_rows_or_not_at_all(both: Both) -> None:
    assert await both.sink.apply(HERE, 0, 5, [Change(5, job("a"))])
    assert await both.store.checkpoint(HERE) == await both.sink.checkpoint(HERE) == 5
    for old in (0, 4, 6):
        assert not await both.sink.apply(HERE, old, 7, [Change(7, job("b"))])
    assert await both.store.get(HERE, "job", "b") is None
    assert await both.sink.apply(HERE, 5, 7, ())
    assert await both.store.checkpoint(HERE) == 7


async def test_workspaces_do_not_meet(both: Both) -> None:
    await both.write(job("a", status="s"))
    await both.write(job("a", status="t"), workspace_id=ELSEWHERE)
    await both.write(Delete("job", "a"), workspace_id=ELSEWHERE)
    assert (await both.store.get(HERE, "job", "a") or {})["status"] == "s"
    assert await both.store.get(ELSEWHERE, "job", "a") is None
    assert (await both.store.find(ELSEWHERE, "job")).total == 0


async def test_an_id_may_be_of_several_workspaces(both: Both) -> None:
    assert await both.store.holders("job", "a") == []
    for workspace_id in (HERE, ELSEWHERE):
        await both.write(job("a"), workspace_id=workspace_id)
    assert await both.store.holders("job", "a") == sorted((HERE, ELSEWHERE))
    assert (await both.store.holders("job", "b"), await both.store.holders("policy", "a")) == ([], [])
    await both.write(Delete("job", "a"), workspace_id=HERE)
    assert await both.store.holders("job", "a") == [ELSEWHERE]


async def test_a_value_may_be_held_in_several_workspaces(both: Both) -> None:
    assert await both.store.holders_of("job", "externalId", "run-1") == []
    await both.write(job("a", externalId="run-1"), job("b", externalId="run-1"), job("c", externalId=None), workspace_id=HERE)
    await both.write(job("a", externalId="run-2"), job("d"), workspace_id=ELSEWHERE)
    assert await both.store.holders_of("job", "externalId", "run-1") == [HERE]
    assert await both.store.holders_of("job", "externalId", "run-3") == []
    await both.write(job("d", externalId="run-1"), workspace_id=ELSEWHERE)
    assert await both.store.holders_of("job", "externalId", "run-1") == sorted((HERE, ELSEWHERE))


async def test_lists_are_ordered_filtered_and_cut(both: Both) -> None:
    await both.write(job("c", "2", status="s"), job("b", "1", status="s"), job("d", "2", status="t"), job("a", "3", status="s"))
    assert await both.names() == ["b", "c", "d", "a"]
    assert await both.names(order=NEWEST_FIRST) == ["a", "d", "c", "b"]
    assert await both.names(where={"status": "s"}, order=Order(("n",))) == ["a", "b", "c"]
    assert await both.names(where={"status": ("s", "none")}, order=Order(("n",))) == ["a", "b", "c"]
    assert await both.names(where={"status": ()}, order=Order(("n",))) == []
    assert (await both.store.find(HERE, "job", where={"status": ("s",)}, limit=0)).total == 3
    page = await both.store.find(HERE, "job", where={"status": "s"}, limit=1, offset=1)
    assert ([doc["n"] for doc in page.items], page.total) == (["c"], 3)
    page = await both.store.find(HERE, "job", limit=4)
    assert (len(page.items), page.total) == (4, 4)
    page = await both.store.find(HERE, "job", limit=5, offset=9)
    assert (page.items, page.total) == ([], 4)


async def test_text_is_ordered_by_code_point_and_absence_comes_first(both: Both) -> None:
    await both.write(
        *(Put("job", str(number), {"n": name} if name else {"m": 1}) for number, name in enumerate(["b", "B", "ä", "a", ""]))
    )
    page = await both.store.find(HERE, "job", order=Order(("n",)))
    assert [doc.get("n") for doc in page.items] == [None, "B", "a", "b", "ä"]


async def test_a_row_keeps_its_place_when_it_changes_and_loses_it_when_it_is_made_again(both: Both) -> None:
    await both.write(job("a"), job("b"), job("c"))
    await both.write(job("a", k=1), Merge("job", "b", {"k": 2}))
    assert await both.names() == ["a", "b", "c"]
    await both.write(Delete("job", "a"), job("a", k=3))
    assert await both.names() == ["b", "c", "a"]


async def test_rows_are_found_by_several_values(both: Both) -> None:
    await both.write(job("b", jobAgentId="x"), job("a", jobAgentId="y"), job("c", jobAgentId="z"))
    assert [doc["n"] for doc in await both.store.among(HERE, "job", "jobAgentId", ["y", "x", "x"])] == ["b", "a"]
    assert await both.store.among(HERE, "job", "jobAgentId", []) == []


async def test_the_newest_of_each(both: Both) -> None:
    def of(row_id: str, target: str, at: str | None, status: str = "s") -> Put:
        return Put("job", row_id, {"n": row_id, "$target": target, "completedAt": at, "status": status})

    await both.write(of("a", "1", "5"), of("b", "1", "9", "t"), of("c", "1", "5"), of("d", "2", None), of("e", "3", "1", "t"))
    found = await both.store.newest(HERE, "job", "$target", ["1", "2", "4"], by="completedAt")
    assert {value: doc["n"] for value, doc in found.items()} == {"1": "b", "2": "d"}
    found = await both.store.newest(HERE, "job", "$target", ["1", "3"], by="completedAt", where={"status": "s"})
    assert {value: doc["n"] for value, doc in found.items()} == {"1": "c"}
    found = await both.store.newest(HERE, "job", "$target", [], by="completedAt")
    assert found == {}


async def test_booleans_are_looked_up_by_their_text(both: Both) -> None:
    await both.write(Put("target", "a", {"$pair": "p", "$gone": False}), Put("target", "b", {"$pair": "p", "$gone": True}))
    assert (await both.store.find(HERE, "target", where={"$pair": "p", "$gone": "false"})).total == 1


async def test_targets_are_paged_by_identifier_of_their_resources(both: Both) -> None:
    def target(resource: str, pair: str = "p", *, gone: bool = False) -> Put:
        return Put("target", f"{pair}/{resource}", {"resourceId": resource, "$pair": pair, "$gone": gone})

    await both.write(
        *(Put("resource", one, {"identifier": name}) for one, name in (("1", "b"), ("2", "B"), ("3", "ä"), ("5", "b")))
    )
    await both.write(target("1"), target("2"), target("3"), target("4"), target("5", gone=True), target("5", pair="q"))
    # The resource of 2 is of another workspace too, and 4 has none.
    await both.write(Put("resource", "4", {"identifier": "a"}), target("4"), workspace_id=ELSEWHERE)

    async def page(limit: int, offset: int = 0) -> tuple[list[str], int]:
        found = await both.store.targets(HERE, "p", limit=limit, offset=offset)
        return [doc["resourceId"] for doc in found.items], found.total

    assert await page(10) == (["2", "1", "3"], 3)
    assert await page(2) == (["2", "1"], 3)
    assert await page(2, 2) == (["3"], 3)
    assert await page(2, 9) == ([], 3)
    await both.write(Put("target", "p/5", {"resourceId": "5", "$pair": "p", "$gone": False}))
    assert await page(10) == (["2", "1", "5", "3"], 4)


async def test_long_names_are_no_trouble(both: Both) -> None:
    name = "n" * 20_000
    tables: tuple[Table, ...] = ("deployment", "environment", "provider")
    for table in tables:
        await both.write(Put(table, "a", {"name": name}))
        assert (await both.store.find(HERE, table, where={"name": name})).total == 1
    await both.write(Put("resource", "a", {"identifier": name}))
    assert (await both.store.find(HERE, "resource", where={"identifier": name})).total == 1


@pytest.mark.integration
async def test_postgres_holds_what_memory_holds(postgres: str) -> None:
    async with in_postgres(postgres) as both:
        for rounds in drawn(PATCHES, 6):
            await _compare(both.sink, both.store, rounds)


async def _compare(sink: Sink, store: ReadStore, rounds: Sequence[Sequence[Patch]]) -> None:
    workspace_id, rows = str(uuid4()), MemoryRows()
    async for _ in written_twice(sink, rows, workspace_id, rounds):
        pass
    assert (await store.find(workspace_id, "link")).items == (await rows.find(workspace_id, "link")).items


@pytest.mark.integration
async def test_only_one_leads_and_another_takes_over(postgres: str) -> None:
    await migrate(postgres, component="gateway", folder=MIGRATIONS)
    first, second = PostgresSink(postgres), PostgresSink(postgres)
    assert await first.lead()
    assert await first.lead()
    assert not await second.lead()
    await first.close()
    async with asyncio.timeout(60):
        while not await second.lead():
            pass
    await second.close()


@pytest.mark.integration
async def test_a_cut_connection_is_an_outage_and_the_next_call_works(postgres: str) -> None:
    await migrate(postgres, component="gateway", folder=MIGRATIONS)
    sink = PostgresSink(postgres)
    assert await sink.lead()
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as other:
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    with pytest.raises(StoreUnavailable):
        await sink.apply(HERE, 0, 1, [Change(1, job("a"))])
    assert await sink.lead()
    assert await sink.apply(HERE, 0, 1, [Change(1, job("a"))])
    await sink.close()


@pytest.mark.integration
async def test_rows_that_postgres_can_not_hold_are_refused_and_nothing_is_written(postgres: str) -> None:
    async with in_postgres(postgres) as both:
        with pytest.raises(RowsRefused):
            await both.write(job("a"), job("b", bad="\x00"))
        assert await both.store.checkpoint(HERE) == 0
        assert await both.store.get(HERE, "job", "a") is None
        await both.write(job("a"))
