"""How many rows there are of each kind: one suite for memory, which looks at all of them, and Postgres, which keeps the numbers of jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import strategies as st

from services.gateway.adapters.memory import MemoryRows
from services.gateway.rows import Delete, DeleteWhere, Merge, Patch, Put
from services.gateway.store import ReadStore, Sink
from tests.conformance.gateway.both_sides import ELSEWHERE, HERE, Both, drawn, in_postgres, written_twice

KEYS = ("jobAgentId", "$deployment", "$environment", "status")
_DOCUMENTS = st.fixed_dictionaries(
    {}, optional={"jobAgentId": st.sampled_from("xy"), "$deployment": st.sampled_from("de"), "status": st.sampled_from("st")}
)
_PATCHES: st.SearchStrategy[Patch] = st.one_of(
    st.builds(Put, st.just("job"), st.sampled_from("abc"), _DOCUMENTS),
    st.builds(Merge, st.just("job"), st.sampled_from("abc"), _DOCUMENTS, _DOCUMENTS),
    st.builds(Delete, st.just("job"), st.sampled_from("abc")),
    st.builds(DeleteWhere, st.just("job"), st.just("$deployment"), st.sampled_from("de")),
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


@pytest.mark.integration
async def test_whatever_happens_to_jobs_they_are_counted_as_they_are(postgres: str) -> None:
    async with in_postgres(postgres) as both:
        for rounds in drawn(_PATCHES, 8):
            await _compare(both.sink, both.store, rounds)


async def _compare(sink: Sink, store: ReadStore, rounds: Sequence[Sequence[Patch]]) -> None:
    workspace_id, rows = str(uuid4()), MemoryRows()
    async for _ in written_twice(sink, rows, workspace_id, rounds):
        wanted = Counter(
            tuple(str(row.doc.get(key) or "") for key in KEYS)
            for (table, _), row in rows.dump(workspace_id).items()
            if table == "job"
        )
        assert await store.tally(workspace_id, "job", KEYS) == wanted
        assert await rows.tally(workspace_id, "job", KEYS) == wanted
