"""The three indexes: what they find, and that they look no further than they must."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from libs.cel import DocumentIndex, Environment, ExpressionIndex, JoinIndex, Program, contexts, document_index
from libs.cel.pattern_filter import PatternFilter

OPEN = Environment("open", {"resource": None})
PAIR = Environment("pair", {"from": None, "to": None})
MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def filled(count: int = 1000) -> DocumentIndex:
    """Documents r0000 …: kinds and teams that repeat, a unique name, a flag, and a number."""
    index = DocumentIndex()
    for n in range(count):
        index.put(
            f"r{n:04}",
            {"kind": f"k{n % 50}", "name": f"name-{n:04}", "flag": n % 3 > 0, "n": n, "metadata": {"team": f"t{n % 100}"}},
        )
    return index


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of documents of every filter that ran."""
    seen: list[int] = []
    run = Program.filter

    def counting(self: Program, rows: Any, variable: str | None = None, /, **others: Any) -> list[int]:
        seen.append(len(rows))
        return run(self, rows, variable, **others)

    monkeypatch.setattr(Program, "filter", counting)
    return seen


@pytest.mark.parametrize(
    "source, found, looked_at",
    [
        ('resource.name == "name-0007"', ["r0007"], []),
        ('resource.kind == "k7" && resource.n > 900', ["r0907", "r0957"], [20]),
        ('resource.n < 900 && resource.metadata["team"] == "t7" && resource.n > 700', ["r0707", "r0807"], [10]),
        ('resource.name.startsWith("name-099")', [f"r099{n}" for n in range(10)], []),
        ('resource.name.matches("^name-09[0-9]7$")', [f"r09{n}7" for n in range(10)], [100]),
        ('resource.kind == "nope" && resource.n > 1', [], [0]),
        ('resource.name in ["name-0003", "name-0001", "x"]', ["r0001", "r0003"], []),
        (
            'resource.name == "name-0001" || resource.metadata.team == "t99" && resource.n > 800',
            ["r0001", "r0899", "r0999"],
            [11],
        ),
        ("resource.n == 5", ["r0005"], [1]),
        ("resource.flag && resource.n < 3", ["r0001", "r0002"], [1000]),
        ("resource.n < 2", ["r0000", "r0001"], [1000]),
        ("true", [f"r{n:04}" for n in range(1000)], []),
        ("false", [], []),
    ],
)
def test_select_looks_at_candidates_only(source: str, found: list[str], looked_at: list[int], evaluated: list[int]) -> None:
    assert filled().select(OPEN.compile(source)) == found
    assert evaluated == looked_at


def test_a_change_is_seen_by_the_next_select() -> None:
    index, program = filled(), OPEN.compile('resource.metadata.team == "t7"')
    before = index.select(program)
    index.put("r0007", {"metadata": {"team": "other"}})
    index.put("new", {"metadata": {"team": "t7"}})
    index.remove("r0107")
    index.remove("nobody")
    assert index.select(program) == sorted({*before, "new"} - {"r0007", "r0107"})
    assert (len(index), "new" in index, "r0107" in index, index.get("r0107")) == (1000, True, False, None)
    assert index.get("new") == {"metadata": {"team": "t7"}}
    assert list(index) == sorted({f"r{n:04}" for n in range(1000)} - {"r0107"} | {"new"})


def test_so_many_changes_that_columns_are_made_again() -> None:
    index, program = filled(), OPEN.compile('resource.name.startsWith("name-00")')
    assert len(index.select(program)) == 100
    for n in range(0, 1000, 2):
        index.remove(f"r{n:04}")
    assert index.columns == {}
    assert index.select(program) == [f"r{n:04}" for n in range(1, 100, 2)]


def test_values_that_no_dict_can_hold_do_no_harm() -> None:
    index = filled(300)
    odd: list[Any] = [[], {}, {"a": []}, None, float("nan"), b"k1", MOMENT, 10**400, "", "\ud800"]
    for n, value in enumerate(odd):
        index.put(f"odd{n}", {"kind": value, "metadata": value})
        index.put(f"whole{n}", value)
    assert index.select(OPEN.compile('resource.kind == "k1"')) == [f"r{n:04}" for n in range(1, 300, 50)]
    assert index.select(OPEN.compile('resource.kind == ""')) == ["odd8"]
    for n in range(len(odd)):
        index.remove(f"odd{n}")
        index.put(f"whole{n}", {"kind": float("nan")})
    assert index.select(OPEN.compile('resource.kind.startsWith("k29")')) == [f"r{n:04}" for n in range(29, 300, 50)]


def test_columns_have_a_ceiling_and_the_one_not_used_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_index, "MOST_COLUMNS", 2)
    index = filled()
    for field in ("kind", "name", "kind", "n"):
        index.select(OPEN.compile(f'resource.{field} == "x"'))
    assert list(index.columns) == [("resource", "kind"), ("resource", "n")]
    monkeypatch.setattr(document_index, "MOST_COLUMN_BYTES", 10_000)
    assert index.select(OPEN.compile('resource.name == "name-0001"')) == ["r0001"]
    assert ("resource", "name") not in index.columns


def test_a_field_that_tells_too_little_gets_no_column() -> None:
    index = filled()
    index.select(OPEN.compile("resource.flag"))
    assert index.columns == {}


def put_all(index: ExpressionIndex, sources: dict[str, str]) -> None:
    for key, source in sources.items():
        index.put(key, contexts.SELECTOR.compile(source))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of the programs that were evaluated."""
    seen: list[str] = []
    made = Program.test.fget  # type: ignore[attr-defined]

    def noting(self: Program) -> Any:
        seen.append(self.source)
        return made(self)

    monkeypatch.setattr(Program, "test", property(noting))
    return seen


def test_matching_evaluates_only_what_the_conditions_leave(asked: list[str]) -> None:
    index = ExpressionIndex()
    sources = {f"team-{n}": f'resource.metadata.team == "t{n}" && resource.name != "x"' for n in range(100)}
    put_all(
        index, {**sources, "kind": 'resource.kind == "VM"', "any": "true", "none": "false", "long": "size(resource.name) > 3"}
    )
    found = index.matching({"kind": "VM", "name": "name", "metadata": {"team": "t7"}})
    assert found == ["any", "kind", "long", "team-7"]
    assert [source for source in asked if source not in ("true", "false")] == [sources["team-7"], "size(resource.name) > 3"]


def test_equal_expressions_are_asked_once(asked: list[str]) -> None:
    index = ExpressionIndex()
    put_all(index, {f"e{n}": "resource.name.size() > 3" for n in range(50)})
    assert len(index.matching({"name": "name"})) == 50
    assert asked == ["resource.name.size() > 3"]


def test_regular_expressions_are_asked_by_their_literals(asked: list[str]) -> None:
    index = ExpressionIndex()
    put_all(index, {f"e{n:03}": f'resource.name.matches("[a-z]+-{n:03}-[0-9]+$")' for n in range(200)})
    assert index.matching({"name": "api-007-12"}) == ["e007"]
    assert len(asked) == 1
    put_all(index, {"more": 'resource.name.matches("-007-.*2$")'})
    index.remove("e007")
    index.remove("e008")
    index.put("e008", contexts.SELECTOR.compile('resource.name.matches("[a-z]+-008-[0-9]+$")'))
    assert index.matching({"name": "api-007-12"}) == ["more"]
    assert index.matching({"name": "api-008-12"}) == ["e008"]


def test_replacing_and_removing_expressions() -> None:
    index = ExpressionIndex()
    document = {"kind": "VM", "name": "us-east-1", "metadata": {"a": "1"}}
    for source in (
        'resource.kind == "VM"',
        'resource.name.startsWith("us-")',
        "has(resource.metadata.a)",
        "resource.name != ''",
        "true",
    ):
        put_all(index, {"e": source})
        assert index.matching(document) == ["e"]
        assert index.matching({}) == (["e"] if source == "true" else [])
    put_all(index, {"e": "false"})
    assert index.matching(document) == []
    assert (len(index), "e" in index, index.get("e")) == (1, True, contexts.SELECTOR.compile("false"))
    index.remove("e")
    index.remove("e")
    assert (len(index), index.get("e"), index.matching(document)) == (0, None, [])


@pytest.mark.parametrize(
    "document", [None, [], "text", {"kind": []}, {"kind": {}}, {"metadata": "x"}, {"kind": float("nan")}, {"kind": 10**400}]
)
def test_any_document_can_be_asked_about(document: Any) -> None:
    index = ExpressionIndex()
    put_all(
        index,
        {"a": 'resource.kind == "VM"', "b": 'resource.metadata.a == "1"', "c": 'resource.kind.startsWith("V")', "d": "true"},
    )
    assert index.matching(document) == ["d"]


@pytest.mark.parametrize("keys", [1, 5000])
def test_thousands_of_fields_under_a_small_and_a_large_document(keys: int) -> None:
    index = ExpressionIndex()
    put_all(index, {f"e{n:04}": f'resource.metadata.key{n} == "v"' for n in range(3000)})
    assert index.matching({"metadata": {"key7": "v", "other": "v", **{f"more{n}": "v" for n in range(keys)}}}) == ["e0007"]


def joined(source: str, documents: dict[str, Any]) -> JoinIndex:
    index = JoinIndex(PAIR.compile(source))
    for key, document in documents.items():
        index.put(key, document)
    return index


def test_related_both_ways_and_never_to_itself() -> None:
    index = joined(
        'from.kind == "VM" && to.kind in ["VPC", "VM"] && from.vpc == to.vpc',
        {
            "a": {"kind": "VM", "vpc": "1"},
            "b": {"kind": "VM", "vpc": "1"},
            "c": {"kind": "VPC", "vpc": "1"},
            "d": {"kind": "VPC", "vpc": "2"},
            "e": {"kind": "Bucket", "vpc": "1"},
            "f": {"kind": "VM"},
        },
    )
    assert index.is_joined
    assert index.related("a") == (["b", "c"], ["b"])
    assert index.related("c") == ([], ["a", "b"])
    assert index.related("d") == index.related("e") == index.related("f") == index.related("nobody") == ([], [])
    assert [index.comparisons(key) for key in "acdef"] == [5, 2, 0, 0, 0]
    index.remove("b")
    index.put("c", {"kind": "VPC", "vpc": "2"})
    assert index.related("a") == ([], [])
    assert (len(index), "b" in index) == (5, False)


@pytest.mark.parametrize(
    "source",
    [
        "from.a == to.b",
        "to.b == from.a",
        "!(from.a != to.b)",
        "from.a in to.l",
        "to.l.exists(x, x == from.a)",
        "from.a in to.m",
        "from.l.exists(x, x == to.b)",
        'from.a + "-x" == to.c',
        "from.a in [to.b, to.c]",
        "from.a == to.b || from.a == to.c",
        '(from.a == to.b && from.a != "zz") || from.a in to.l',
        "from.a.lowerAscii() == to.b.lowerAscii() && from.n < 5000",
    ],
)
def test_a_shared_value_is_looked_up(source: str) -> None:
    documents = {
        f"d{n:02}": {"a": f"v{n}", "b": f"v{n + 1}", "c": f"v{n + 4}-x", "l": [f"v{n + 2}", 1], "m": {f"v{n + 3}": 1}, "n": n}
        for n in range(40)
    }
    index = joined(source, documents)
    assert index.is_joined
    program = index.program
    for key, document in documents.items():
        out = [other for other, there in documents.items() if other != key and program.matches(**{"from": document, "to": there})]
        into = [
            other for other, there in documents.items() if other != key and program.matches(**{"from": there, "to": document})
        ]
        assert index.related(key) == (out, into)
        assert index.comparisons(key) <= 6
    assert any(index.related(key)[0] for key in documents)


@pytest.mark.parametrize(
    "source",
    [
        "from.n < to.n",
        "from.a != to.b",
        "to.a.startsWith(from.a)",
        "from.a == to.b || from.n < to.n",
        "[1].all(to, from.a == to)",
    ],
)
def test_without_a_shared_value_everyone_is_compared(source: str) -> None:
    index = joined(source, {f"d{n}": {"a": "v", "b": "w", "n": n} for n in range(9)})
    assert not index.is_joined
    assert index.comparisons("d0") == 18


@pytest.mark.parametrize(
    "one, other, related",
    [
        (1, 1.0, True),
        (2**53 + 1, float(2**53), True),
        (10**400, 10**400, True),
        (1, True, False),
        (True, True, True),
        (None, None, True),
        ([1, "a"], [1.0, "a"], True),
        ({"a": []}, {"a": []}, True),
        ([1], [2], False),
        (float("nan"), float("nan"), False),
        (MOMENT, "2026-01-02T04:04:05+01:00", True),
        ("2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", False),
        (b"a", "a", False),
        ("é", "é", True),
    ],
)
def test_values_that_are_equal_meet(one: Any, other: Any, related: bool) -> None:
    found = ["b"] if related else []
    assert joined("from.a == to.b", {"a": {"a": one}, "b": {"b": other}}).related("a") == (found, [])
    assert joined("from.a in to.b", {"a": {"a": one}, "b": {"b": [[], other]}}).related("a") == (found, [])


def test_an_error_on_a_pair_is_no_relation() -> None:
    index = joined(
        "from.a == to.a && from.n < to.n", {"a": {"a": 1, "n": 1}, "b": {"a": 1, "n": "x"}, "c": {"a": 1, "n": 2}, "d": None}
    )
    assert index.related("a") == (["c"], [])
    assert index.related("b") == index.related("d") == ([], [])


def test_a_pattern_filter_that_fails_rules_nothing_out() -> None:
    patterns = PatternFilter()
    for n in range(100):
        patterns.add(f"literal{n:02}")
    assert list(patterns.candidates("a literal07 b")) == ["literal07"]

    class Failed:
        def Match(self, text: bytes, *, potential: bool) -> list[int]:  # noqa: N802
            return []

    patterns._filter = Failed()
    assert len(list(patterns.candidates("a literal07 b"))) == 100
