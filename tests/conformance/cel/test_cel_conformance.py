"""The language definition in cases: our engine gives every one, and other engines agree where they are not known to differ."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from libs.cel import CelProblems, Environment
from tests.conformance.cel import (
    arithmetic,
    basic,
    collections_packs,
    comparisons,
    conversions,
    fields,
    grammar,
    known,
    lists,
    logic,
    macros,
    math_pack,
    strings,
    strings_pack,
    times,
)
from tests.conformance.cel.case import ERROR, Case
from tests.conformance.cel.engines import by_cel_python, by_google, ours, same

TABLES: tuple[ModuleType, ...] = (
    arithmetic, basic, collections_packs, comparisons, conversions, fields, grammar, lists, logic, macros, math_pack, strings,
    strings_pack, times,
)  # fmt: skip
CASES = {(table.__name__.rpartition(".")[2], case.source): case for table in TABLES for case in table.CASES}


def expectations(differences: known.Differences, lacks: frozenset[str] = frozenset()) -> list[Any]:
    """All cases an engine is asked, each with the reason why it is known to answer otherwise, None if it must agree."""
    reasons = {case: reason for reason, cases in differences.items() for case in cases}
    assert len(reasons) == sum(map(len, differences.values())), "a case stands in the list twice"
    assert reasons.keys() <= CASES.keys(), f"no such cases: {sorted(reasons.keys() - CASES.keys())}"
    return [
        pytest.param(case, reasons.get(key), id=f"{key[0]}: {key[1]}".encode("unicode_escape").decode())
        for key, case in CASES.items()
        if key[0] not in lacks
    ]


def compare(answer: Callable[[Case], Any], case: Case, reason: str | None, *, unsigned: bool = True) -> None:
    found = answer(case)
    agrees = same(found, case.expected, unsigned=unsigned)
    if reason is None:
        assert agrees, f"{case.source} gave {found!r}, not {case.expected!r}"
    else:
        assert not agrees, f"{case.source} agrees now: take it off the list of {reason!r}"


def test_no_case_is_told_twice() -> None:
    assert len(CASES) == sum(len(table.CASES) for table in TABLES)


@pytest.mark.parametrize("case, reason", expectations(known.OURS))
def test_ours(case: Case, reason: str | None) -> None:
    compare(ours, case, reason)


@pytest.mark.parametrize("case, reason", expectations(known.GOOGLE, known.GOOGLE_LACKS))
def test_google_agrees(case: Case, reason: str | None) -> None:
    compare(by_google, case, reason, unsigned=False)


@pytest.mark.parametrize("case, reason", expectations(known.CEL_PYTHON, known.CEL_PYTHON_LACKS))
def test_cel_python_agrees(case: Case, reason: str | None) -> None:
    compare(by_cel_python, case, reason)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{key[0]}: {key[1]}".encode("unicode_escape").decode()) for key, case in CASES.items()]
)
def test_both_our_back_ends_agree(case: Case) -> None:
    environment = Environment("case", {**dict.fromkeys(case.variables), "row": None})
    try:
        program = environment.compile(case.source)
    except CelProblems:
        assert case.expected is ERROR or case.source in {source for cases in known.OURS.values() for _, source in cases}
        return
    expected = program.verdict(**case.variables).is_match
    assert program.matches(**case.variables) is expected
    assert program.filter([1, 2], "row", **case.variables) == ([0, 1] if expected else [])
