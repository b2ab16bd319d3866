"""Expressions written to hang or flood the process: refused when saved, or stopped by the budget. No test here reads a clock."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from libs.cel import CelError, CelProblems, DocumentIndex, Environment, ExpressionIndex, JoinIndex, Outcome, Program, limits
from libs.cel.budget import Budget
from libs.cel.exact import compile_exact
from libs.cel.native import compile_matches
from libs.cel.parse import parse

OPEN = Environment("open", {"x": None})
DIGITS = f"[{', '.join(map(str, range(10)))}]"


def nested(levels: int, macro: str) -> str:
    text = "true" if macro == "all" else "1"
    for level in range(levels):
        text = f"{DIGITS}.{macro}(v{level}, {text})"
    return text


@pytest.mark.parametrize(
    "source, code",
    [
        ("(" * 100 + "1" + ")" * 100, "too_deep"),
        ("(" * 100_000, "too_long"),
        ("!" * 1001 + "true", "too_deep"),
        ("-" * 1001 + "x", "too_deep"),
        ("[" * 500 + "]" * 500, "too_deep"),
        ('{"a":' * 300 + "1" + "}" * 300, "too_deep"),
        ("true ? 1 : " * 300 + "1", "too_deep"),
        ("x" + ".a" * 500, "too_deep"),
        ("+".join(["1"] * 500), "too_deep"),
        ("x" + "[0]" * 300, "too_deep"),
        (" && ".join(["true"] * 1000), "too_long"),
        ("[" + ",".join(["1"] * 1500) + "]", "too_long"),
        ('size("' + "a" * 1_000_000 + '")', "too_long"),
        ('"' + r"\\" * 16, "unterminated_string"),
        ('"' + r"\n" * 500, "unterminated_string"),
        ('r"\\" ' + r"\n" * 500, "syntax"),
        ("'''" + r"\n" * 500, "unterminated_string"),
        ('"""a"' + "\r\n" * 500, "syntax"),
        ("1" * 4000, "out_of_range"),
        ('"a".matches("(a{1000}){1000}")', "bad_regex"),
        ('"aa".matches("(?=a)a")', "bad_regex"),
        ('"a".matches("' + "a" * 300 + '")', "bad_regex"),
        ('duration("' + "9" * 400 + 'h") == x', "bad_duration"),
        ("__class__", "unknown_variable"),
        ("x.__class__()", "unknown_function"),
    ],
)
def test_refused_when_saved(source: str, code: str) -> None:
    with pytest.raises(CelProblems) as caught:
        OPEN.compile(source)
    assert caught.value.problems[0].code == code


def test_long_harmless_chains_pass() -> None:
    assert OPEN.compile(" && ".join(["x.a == 1"] * 255)).matches(x={"a": 1})
    assert OPEN.compile(" || ".join(["false"] * 400 + ["true"])).matches()
    assert OPEN.compile('"' + r"\n" * 1000 + '".size() == 1000').matches()
    assert OPEN.compile('r"\\" == "\\\\" // ' + r"\n" * 1000).matches()


def guarded(source: str) -> Program:
    """Compile it so that the trial run without a document does not reach it."""
    return OPEN.compile(f"has(x.text) ? ({source}) : false")


ENDLESS = [
    nested(5, "all"),
    nested(8, "all"),
    nested(7, "map") + " == []",
    '["aaaaaaaaaaaaaaaa"]' + ".map(s, s+s+s+s)" * 13 + " == []",
    "[[1,2,3,4]]" + ".map(s, s+s)" * 26 + " == []",
    "[0]" + ".map(s, [s,s])" * 40 + " == [0]" + ".map(s, [s,s])" * 40,
    '"%s".format([[0]' + ".map(s, [s,s])" * 40 + ']) == ""',
    "size([0]" + ".map(s, [s,s])" * 40 + ".flatten(60)) > 0",
    "size(lists.range(1000000000)) > 0",
    "lists.range(900000).distinct().size() > 0",
    "lists.range(90000).all(a, !sets.contains(lists.range(1000), [a - a - 1]))",
    'lists.range(90000).all(a, size("' + "b" * 900 + '".replace("", "' + "c" * 900 + '")) > 0)',
]


@pytest.mark.parametrize("source", ENDLESS)
def test_refused_when_no_document_could_end_it(source: str) -> None:
    assert [p.code for p in OPEN.check(source)] == ["too_expensive"]


@pytest.mark.parametrize(
    "source",
    [
        *ENDLESS,
        "lists.range(90000).all(a, x.text.contains('zz') || true)",
        "lists.range(90000).all(a, x.text.matches('^(a+)+$') || true)",
    ],
)
def test_stopped_by_the_budget(source: str) -> None:
    program, document = guarded(source), {"text": "a" * 100_000}
    verdict = program.verdict(x=document)
    assert (verdict.outcome, verdict.kind) == (Outcome.ERROR, "cost")
    assert program.matches(x=document) is False


def test_a_filter_has_one_budget_for_all_documents() -> None:
    program = guarded(nested(5, "all"))
    asked: list[int] = []
    evaluate = compile_exact(program.tree)

    def counting(scope: dict[str, Any], budget: Budget) -> Any:
        asked.append(budget.left)
        return evaluate(scope, budget)

    program._exact = counting
    assert program.filter([{"text": ""}] * 1000) == []
    assert len(asked) == 21
    assert sum(asked) == limits.FILTER_STEPS + 1000 * limits.FILTER_STEPS_PER_ROW


def test_value_that_shares_its_parts_too_often_is_not_handed_out() -> None:
    program = OPEN.compile("[0]" + ".map(s, [s,s])" * 40)
    with pytest.raises(CelError, match="cost limit exceeded"):
        program.value()


def test_running_out_is_not_absorbed() -> None:
    endless = nested(6, "all")
    for source in (f"{endless} || true", f"[1].exists(y, {endless} || y == 1)", f"!({endless} && false)"):
        assert guarded(source).verdict(x={"text": ""}).kind == "cost"


def test_regexes_that_make_backtracking_engines_hang() -> None:
    text = "a" * 3000 + "!"
    assert not OPEN.compile('x.matches("^(a+)+$")').matches(x=text)
    assert not OPEN.compile('x.matches("' + "(.*)" * 25 + 'b$")').matches(x=text)


def test_deep_documents_are_an_error_and_not_a_crash() -> None:
    deep: Any = 1
    other: Any = 2
    for _ in range(5000):
        deep, other = [deep], [other]
    program = OPEN.compile("x.a == x.b")
    assert program.verdict(x={"a": deep, "b": other}).kind == "cost"
    assert program.matches(x={"a": deep, "b": other}) is False


def test_huge_numbers_in_documents_are_an_error_and_not_a_crash() -> None:
    program = OPEN.compile("x.n < 1.5 || x.n == 2.5")
    assert program.verdict(x={"n": 10**400}).kind == "range"
    assert program.matches(x={"n": 10**400}) is False


def test_nested_conditions_do_not_double_the_generated_code() -> None:
    source = "x.a"
    for _ in range(14):
        source = f"(({source}) ? x.b : x.c)"
    assert OPEN.compile(source).matches(x={"a": True, "b": True, "c": False})
    asked: list[dict[str, Any]] = []

    def slow(variables: dict[str, Any]) -> bool:
        asked.append(variables)
        return True

    assert compile_matches(parse(source), ("x",), slow)({"x": {}})
    assert asked == [{"x": {}}]


@pytest.mark.parametrize("text", ["');import os#", '");boom("', "{0}%s\\", "\n'''\"\"\"", "\u2028\x00"])
def test_text_of_the_user_stays_text_in_generated_code(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    program = OPEN.compile(f'x["{quoted}"] == "{quoted}" && x["{quoted}"].startsWith("{quoted}")')
    assert program.matches(x={text: text})
    assert program.filter([{text: text}, {text: "other"}]) == [0]


def test_threads_share_parser_and_programs() -> None:
    failures: list[str] = []
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        for round_ in range(40):
            program = OPEN.compile(f"x.n == {number * 1000 + round_}")
            shared = OPEN.compile(f"x.n > {round_}")
            if not program.matches(x={"n": number * 1000 + round_}) or shared.matches(x={"n": round_}):
                failures.append(program.source)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


HOSTILE_PATTERNS = [f".*{'ab'[n % 2]}.{{{n % 20}}}{'ba'[n % 2]}" for n in range(300)]


def test_patterns_that_blow_up_one_automaton_of_all_do_no_harm_to_an_index() -> None:
    index = ExpressionIndex("x")
    for n, pattern in enumerate(HOSTILE_PATTERNS):
        index.put(f"e{n:03}", OPEN.compile(f'x.a.matches("{pattern}")'))
    text = "".join("ab"[n.bit_count() % 2] for n in range(300))
    expected = [
        f"e{n:03}"
        for n, pattern in enumerate(HOSTILE_PATTERNS)
        if OPEN.compile(f'x.a.matches("{pattern}")').matches(x={"a": text})
    ]
    assert index.matching({"a": text}) == expected != []


def test_expressions_as_wide_as_allowed_can_be_indexed() -> None:
    wide = " || ".join(f'x.k{n} == "{n}"' for n in range(190))
    many = f"x.a in [{', '.join(map(str, range(800)))}]"
    index, documents = ExpressionIndex("x"), DocumentIndex("x")
    index.put("wide", OPEN.compile(wide))
    index.put("many", OPEN.compile(many))
    for n in range(300):
        documents.put(f"d{n:03}", {f"k{n}": str(n), "a": n})
    assert index.matching({"k7": "7", "a": 799}) == ["many", "wide"]
    assert documents.select(OPEN.compile(wide)) == [f"d{n:03}" for n in range(190)]
    assert len(documents.select(OPEN.compile(many))) == 300


def test_a_relation_that_compares_everyone_says_so_before_it_does() -> None:
    index = JoinIndex(Environment("pair", {"a": None, "b": None}).compile("a.x != b.x"))
    for n in range(100):
        index.put(f"d{n:03}", {"x": n})
    assert index.comparisons("d000") == 200
    assert index.related("d000") == ([f"d{n:03}" for n in range(1, 100)],) * 2


def test_limits_are_the_documented_ones() -> None:
    assert OPEN.check("true" + " " * (limits.SOURCE_CHARS - 4)) == []
    assert [p.code for p in OPEN.check("1 == 1" + " " * (limits.SOURCE_CHARS - 5))] == ["too_long"]
