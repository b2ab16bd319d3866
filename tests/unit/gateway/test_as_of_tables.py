"""The read tables as a value: indexes tell what the rows say, whatever happened; a stored value is what it was."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.envelope import Recorded
from contracts.fact import Fact
from libs.runtime import codec
from services.gateway.as_of.tables import Tables, evolve, text_of
from services.gateway.rows import FIELDS, Delete, DeleteWhere, Merge, Patch, Put
from tests.unit.gateway.readmodel_scenes import WORKSPACE, WORLD, project, recorded, system

WORDS = st.sampled_from([None, "", "x", "y", True, False, 1])
IDS = st.sampled_from(["a", "b", "c"])
DOCUMENTS = st.fixed_dictionaries({}, optional={"systemId": WORDS, "$entity": WORDS, "other": WORDS})
PATCHES: st.SearchStrategy[Patch] = st.one_of(
    st.builds(Put, st.just("link"), IDS, DOCUMENTS),
    st.builds(Merge, st.just("link"), IDS, DOCUMENTS, DOCUMENTS),
    st.builds(Delete, st.just("link"), IDS),
    st.builds(DeleteWhere, st.just("link"), st.just("systemId"), st.sampled_from(["", "x", "true", "1"])),
)


def indexed(tables: Tables) -> dict[Any, set[str]]:
    """What the index of every table says, of what its rows may have."""
    return {
        (held.table, key, text): ids
        for held in tables.by_name.values()
        for key in FIELDS[held.table]
        for text in {"", *held.index.get(key, {})}
        if (ids := set(held.ids(key, text)))
    }


def looked_up(tables: Tables) -> dict[Any, set[str]]:
    """The same, out of the rows."""
    found: dict[Any, set[str]] = {}
    for held in tables.by_name.values():
        for row_id, row in held.rows.items():
            for key in FIELDS[held.table]:
                found.setdefault((held.table, key, text_of(row.doc, key)), set()).add(row_id)
    return found


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(PATCHES, max_size=12))
def test_the_index_says_what_the_rows_say_and_older_values_stay_as_they_were(patches: list[Patch]) -> None:
    values = [Tables()]
    dumps = [values[0].dump()]
    for position, patch in enumerate(patches, 1):
        values.append(values[-1].changed(position, patch))
        dumps.append(values[-1].dump())
        assert indexed(values[-1]) == looked_up(values[-1])
    assert [one.dump() for one in values] == dumps
    read_back = codec.decode(Tables, codec.encode(Tables, values[-1]))
    assert (read_back.dump(), indexed(read_back)) == (dumps[-1], indexed(values[-1]))


async def test_folding_facts_gives_the_rows_that_projecting_them_gives() -> None:
    tables = Tables()
    for position, fact in enumerate(WORLD, 1):
        tables = evolve(tables, recorded(position, fact))
    assert tables.dump() == (await project(*WORLD)).dump(WORKSPACE)


def test_a_fact_that_can_not_be_shown_changes_nothing() -> None:
    def broken(kind: str, data: bytes) -> Fact:
        raise ValueError("broken")

    fine = recorded(1, system())
    fields = {name: getattr(fine, name) for name in Recorded.__slots__ if not name.startswith("_")}
    tables = evolve(Tables(), fine)
    assert evolve(tables, Recorded(**{**fields, "position": 2, "decode": broken})) is tables
