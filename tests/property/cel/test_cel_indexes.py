"""Indexes against what they stand for: a scan over everything, after any history of changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from libs.cel import DocumentIndex, Environment, ExpressionIndex, JoinIndex, Program, document_index
from libs.cel.budget import Budget

SELECTOR = Environment("selector", {"resource": None})
RELATION = Environment("relation", {"from": None, "to": None})

TEXTS = (
    "prod",
    "staging",
    "us-east-1",
    "us-west",
    "us",
    "",
    "true",
    "1",
    "é",
    "2026-01-02T03:04:05Z",
    "2026-01-02T04:04:05+01:00",
)
SCALARS = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from([0, 1, 2, 1.0, 0.5, -0.0, True, False, None, float("nan"), 2**53 + 1, float(2**53), 10**400]),
)
VALUES = st.one_of(SCALARS, SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=2))
FIELDS = ("kind", "name", "m", "l")
DOCUMENTS: st.SearchStrategy[Any] = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(TEXTS[:3]), "name": st.sampled_from(TEXTS), "m": st.dictionaries(st.sampled_from("ab"), SCALARS)}
    ),
    SCALARS,
)
KEYS = st.sampled_from([f"k{n}" for n in range(12)])


def written(value: Any) -> str:
    """A constant of an expression."""
    if isinstance(value, str):
        return f'"{value}"'
    return {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else repr(value)


CONSTANTS = st.one_of(
    st.sampled_from(TEXTS), st.sampled_from([0, 1, 2, 1.0, 0.5, True, False, None, 2**53 + 1, float(2**53)])
).map(written)
QUOTED = st.sampled_from(TEXTS).map(written)


def paths(root: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["kind", "name", "m.a", 'm["a"]', "m.b", "l", "m", "nope"]).map(lambda field: f"{root}.{field}")


def conditions(root: str, depth: int) -> st.SearchStrategy[str]:
    """Texts of boolean expressions over one variable."""
    path = paths(root)
    leaf = st.one_of(
        st.tuples(path, st.sampled_from(["==", "==", "!=", "<", ">="]), CONSTANTS).map(" ".join),
        st.tuples(CONSTANTS, st.just("=="), path).map(" ".join),
        st.tuples(path, st.lists(CONSTANTS, min_size=1, max_size=3)).map(lambda x: f"{x[0]} in [{', '.join(x[1])}]"),
        st.tuples(QUOTED, path).map(lambda x: f"{x[0]} in {x[1]}"),
        st.tuples(path, st.sampled_from(["startsWith", "endsWith", "contains"]), QUOTED).map(lambda x: f"{x[0]}.{x[1]}({x[2]})"),
        st.tuples(path, st.sampled_from(["^us", "^us-?", "^us-(east|west)", "^us|prod", "st", "^u{2}", "^us-.*1$"])).map(
            lambda x: f'{x[0]}.matches("{x[1]}")'
        ),
        path.map(lambda x: f"has({x})"),
        st.tuples(path, path).map(lambda x: f"{x[0]} == {x[1]}"),
        st.tuples(path, CONSTANTS).map(lambda x: f"{x[0]}.exists(x, x == {x[1]})"),
        st.sampled_from(["true", "false"]),
        path,
    )
    if depth == 0:
        return leaf
    inner = conditions(root, depth - 1)
    return st.one_of(
        leaf,
        inner.map(lambda x: f"!({x})"),
        st.tuples(inner, st.sampled_from(["&&", "&&", "||"]), inner).map(lambda x: f"({x[0]} {x[1]} {x[2]})"),
        st.tuples(inner, inner, inner).map(lambda x: f"({x[0]} ? {x[1]} : {x[2]})"),
    )


def relations(depth: int) -> st.SearchStrategy[str]:
    """Texts of boolean expressions over two variables."""
    one, other = paths("from"), paths("to")
    leaf = st.one_of(
        st.tuples(one, other).map(lambda x: f"{x[0]} == {x[1]}"),
        st.tuples(other, one).map(lambda x: f"{x[0]} in {x[1]}"),
        st.tuples(one, other).map(lambda x: f"{x[0]} in {x[1]}"),
        st.tuples(one, other).map(lambda x: f"!({x[0]} != {x[1]})"),
        st.tuples(one, other).map(lambda x: f"{x[1]}.exists(x, {x[0]} == x)"),
        st.tuples(one, other).map(lambda x: f'{x[0]} + "-1" == {x[1]}'),
        st.tuples(one, other).map(lambda x: f"{x[1]}.startsWith({x[0]})"),
        conditions("from", 1),
        conditions("to", 1),
    )
    if depth == 0:
        return leaf
    inner = relations(depth - 1)
    return st.one_of(
        leaf,
        inner.map(lambda x: f"!({x})"),
        st.tuples(inner, st.sampled_from(["&&", "&&", "||"]), inner).map(lambda x: f"({x[0]} {x[1]} {x[2]})"),
    )


def scan(program: Program, documents: dict[str, Any]) -> list[str]:
    return sorted(key for key, document in documents.items() if program.verdict(resource=document).is_match)


def naive(program: Program, documents: dict[str, Any], key: str) -> tuple[list[str], list[str]]:
    def related(one: str, other: str) -> bool:
        return one != other and program.verdict(**{"from": documents[one], "to": documents[other]}).is_match

    return sorted(y for y in documents if related(key, y)), sorted(y for y in documents if related(y, key))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(conditions("resource", 2), min_size=1, max_size=6), st.lists(DOCUMENTS, max_size=12))
def test_conditions_are_necessary_and_sufficient_where_they_say_so(sources: list[str], documents: list[Any]) -> None:
    keyed = {f"k{n:02}": document for n, document in enumerate(documents)}
    expressions = ExpressionIndex()
    for source in sources:
        expressions.put(source, SELECTOR.compile(source))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(document_index, "FEWEST_DOCUMENTS", 0)
        patched.setattr(document_index, "MOST_SHARE", 1.0)
        index = DocumentIndex()
        for key, document in keyed.items():
            index.put(key, document)
        for source in sources:
            program = SELECTOR.compile(source)
            assert index.select(program) == scan(program, keyed), source
            assert index.select(program) == scan(program, keyed), source
    for document in documents:
        expected = sorted(source for source in sources if SELECTOR.compile(source).verdict(resource=document).is_match)
        assert expressions.matching(document) == list(dict.fromkeys(expected)), document


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(relations(2), st.lists(DOCUMENTS, max_size=8))
def test_related_is_what_comparing_all_pairs_gives(source: str, documents: list[Any]) -> None:
    program = RELATION.compile(source)
    index = JoinIndex(program)
    keyed = {f"k{n:02}": document for n, document in enumerate(documents)}
    for key, document in keyed.items():
        index.put(key, document)
    for key in keyed:
        assert index.related(key) == naive(program, keyed, key), source
        assert index.comparisons(key) >= sum(map(len, index.related(key)))


@settings(max_examples=300, deadline=None)
@given(relations(2), st.lists(DOCUMENTS, max_size=8), st.integers(0, 400))
def test_many_documents_at_once_are_as_many_documents(source: str, documents: list[Any], most: int) -> None:
    program = RELATION.compile(source)
    keyed = {f"k{n:02}": document for n, document in enumerate(documents)}
    filled, one_by_one = JoinIndex(program), JoinIndex(program)
    filled.fill(dict(reversed(keyed.items())))
    for key, document in keyed.items():
        one_by_one.put(key, document)
    assert filled.steps == one_by_one.steps, source
    for key, document in keyed.items():
        assert filled.related(key) == one_by_one.related(key), source
        assert filled.comparisons(key) == one_by_one.comparisons(key), source
        assert not any(filled.related(key)) or filled.may_relate(document), source
    outgoing = {key: found for key in keyed if (found := naive(program, keyed, key)[0])}
    assert dict(filled.all_related(Budget(1_000_000))) == outgoing, source
    assert filled.all_comparisons() >= sum(map(len, outgoing.values()))
    bounded, bounded_too = JoinIndex(program, most), JoinIndex(program, most)
    bounded.fill(keyed)
    for key, document in keyed.items():
        bounded_too.put(key, document)
    for index in (bounded, bounded_too):
        # What one expression may take is rounded down, so that it may be refused a little before the bound, and never after it.
        assert index.is_beyond or filled.steps <= most, source
        assert not index.is_beyond or most < 2 * filled.steps + 10, source


class Histories(RuleBasedStateMachine):
    """Random puts and removes on all three indexes, each compared with a scan whenever it is asked."""

    @initialize(relation=relations(1), asked=st.lists(conditions("resource", 1), min_size=3, max_size=3))
    def start(self, relation: str, asked: list[str]) -> None:
        self.patch = pytest.MonkeyPatch()
        for name, value in {"FEWEST_DOCUMENTS": 0, "MOST_SHARE": 0.9, "MOST_COLUMNS": 3}.items():
            self.patch.setattr(document_index, name, value)
        self.relation = RELATION.compile(relation)
        self.asked = [SELECTOR.compile(source) for source in asked]
        self.documents: dict[str, Any] = {}
        self.programs: dict[str, Program] = {}
        self.of_documents, self.of_expressions, self.joined = DocumentIndex(), ExpressionIndex(), JoinIndex(self.relation)

    def teardown(self) -> None:
        if hasattr(self, "patch"):
            self.patch.undo()

    @rule(key=KEYS, document=DOCUMENTS)
    def put_document(self, key: str, document: Any) -> None:
        self.documents[key] = document
        self.of_documents.put(key, document)
        self.joined.put(key, document)

    @rule(key=KEYS)
    def remove_document(self, key: str) -> None:
        self.documents.pop(key, None)
        self.of_documents.remove(key)
        self.joined.remove(key)

    @rule(key=KEYS, source=conditions("resource", 1))
    def put_expression(self, key: str, source: str) -> None:
        self.programs[key] = SELECTOR.compile(source)
        self.of_expressions.put(key, self.programs[key])

    @rule(key=KEYS)
    def remove_expression(self, key: str) -> None:
        self.programs.pop(key, None)
        self.of_expressions.remove(key)

    @rule()
    def select(self) -> None:
        for program in self.asked:
            assert self.of_documents.select(program) == scan(program, self.documents)

    @rule(document=DOCUMENTS)
    def match(self, document: Any) -> None:
        expected = sorted(key for key, one in self.programs.items() if one.verdict(resource=document).is_match)
        assert self.of_expressions.matching(document) == expected

    @rule(key=KEYS)
    def relate(self, key: str) -> None:
        if key in self.documents:
            assert self.joined.related(key) == naive(self.relation, self.documents, key)
        else:
            assert (self.joined.related(key), self.joined.comparisons(key)) == (([], []), 0)

    @invariant()
    def counted(self) -> None:
        if hasattr(self, "documents"):
            anew = JoinIndex(self.relation)
            anew.fill(self.documents)
            assert anew.steps == self.joined.steps, "what it costs follows from what is there"
            assert (len(self.of_documents), len(self.joined)) == (len(self.documents), len(self.documents))
            assert list(self.of_documents) == sorted(self.documents)
            assert len(self.of_expressions) == len(self.programs)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@settings(max_examples=100, deadline=None)
@given(conditions("environment", 2), DOCUMENTS)
def test_conditions_on_other_variables_do_not_mislead(source: str, document: Any) -> None:
    program = Environment("both", {"resource": None, "environment": None}).compile(source)
    index, documents = ExpressionIndex(), DocumentIndex()
    index.put("k", program)
    documents.put("k", document)
    expected = ["k"] if program.verdict(resource=document).is_match else []
    assert index.matching(document) == expected
    assert documents.select(program) == expected
