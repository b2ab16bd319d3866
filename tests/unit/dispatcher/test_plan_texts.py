"""What a pull request reads of a plan: how checks end, and that nothing from outside breaks out of its place."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.facts.dispatcher import PlanResultRecorded, PlanValidation
from services.dispatcher.adapters import plan_texts
from services.dispatcher.adapters.plan_texts import (
    MAX_OUTPUT,
    Told,
    code,
    comment,
    conclusion_of,
    differences,
    fenced,
    output_of,
)
from services.dispatcher.plan_state import Tally

AT = datetime(2026, 1, 1, tzinfo=UTC)


def told(**more: Any) -> Told:
    whole = {
        "plan_id": "p",
        "deployment_id": "d",
        "result_id": "r",
        "status": "completed",
        "has_changes": True,
        "recorded_at": AT,
    }
    return Told("prod", "eu-1", "argo", "argo-cd", PlanResultRecorded.model_validate(whole | more))


def objecting(*violations: str, error: str | None = None) -> PlanValidation:
    return PlanValidation(policy_id="p", rule_id="r", name="no-downtime", passed=False, violations=violations, error=error)


@pytest.mark.parametrize(
    "tally,conclusion",
    [
        (Tally(total=2, changed=1, unchanged=1), "neutral"),
        (Tally(total=2, unchanged=2), "success"),
        (Tally(total=2, unchanged=1, unsupported=1), "success"),
        (Tally(total=2, unsupported=2), "skipped"),
        (Tally(total=2, unsupported=1, errored=1), "failure"),
        (Tally(total=2, unchanged=1, violated=1), "failure"),
        (Tally(total=2, changed=2, violated=1), "failure"),
        (Tally(total=3, open=2, errored=1), "failure"),
        (Tally(total=1), "neutral"),
    ],
)
def test_how_a_check_ends(tally: Tally, conclusion: str) -> None:
    assert conclusion_of(tally) == conclusion


@pytest.mark.parametrize(
    "tally,title",
    [
        (Tally(total=3, open=2, changed=1), "1 of 3 results"),
        (Tally(total=3, open=1, errored=1, violated=1), "1 dry run failed, 1 result objected to"),
        (Tally(total=2, changed=2), "2 results with changes"),
        (Tally(total=2, unchanged=2), "No changes"),
        (Tally(total=1, unsupported=1), "No agent here can tell"),
        (Tally(total=1), "It is not known whether anything changes"),
    ],
)
def test_a_title_says_it_in_a_few_words(tally: Tally, title: str) -> None:
    assert output_of(tally, "v2", []).title == title


def test_a_summary_shows_the_differences_the_message_and_who_objects() -> None:
    result = told(
        current="a: 1\nb: 2\n", proposed="a: 1\nb: 3\n", message="1 to change", validations=(objecting("b grows", "b is 3"),)
    )
    summary = output_of(Tally(total=1, changed=1, violated=1), "v2", [result]).summary
    assert "`prod` `eu-1` by `argo` (`argo-cd`): changes" in summary
    assert "1 to change" in summary
    assert "-b: 2\n+b: 3" in summary
    assert "**`no-downtime`** objects:\n\n```\nb grows\nb is 3\n```" in summary


def test_a_rule_that_could_not_be_asked_is_told_from_one_that_objects() -> None:
    summary = output_of(Tally(total=1, violated=1), "v2", [told(validations=(objecting(error="line 3: no such thing"),))]).summary
    assert "could not be asked" in summary
    assert "line 3: no such thing" in summary


def test_what_agreed_is_not_told() -> None:
    agreed = PlanValidation(policy_id="p", rule_id="r", name="no-downtime", passed=True)
    assert "no-downtime" not in output_of(Tally(total=1, changed=1), "v2", [told(validations=(agreed,))]).summary


def test_a_summary_never_grows_beyond_what_github_takes_and_says_what_is_left_out() -> None:
    many = [told(current="", proposed="\n".join(f"ü{n}{k}" * 30 for k in range(300))) for n in range(20)]
    summary = output_of(Tally(total=30, changed=30), "v2", many).summary
    assert MAX_OUTPUT / 2 < len(summary.encode()) < 65_535
    assert "would not fit here." in summary
    assert summary.count("```diff\n") == summary.count("\n```\n\n</details>")
    assert "28 further results are in the plan." in output_of(Tally(total=30, changed=30), "v2", many[:2]).summary


@given(st.text(alphabet="`@<-!> \nab", max_size=60))
def test_a_name_stays_inside_its_code_span(text: str) -> None:
    span = code(text)
    ticks = re.match("`+", span)
    assert ticks is not None
    assert span.endswith(ticks[0])
    inner = span[len(ticks[0]) : -len(ticks[0])]
    assert ticks[0] not in re.findall("`+", inner)
    assert "\n" not in span


@given(st.text(alphabet="`~ \nab", max_size=80))
def test_a_text_stays_inside_its_fence(text: str) -> None:
    first, *lines = fenced(text).split("\n")
    assert set(first) == {"`"}
    assert lines[-1] == first
    assert all(not line.lstrip().startswith(first) for line in lines[:-1])


def test_a_comment_leads_to_the_plan_where_there_is_a_link() -> None:
    tally = Tally(total=2, changed=1, errored=1)
    body = comment("<!-- mark -->", "v2", "shop", 2, tally, "https://r.example.com/plan", done=True)
    assert body.startswith("<!-- mark -->\n")
    assert "[The plan](https://r.example.com/plan)" in body
    assert "2 targets, 2 dry runs: 1 with changes, 1 failed." in body
    assert "objected to" in body
    assert "[The plan]" not in comment("<!-- mark -->", "v2", "shop", 2, tally, "", done=False)


@pytest.mark.parametrize("targets,said", [(0, "no targets"), (3, "no agent takes its 3 targets")])
def test_a_comment_says_why_nothing_is_planned(targets: int, said: str) -> None:
    assert said in comment("<!-- mark -->", "v2", "shop", targets, Tally(), "", done=True)


# --- differences -----------------------------------------------------------------------------------------------------------------


def test_far_apart_changes_are_shown_with_what_is_around_them() -> None:
    before = [str(n) for n in range(100)]
    after = ["x" if n in (10, 80) else str(n) for n in range(100)]
    lines = differences("\n".join(before), "\n".join(after)).splitlines()
    assert [line for line in lines if line[0] in "+-"] == ["-10", "+x", "-80", "+x"]
    assert len(lines) == 2 * (1 + 3 + 2 + 3)


def test_many_differences_are_cut_and_counted() -> None:
    text = differences("", "\n".join(str(n) for n in range(500)))
    assert len(text.splitlines()) == plan_texts.MAX_DIFF_LINES + 1
    assert text.endswith(f"… and {501 - plan_texts.MAX_DIFF_LINES} further lines")


def test_texts_that_differ_all_over_are_not_compared() -> None:
    many = plan_texts.MAX_COMPARED + 1
    text = differences("\n".join(f"a{n}" for n in range(many)), "\n".join(f"b{n}" for n in range(many)))
    assert text == f"The texts differ in too many lines to be compared here: {many} would become {many}."


def test_a_comparison_that_is_meant_to_take_long_ends_soon() -> None:
    size = plan_texts.MAX_COMPARED - 10
    before = "\n".join(str((n * 7919) % 97) for n in range(size))
    after = "\n".join(str((n * 104729) % 89) for n in range(size))
    begun = time.process_time()
    assert differences(before, after)
    assert time.process_time() - begun < 10


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_differences_tell_exactly_what_differs(before: list[str], after: list[str]) -> None:
    text = differences("\n".join(before), "\n".join(after))
    assert (text == "") == (before == after)
    lines = text.splitlines()
    gone, come = ([line[1:] for line in lines if line.startswith(sign)] for sign in "-+")
    rest = list(before)
    for one in gone:
        rest.remove(one)
    assert sorted([*rest, *come]) == sorted(after)
