"""Which label selectors an API server can read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.kubernetes.label_selectors import problem_of


@pytest.mark.parametrize(
    "selector",
    [
        "app=shop", "app==shop", "app != shop", "app", "!app", "! app", "app=", "a>5", "a < 10", "in in (a)", " app = shop , tier ",
        "app=shop,tier in (web, api),env notin (dev),!canary", "app in(a)", "a in (x,)", "example.com/app-name_1.2=v1.2_3-x", "a notin ( b )", "",
    ],
)  # fmt: skip
def test_what_kubectl_takes_is_taken(selector: str) -> None:
    assert problem_of(selector) is None


def test_a_selector_of_any_length_is_read_in_no_time() -> None:
    assert problem_of("a," * 500_000 + "a") is None
    assert problem_of("a" * 1_000_000) is not None


@pytest.mark.parametrize(
    "selector,said",
    [
        ("a in (", "a bracket of the selector is not closed"),
        ("a in (b))", "a bracket of the selector is not closed, or was never opened"),
        ("a in ((b))", "a bracket of the selector"),
        ("a in ()", "names no value"),
        ("a in b", "is no requirement"),
        ("a,", "nothing between two commas"),
        (",a", "nothing between two commas"),
        ("a,,b", "nothing between two commas"),
        ("=b", "is no requirement"),
        ("a b", "is no requirement"),
        ("a=b c", "is no requirement"),
        ("a>b", "is no requirement"),
        ("a===b", "is no requirement"),
        ("a && b", "is no requirement"),
        ("a&=b", "is no key of a label"),
        ("-a=b", "is no key of a label"),
        ("a/b/c=d", "is no key of a label"),
        ("Example/a=b", "is no key of a label"),
        ("a" * 64, "is no key of a label"),
        ("a=b/c", "is no value of a label"),
        ("a in (b, -c)", "'-c' is no value of a label"),
        ("a=" + "b" * 64, "is no value of a label"),
    ],
)
def test_what_can_not_be_read_is_told(selector: str, said: str) -> None:
    assert said in (problem_of(selector) or "")


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,10}[A-Za-z0-9])?", fullmatch=True)
REQUIREMENTS = st.one_of(
    NAMES,
    st.builds("{}={}".format, NAMES, NAMES),
    st.builds("{} != {}".format, NAMES, NAMES),
    st.builds(lambda key, values: f"{key} notin ({', '.join(values)})", NAMES, st.lists(NAMES, min_size=1, max_size=3)),
)


@given(st.lists(REQUIREMENTS, min_size=1, max_size=4))
def test_requirements_are_put_together_with_commas(parts: list[str]) -> None:
    assert problem_of(",".join(parts)) is None
    assert problem_of(",".join(parts) + ",") is not None


@given(st.text(max_size=40))
def test_something_is_said_of_everything(selector: str) -> None:
    assert problem_of(selector) != ""
