"""Finding rows: one suite for memory and Postgres, and Postgres held against memory."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from libs.cel import contexts
from services.gateway.narrowing import needs_of
from services.gateway.rows import Change, Put
from services.gateway.store import BY_AGE, NEWEST_FIRST, Cursor, Order, ReadStore, ResourceSearch, Sink
from tests.conformance.gateway.both_sides import ELSEWHERE, HERE, Both, in_memory, in_postgres


@pytest.fixture
async def store(both: Both) -> ReadStore:
    """A store with the resources of this file."""
    await fill(both.sink)
    return both.store


def document(number: int, name: str, **more: Any) -> dict[str, Any]:
    at = f"2026-01-0{1 + number // 4}T00:00:00.000Z"
    base: dict[str, Any] = {
        "id": f"{number:04d}",
        "identifier": f"i/{name}",
        "name": name,
        "kind": "k",
        "version": "v",
        "config": {},
        "metadata": {},
        "createdAt": at,
        "updatedAt": at,
        "$createdAt": at,
    }
    return {**base, **more}


DOCUMENTS = [
    document(0, "a%b_c\\d", kind="Cluster", providerId="p1", metadata={"env": "prod", "n": "1"}),
    document(1, "axbxcxd", kind="Cluster", providerId="p2", metadata={"env": "prod"}),
    document(2, "ÜBER", kind="Node", metadata={"env": "dev", "a.b/c": "x"}),
    document(3, "über", kind="Node", version="v2", config={"port": 80, "on": True, "list": ["a"], "nested": {"port": "80"}}),
    document(4, "B", updatedAt="2026-02-01T00:00:00.000Z", config={"port": 80.0, "on": "true"}, metadata={"env": ""}),
    document(5, "b", config={"port": "80", "on": False, "null": None}, metadata={"$x": "y", "env": "prod\n"}),
    document(6, "b", identifier="i/b2", config={"nested": {"port": 80}}, metadata={"env": "production"}),
    document(7, "Straße ΣΑΣ", config={"list": {"0": "a"}}, metadata={"0": "zero"}),
]


async def fill(sink: Sink) -> None:
    changes = [Change(number, Put("resource", one["id"], one)) for number, one in enumerate(DOCUMENTS, 1)]
    assert await sink.apply(HERE, 0, len(changes), changes)


def search(**more: Any) -> ResourceSearch:
    return ResourceSearch(**{"any_of": {}, "text": "", "metadata": {}, "sort_by": "createdAt", "descending": False, **more})


async def found(store: ReadStore, limit: int = 99, offset: int = 0, **more: Any) -> list[int]:
    page = await store.search_resources(HERE, search(**more), limit=limit, offset=offset)
    return [int(one["id"]) for one in page.items]


async def test_lists_are_alternatives_and_an_empty_one_is_no_filter(store: ReadStore) -> None:
    assert await found(store, any_of={"kind": ("Node", "Cluster", "none"), "version": ()}) == [0, 1, 2, 3]
    assert await found(store, any_of={"kind": ("Node",), "version": ("v2",)}) == [3]
    assert await found(store, any_of={"identifier": ("i/b2", "i/B")}) == [4, 6]
    assert await found(store, any_of={"providerId": ("p2",)}) == [1]


async def test_a_text_is_found_in_any_case_and_means_itself(store: ReadStore) -> None:
    wanted = {"A%B": [0], "a_": [], "_c": [0], "C\\D": [0], "über": [2, 3], "I/B2": [6], "STRASSE": [], "straße": [7], "%": [0]}
    for text, expected in wanted.items():
        assert sorted(await found(store, text=text)) == expected, text


async def test_every_pair_of_the_metadata_must_be_there(store: ReadStore) -> None:
    assert sorted(await found(store, metadata={"env": "prod"})) == [0, 1]
    assert await found(store, metadata={"env": "prod", "n": "1"}) == [0]
    assert await found(store, metadata={"env": ""}) == [4]
    assert await found(store, metadata={"a.b/c": "x"}) == [2]
    assert await found(store, metadata={"n": "2"}) == []


async def test_resources_are_sorted_by_a_key_and_then_by_identifier_both_in_order(store: ReadStore) -> None:
    kinds = ("k", "Node")
    assert await found(store, sort_by="name", any_of={"kind": kinds}) == [4, 7, 5, 6, 2, 3]
    assert await found(store, sort_by="name", any_of={"kind": kinds}, descending=True) == [3, 2, 6, 5, 7, 4]
    assert (await found(store, sort_by="updatedAt"))[-1] == 4
    assert await found(store, sort_by="kind", limit=4) == [0, 1, 2, 3]


async def test_a_page_tells_how_many_there_are_in_all(store: ReadStore) -> None:
    for limit, offset, seen in ((3, 0, 3), (3, 6, 2), (3, 8, 0), (3, 99, 0)):
        page = await store.search_resources(HERE, search(), limit=limit, offset=offset)
        assert (len(page.items), page.total) == (seen, 8)
    page = await store.search_resources(ELSEWHERE, search(), limit=3, offset=0)
    assert (page.items, page.total) == ([], 0)


async def walked(store: ReadStore, size: int, **more: Any) -> list[int]:
    numbers: list[int] = []
    after: Cursor | None = None
    while True:
        batch = await store.scan(HERE, "resource", after=after, limit=size, **more)
        assert len(batch.items) <= size
        numbers += [int(one["id"]) for one in batch.items]
        if batch.cursor is None:
            return numbers
        after = batch.cursor


async def test_a_table_is_gone_through_in_order_whatever_the_batches(store: ReadStore) -> None:
    for order in (BY_AGE, NEWEST_FIRST, Order(("name", "kind")), Order(("none",), descending=True)):
        page = await store.find(HERE, "resource", order=order)
        for size in (1, 3, 8, 9):
            assert await walked(store, size, order=order) == [int(one["id"]) for one in page.items]


async def test_only_the_rows_that_are_looked_up_are_gone_through(store: ReadStore) -> None:
    assert await walked(store, 1, where={"providerId": "p2"}) == [1]
    assert await walked(store, 1, where={"providerId": "none"}) == []


SOURCES = [
    'resource.kind == "Cluster"',
    'resource.metadata["env"] == "prod"',
    'resource.metadata["env"] != "prod"',
    'resource.metadata.env in ["dev", ""]',
    'resource.metadata["env"].startsWith("prod")',
    'resource.metadata["env"].matches("^prod")',
    'has(resource.metadata["$x"])',
    'resource.metadata["a.b/c"] == "x"',
    'resource.metadata["0"] == "zero"',
    "resource.config.port == 80",
    'resource.config.port == "80"',
    "resource.config.nested.port == 80",
    "resource.config.on",
    "resource.config.on == true",
    'resource.config.on == "true"',
    "!resource.config.on",
    'resource.config.list["0"] == "a"',
    '"a" in resource.config.list',
    'resource.config["null"] == null',
    "has(resource.config.nested)",
    'resource.name == "B" || resource.config.port == 80',
    'resource.providerId == "p1"',
    "has(resource.providerId)",
    'resource.createdAt == "2026-01-01T00:00:00Z"',
    r'resource.name == "a%b_c\\d"',
    r"""resource.name == "' OR '1'='1" || resource.metadata["'; --"] == "x" """,
    "true",
    "false",
    'resource.kind == "Node" ? resource.version == "v2" : resource.metadata.env == "prod"',
    'resource.identifier in ["i/b2", "i/B", "i/über"]',
]


async def test_sel_sql_pushdown_equivalence(store: ReadStore) -> None:
    """What the tables are asked narrows an expression and never changes its answer; what it compares with is a value, never SQL."""
    for source in SOURCES:
        program = contexts.SELECTOR.compile(source)
        expected = {number for number, one in enumerate(DOCUMENTS) if program.matches(resource=one)}
        assert expected <= set(await walked(store, 3, needs=needs_of(program, "resource"))), source


@pytest.mark.integration
async def test_what_can_not_match_stays_in_the_tables(postgres: str) -> None:
    async with in_postgres(postgres) as both:
        await fill(both.sink)
        for source, expected in (
            ('resource.kind == "Cluster" && resource.name.contains("x")', [0, 1]),
            ('resource.metadata["env"].startsWith("produ") || resource.metadata.env == "dev"', [2, 6]),
            ("has(resource.metadata.n)", [0]),
        ):
            assert await walked(both.store, 3, needs=needs_of(contexts.SELECTOR.compile(source), "resource")) == expected


SEARCHES = st.builds(
    ResourceSearch,
    any_of=st.dictionaries(
        st.sampled_from(["kind", "version", "identifier", "providerId"]),
        st.lists(st.sampled_from(["k", "Node", "v", "v2", "i/b", "i/b2", "p1", ""]), max_size=2),
        max_size=2,
    ),
    text=st.sampled_from(["", "a", "B", "%", "_", "\\", "ü", "Ü", "b2", "i/", "σ", "'", '"']),
    metadata=st.dictionaries(st.sampled_from(["env", "n"]), st.sampled_from(["prod", "1", ""]), max_size=1),
    sort_by=st.sampled_from(["createdAt", "updatedAt", "name", "kind"]),
    descending=st.booleans(),
)


@pytest.mark.integration
async def test_postgres_finds_what_memory_finds(postgres: str) -> None:
    searches: list[tuple[ResourceSearch, int, int]] = []

    @hypothesis.settings(max_examples=150, database=None, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    @hypothesis.given(SEARCHES, st.integers(1, 4), st.integers(0, 9))
    def collect(wanted: ResourceSearch, limit: int, offset: int) -> None:
        searches.append((wanted, limit, offset))

    collect()
    memory = in_memory()
    await fill(memory.sink)
    async with in_postgres(postgres) as both:
        await fill(both.sink)
        for wanted, limit, offset in searches:
            expected = await memory.store.search_resources(HERE, wanted, limit=limit, offset=offset)
            assert await both.store.search_resources(HERE, wanted, limit=limit, offset=offset) == expected, wanted
