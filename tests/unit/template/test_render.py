"""What templates render to, and which are refused where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.template import MAX_TEXT, TemplateError, render

CONTEXT: dict[str, Any] = {
    "version": {"tag": "v2.0.0", "metadata": {"git/sha": "abc", "a}}b": "braces", 'q"q': "quote"}},
    "resource": {"name": "eu-1", "config": {"port": 8080, "weight": 1000000.0, "ratio": 0.5, "on": True, "hosts": ["a", "b"]}},
    "variables": {"absent": None},
}


@pytest.mark.parametrize(
    "text,expected",
    [
        ("", ""),
        ("no fields, but } and { and }}", "no fields, but } and { and }}"),
        ("{{.version.tag}}", "v2.0.0"),
        ("a {{ .version.tag }} b {{.resource.name}}", "a v2.0.0 b eu-1"),
        ('{{ index .version.metadata "git/sha" }}', "abc"),
        ('{{index .version "metadata" "git/sha"}}', "abc"),
        ('{{index .version.metadata "a}}b"}}', "braces"),
        (r'{{index .version.metadata "q\"q"}}', "quote"),
        ("{{.resource.config.port}}", "8080"),
        ("{{.resource.config.weight}}", "1000000"),
        ("{{.resource.config.ratio}}", "0.5"),
        ("{{.resource.config.on}}", "true"),
        ("{{.resource.config.hosts}}", "[a b]"),
        ("{{.version.metadata.missing}}", "<no value>"),
        ("{{.nobody.knows.this}}", "<no value>"),
        ("{{.version.tag.deeper}}", "<no value>"),
        ("{{.variables.absent}}", "<no value>"),
        ('{{index .version.metadata "missing"}}', "<no value>"),
    ],
)
def test_fields_are_replaced_by_their_values(text: str, expected: str) -> None:
    assert render(text, CONTEXT) == expected


def test_a_map_is_printed_in_the_order_of_its_keys() -> None:
    assert render("{{.m}}", {"m": {"b": 1, "a": {"c": None}}}) == "map[a:map[c:<no value>] b:1]"


@pytest.mark.parametrize(
    "text,line,column,said",
    [
        ("{{.a", 1, 1, "not closed"),
        ("ok\n  {{if .a}}x{{end}}", 2, 3, "'{{if .a}}' is not supported"),
        ("{{.a | upper}}", 1, 1, "is not supported"),
        ("{{.}}", 1, 1, "is not supported"),
        ("{{}}", 1, 1, "is not supported"),
        ("{{- .a -}}", 1, 1, "is not supported"),
        ("x{{index .a 0}}", 1, 2, "is not supported"),
        ('{{index .a "\\q"}}', 1, 1, "is no quoted text"),
        ('{{index .a "open}}', 1, 1, "not closed"),
    ],
)
def test_every_other_action_is_refused_with_its_place(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(TemplateError, match=r".") as refused:
        render(text, CONTEXT)
    assert (refused.value.line, refused.value.column) == (line, column)
    assert said in refused.value.message


def test_what_is_rendered_is_bounded() -> None:
    with pytest.raises(TemplateError, match="longer than"):
        render("{{.a}}" * 100, {"a": "x" * 1000})
    with pytest.raises(TemplateError, match="longer than"):
        render("{{.a}}" + "y" * 100, {"a": "x" * MAX_TEXT})
    with pytest.raises(TemplateError, match="at most"):
        render("x" * (MAX_TEXT + 1), {})


def test_deep_data_is_printed_only_so_deep() -> None:
    deep: Any = "bottom"
    for _ in range(100):
        deep = [deep]
    assert "bottom" not in render("{{.deep}}", {"deep": deep})


def outcome(text: str, context: dict[str, Any]) -> str | TemplateError:
    """What a text comes to: rendered, or the error that it was refused with."""
    try:
        return render(text, context)
    except TemplateError as refused:
        return refused


@given(st.text() | st.text(alphabet='{}. index"a-b\n\\', max_size=60))
def test_any_text_renders_or_is_refused_at_an_action(text: str) -> None:
    result = outcome(text, CONTEXT)
    if isinstance(result, TemplateError):
        assert text.split("\n")[result.line - 1][result.column - 1 :].startswith("{{")
    else:
        assert result == text or "{{" in text


@given(st.text(st.characters(exclude_characters="{")), st.text(), st.text(st.characters(exclude_characters="{")))
def test_a_string_is_inserted_as_it_is_and_never_rendered_again(before: str, value: str, after: str) -> None:
    assert render(before + "{{.a.b}}" + after, {"a": {"b": value}}) == before + value + after


@given(st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1), st.integers()))
def test_every_key_can_be_reached_by_index(values: dict[str, int]) -> None:
    for key, value in values.items():
        assert render("{{index .m " + json.dumps(key) + "}}", {"m": values}) == str(value)
