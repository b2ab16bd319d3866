"""Fields of the context, and which templates are refused where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libs.template import Template, TemplateError, parse, render

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
        ("{{.variables.absent}}", "<no value>"),
        ('{{index .version.metadata "missing"}}', "<no value>"),
    ],
)
def test_fields_are_replaced_by_their_values(text: str, expected: str) -> None:
    assert render(text, CONTEXT) == expected


def test_a_map_is_printed_in_the_order_of_its_keys() -> None:
    assert render("{{.m}}", {"m": {"b": 1, "a": {"c": None}}}) == "map[a:map[c:<nil>] b:1]"


def test_a_parsed_template_renders_again_and_again() -> None:
    template = parse("{{range $i, $e := .l}}{{$i}}{{$e}}{{end}}")
    assert isinstance(template, Template)
    assert template.render({"l": ["a"]}) == "0a"
    assert template.render({"l": ["b", "c"]}) == "0b1c"


@pytest.mark.parametrize(
    "text,line,column,said",
    [
        ("{{.a", 1, 1, "'{{' is not closed"),
        ("{{}}", 1, 3, "the action is empty"),
        ("{{ | upper}}", 1, 4, "a value is missing"),
        ("{{.a | }}", 1, 8, "a value is missing"),
        ('{{index .a "\\q"}}', 1, 12, "no escape of a string"),
        ('{{index .a "open}}', 1, 12, 'the quote " is not closed on its line'),
        ("{{`open}}", 1, 3, "the quote ` is not closed"),
        ("{{'ab'}}", 1, 3, "no character; strings are written in double quotes"),
        ("{{.metadata.git-sha}}", 1, 16, "index .map"),
        ("a\nb {{.é.b?}}", 2, 9, "unexpected '\\?' after '.b'"),
        ("{{/* open }}", 1, 1, "comment is not closed"),
        ("{{/* a */ .b}}", 1, 10, "a comment must be all"),
        ("{{if .a}}\nx", 1, 3, "{{if}} is not closed by {{end}}"),
        ("{{range .a}}\nx{{else}}", 1, 3, "{{range}} is not closed by {{end}}"),
        ("x{{end}}", 1, 4, "{{end}} without anything"),
        ("{{else}}", 1, 3, "{{else}} without anything"),
        ("{{if .a}}{{else}}{{else}}{{end}}", 1, 20, "a second {{else}}"),
        ('{{if .a}}{{define "x"}}{{end}}{{end}}', 1, 12, "outside of every other block"),
        ('{{define "x"}}a{{end}}{{define "x"}}b{{end}}', 1, 25, "'x' is defined twice"),
        ("{{define x}}{{end}}", 1, 10, "needs a name in quotes"),
        ('{{template "x"}}', 1, 3, "'x' is not defined"),
        ("{{break}}", 1, 3, "inside of {{range}}"),
        ('{{range .a}}{{block "b" .}}{{continue}}{{end}}{{end}}', 1, 30, "inside of {{range}}"),
        ("{{$x}}", 1, 3, r"the variable \$x is not known here"),
        ("{{if true}}{{$x := 1}}{{end}}{{$x}}", 1, 32, r"the variable \$x is not known here"),
        ('{{define "t"}}{{$x}}{{end}}{{$x := 1}}', 1, 17, r"the variable \$x is not known here"),
        ("{{$x, $y := .a}}", 1, 10, "too many variables"),
        ("{{(.a}}", 1, 6, "unexpected '}}'"),
        ("{{.a)}}", 1, 5, r"unexpected '\)'"),
        ("{{.a .b}}", 1, 3, "'.a' is no function"),
        ("{{1 | 2}}", 1, 7, "can not take what comes through the pipe"),
        ('{{"a".b}}', 1, 6, "unexpected '.b' after '\"a\"'"),
        ("{{nope .a}}", 1, 3, "there is no function 'nope'"),
        ("{{nil}}", 1, 3, "nil is not a command"),
        ("{{12ab}}", 1, 3, "is no number"),
        ("{{1e999}}", 1, 3, "too large for a number"),
        ("line\n{{ upper }}", 2, 4, "upper takes 1 argument, 0 given"),
        ("{{upper .version}}", 1, 3, "argument 1 of upper must be a string, not map"),
        (
            "{{ .resource.config.port | upper }}",
            1,
            28,
            "argument 1 of upper must be a string, not float64; convert it with toString",
        ),
        ("{{.nothing | upper}}", 1, 14, "argument 1 of upper must be a string, not <nil>; it is not there"),
        ("{{.version.tag.deeper}}", 1, 3, "can't read the field 'deeper' of string"),
        ("{{index .resource.config.hosts 5}}", 1, 3, "the place 5 is out of range: there are 2 items"),
        ('{{index .nothing "a"}}', 1, 3, "index of nil"),
        ("{{range .version.tag}}{{end}}", 1, 9, "range can't iterate over string"),
        ("{{eq .version.tag 1}}", 1, 3, "incompatible types for comparison: string and int"),
        ("{{lt .version 1}}", 1, 3, "have no order"),
        ("{{div 1 0}}", 1, 3, "division by 0"),
        ('a\n{{if true}}\n  {{fail "no such region"}}{{end}}', 3, 5, "no such region"),
        ('{{regexFind "(" "a"}}', 1, 3, "bad regular expression"),
    ],
)
def test_what_can_not_be_rendered_is_refused_with_its_place(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(TemplateError, match=said) as refused:
        render(text, CONTEXT)
    assert (refused.value.line, refused.value.column) == (line, column)
    assert str(refused.value) == f"{refused.value.message} (line {line}, column {column})"


@pytest.mark.parametrize(
    "text,roots",
    [
        ("{{.a.b}} {{$.c}} {{if .d}}{{.e}}{{end}}", {"a", "c", "d", "e"}),
        ("{{range .a}}{{.b}}{{.}}{{$.c.d}}{{else}}{{.e}}{{end}}", {"a", "c", "e"}),
        ("{{with .a}}{{.b}}{{.}}{{else with .c}}{{.}}{{else}}{{.d}}{{end}}", {"a", "c", "d"}),
        ('{{define "x"}}{{.a}}{{$.b}}{{.}}{{$}}{{end}}{{template "x" .c}}{{.d}}', {"c", "d"}),
        ('{{block "x" .a}}{{.b}}{{end}}', {"a"}),
        ('{{template "x" .}}{{define "x"}}{{.a}}{{end}}', None),
        ("{{toJson .}}", None),
        ("{{toJson $}}", None),
        ("{{with $}}{{.a}}{{end}}", None),
        ("{{range .a}}{{index $ .}}{{end}}", None),
        ("text", set()),
    ],
)
def test_a_template_knows_which_keys_of_the_root_it_reads(text: str, roots: set[str] | None) -> None:
    assert parse(text).tree.roots == (None if roots is None else frozenset(roots))


def test_what_is_not_well_formed_is_refused_before_anything_renders() -> None:
    with pytest.raises(TemplateError, match="no function"):
        parse("{{if false}}{{nope}}{{end}}")


def test_what_is_not_evaluated_raises_nothing() -> None:
    assert render('{{if false}}{{fail "x"}}{{end}}{{and false (fail "x")}}{{or 1 (fail "x")}}', {}) == "false1"


def test_values_that_are_no_json_appear_as_their_text() -> None:
    class Odd:
        secret = "s"

        def __str__(self) -> str:
            return "odd"

    assert render("{{.x}} {{len .x}}", {"x": Odd()}) == "odd 3"
    with pytest.raises(TemplateError, match="can't read the field 'secret'"):
        render("{{.x.secret}}", {"x": Odd()})


@pytest.mark.parametrize("name", ["__class__", "__init__", "upper", "format", "at", "order", "numbers"])
@pytest.mark.parametrize("of", ['"text"', "1", "(list 1)", '(semver "1.2.3")', '(toDate "2006" "2024")'])
def test_nothing_of_python_can_be_reached(of: str, name: str) -> None:
    with pytest.raises(TemplateError):
        render(f"{{{{$x := {of}}}}}{{{{$x.{name}}}}}", {})


def test_keys_that_look_like_pythons_are_keys() -> None:
    context = {"__class__": {"__name__": "mine"}, "get": "own"}
    assert render("{{.__class__.__name__}} {{.get}} {{.items}}", context) == "mine own <no value>"
    assert json.loads(render("{{toJson .}}", context)) == context
