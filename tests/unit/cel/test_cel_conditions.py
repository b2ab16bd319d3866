"""What a document must look like for an expression to be true of it."""

from __future__ import annotations

import pytest

from libs.cel import Environment, Program
from libs.cel.conditions import prefix_of_regex

OPEN = Environment("open", {"x": None, "y": None})


def compiled(source: str) -> Program:
    return OPEN.compile(source)


def shown(source: str) -> list[list[str]]:
    """The conditions, each alternative as `kind path value`."""
    return [
        [" ".join([one.kind, ".".join(one.path), *([] if one.value is None else [repr(one.value)])]) for one in alternatives]
        for alternatives in compiled(source).conditions.every
    ]


@pytest.mark.parametrize(
    "source, expected",
    [
        ('x.a == "v"', [["eq x.a 'v'"]]),
        ('"v" == x.a', [["eq x.a 'v'"]]),
        ('x.m["k.io/a"] == 3', [["eq x.m.k.io/a 3"]]),
        ('!(x.a != "v")', [["eq x.a 'v'"]]),
        ('x.a in ["v", "w"]', [["eq x.a 'v'", "eq x.a 'w'"]]),
        ('x.a.startsWith("us-")', [["prefix x.a 'us-'"]]),
        ('x.a.matches("^us-[a-z]+$")', [["prefix x.a 'us-'"], ["regex x.a '^us-[a-z]+$'"]]),
        ('x.a.matches("east")', [["regex x.a 'east'"]]),
        ("has(x.a.b)", [["has x.a.b"]]),
        ('has(x.m["k"])', [["has x.m"]]),
        ("x.a.b", [["eq x.a.b True", *(f"eq x.a.b {text!r}" for text in ("1", "T", "TRUE", "True", "t", "true"))]]),
        ("x.a && x.b", [["eq x.a True"], ["eq x.b True"]]),
        ("!x.a", [["eq x.a False"]]),
        ('x.a == "v" && y.b == "w"', [["eq x.a 'v'"], ["eq y.b 'w'"]]),
        ('x.a == "v" || x.b == "w"', [["eq x.a 'v'", "eq x.b 'w'"]]),
        ('!(x.a != "v" || x.b != "w")', [["eq x.a 'v'"], ["eq x.b 'w'"]]),
        ('x.a == "v" ? x.b == "w" : x.c == "z"', [["eq x.a 'v'", "eq x.c 'z'"]]),
        ('x.a != "v"', [["has x.a"]]),
        ("x.a < 3 && x.b + 1 > x.c", [["has x.a"], ["has x.b"], ["has x.c"]]),
        ('size(x.a) > 1 && x.b.contains("v")', [["has x.a"], ["has x.b"]]),
        ('x.l.exists(i, i == x.a) && x.l.all(i, i == "v")', [["has x.l"], ["has x.l"]]),
        ('"v" in x.l', [["has x.l"]]),
        ("x.a == null", [["has x.a"]]),
        ("x.a == y.b", [["has x.a"], ["has y.b"]]),
        ('x.a == "v" || true', []),
        ('x.a == "v" || 1 < 2', []),
        ("true", []),
        ('x == "v"', []),
    ],
)
def test_conditions(source: str, expected: list[list[str]]) -> None:
    assert shown(source) == expected


@pytest.mark.parametrize(
    "source, whole",
    [
        ('x.a == "v"', True),
        ('x.a in ["v", "w"]', True),
        ('x.a.startsWith("us-") && has(x.b)', True),
        ('x.a == "v" || x.b == "w"', True),
        ("true", True),
        ("x.a == 1", False),
        ("x.a", False),
        ('x.a == "v" && x.b < 3', False),
        ('(x.a == "v" && x.b == "w") || x.c == "z"', False),
        ('x.a.matches("^us-")', False),
        ('x.a == "v" ? true : false', False),
    ],
)
def test_conditions_that_are_all_there_is(source: str, whole: bool) -> None:
    assert compiled(source).conditions.whole is whole


@pytest.mark.parametrize(
    "source",
    [
        'x.a == "2026-01-02T03:04:05Z"',
        'x.a in ["v", "2026-01-02T03:04:05Z"]',
        "x.a == 9007199254740993",
        "x.a == 9007199254740992.0",
    ],
)
def test_what_equals_values_of_another_hash_is_not_looked_up(source: str) -> None:
    assert shown(source) == [["has x.a"]]


def test_a_long_list_is_not_looked_up_value_by_value() -> None:
    listed = ", ".join(f'"{n}"' for n in range(257))
    assert shown(f"x.a in [{listed}]") == [["has x.a"]]


@pytest.mark.parametrize(
    "pattern, prefix",
    [
        ("^us-", "us-"),
        ("^us-east.*", "us-east"),
        ("^us-?", "us"),
        ("^us-*", "us"),
        ("^us-{2}", "us"),
        ("^us-+", "us-"),
        (r"^v2\.1", "v2.1"),
        (r"^v2\.?", "v2"),
        (r"^v\d", "v"),
        ("^us|eu", ""),
        ("us", ""),
        ("^(us)", ""),
        ("(?i)^us", ""),
    ],
)
def test_prefix_of_a_regular_expression(pattern: str, prefix: str) -> None:
    assert prefix_of_regex(pattern) == prefix
