"""No template, however hostile, costs more than it may or ends in anything but text or a `TemplateError`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.template import MAX_TEXT, TemplateError, parse, render
from libs.template.bounds import LIST_ITEMS, NESTING, VALUE_CHARS
from libs.template.functions import FUNCTIONS
from libs.template.functions.signature import Takes

CONTEXT: dict[str, Any] = {
    "s": "text",
    "n": 3,
    "f": 1.5,
    "t": True,
    "nil": None,
    "l": ["a", 1, None, {"b": [2]}],
    "m": {"a": "x", "b": {"c": [1, 2.5]}},
    "long": "ab c\n" * 200,
    "odd": "é\u2028\x00\ud800€",
    "huge": 10**300,
    "tiny": 1e-300,
    "inf": float("inf"),
}

DOUBLING = '{{$x := "aaaaaaaaaaaaaaaa"}}{{range until 40}}{{$x = printf "%s%s" $x $x}}{{end}}{{len $x}}'
HOSTILE = {
    "repeat": '{{repeat 1000000000 "x"}}',
    "repeat of repeats": '{{repeat 100000 "x" | repeat 100000}}',
    "until": "{{until 1000000000}}",
    "until of a list": "{{range until 10000}}{{range until 10000}}{{end}}{{end}}",
    "seq": "{{seq 1 100000000}}",
    "step": "{{untilStep 0 1000000000000 1}}",
    "range over a number": "{{range 1000000000}}{{end}}",
    "range over a number of the context": "{{range .huge}}{{end}}",
    "doubled text": DOUBLING,
    "doubled by cat": '{{$x := "aaaaaaaaaaaaaaaa"}}{{range until 40}}{{$x = cat $x $x}}{{end}}',
    "doubled by replace": '{{$x := repeat 1000 "a"}}{{range until 9}}{{$x = replace "a" $x $x}}{{end}}',
    "doubled list": "{{$x := list 1}}{{range until 40}}{{$x = concat $x $x}}{{end}}",
    "shared lists": "{{$x := list 1}}{{range until 40}}{{$x = list $x $x}}{{end}}{{$x}}",
    "shared lists as JSON": "{{$x := list 1}}{{range until 40}}{{$x = list $x $x}}{{end}}{{toJson $x}}",
    "shared lists as YAML": "{{$x := list 1}}{{range until 40}}{{$x = list $x $x}}{{end}}{{toYaml $x}}",
    "shared lists copied": "{{$x := list 1}}{{range until 40}}{{$x = list $x $x}}{{end}}{{deepCopy $x}}",
    "shared lists compared": "{{$x := list 1}}{{$y := list 1}}{{range until 40}}{{$x = list $x $x}}{{$y = list $y $y}}{{end}}{{deepEqual $x $y}}",
    "shared maps merged": (
        '{{$x := dict "a" 1}}{{$y := dict "a" 2}}{{range until 40}}{{$x = dict "l" $x "r" $x}}{{$y = dict "l" $y "r" $y}}{{end}}'
        "{{merge $x $y}}"
    ),
    "a map in itself": '{{$x := dict}}{{$_ := set $x "x" $x}}{{$x}}',
    "a map in itself as JSON": '{{$x := dict}}{{$_ := set $x "x" $x}}{{toJson $x}}',
    "a map in itself as YAML": '{{$x := dict}}{{$_ := set $x "x" $x}}{{toYaml $x}}',
    "a map in itself copied": '{{$x := dict}}{{$_ := set $x "x" $x}}{{deepCopy $x}}',
    "maps in themselves compared": (
        '{{$x := dict}}{{$_ := set $x "x" $x}}{{$y := dict}}{{$_ := set $y "x" $y}}{{deepEqual $x $y}}'
    ),
    "a map in itself formatted": '{{$x := dict}}{{$_ := set $x "x" $x}}{{printf "%#v %s" $x $x}}',
    "maps in themselves merged": '{{$x := dict}}{{$_ := set $x "x" $x}}{{$y := dict}}{{$_ := set $y "x" $y}}{{merge $x $y}}',
    "deep list": "{{$x := list}}{{range until 9000}}{{$x = list $x}}{{end}}{{$x}}",
    "recursion": '{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}',
    "wide recursion": '{{define "r"}}{{template "r" .}}{{template "r" .}}{{end}}{{template "r" .}}',
    "counted recursion": '{{define "r"}}{{if lt . 70}}{{template "r" (add1 .)}}{{template "r" (add1 .)}}{{end}}{{end}}{{template "r" 0}}',
    "width": '{{printf "%9999d" 1 | repeat 100000}}',
    "width of an argument": '{{printf "%*d" 999999999 1}}|{{fail "end"}}',
    "many widths": '{{$f := repeat 3000 "%9999s"}}{{printf $f}}{{printf (repeat 3000 "%[1]9999s") "a"}}',
    "indent": '{{indent 1000000000 "a"}}',
    "indented lines": '{{repeat 10000 "a\n" | indent 10000}}',
    "wrapping": '{{wrapWith 1 (repeat 10000 "x") (repeat 10000 "y")}}',
    "joining": '{{$x := repeat 100000 "x"}}{{$l := list}}{{range until 100}}{{$l = append $l $x}}{{end}}{{join "" $l}}',
    "replacing nothing": '{{replace "" (repeat 10000 "x") (repeat 10000 "y")}}',
    "regex groups": '{{regexReplaceAll "(.*)" (repeat 200000 "a") (repeat 1000 "$1$1")}}',
    "regex of many states": '{{regexMatch "(a?){1000}b" (repeat 200000 "a")}}',
    "regex in a loop": '{{$t := repeat 200000 "a"}}{{range until 10000}}{{$_ := regexMatch "(a|b)*c" $t}}{{end}}',
    "long regex": '{{regexFind (repeat 100000 "a?") "a"}}',
    "JSON of many brackets": '{{mustFromJson (repeat 100000 "[")}}',
    "YAML of many brackets": '{{fromYaml (repeat 20000 "[")}}',
    "YAML of many lists": '{{fromYaml (repeat 20000 "- ")}}',
    "YAML aliases": (
        '{{fromYaml "a: &a [x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\\n'
        'd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]"}}'
    ),
    "YAML that holds itself": '{{fromYaml "a: &a [*a]"}}',
    "YAML in a loop": '{{$t := repeat 3000 "a: b\n"}}{{range until 10000}}{{$_ := fromYaml $t}}{{end}}',
    "sorting": '{{$x := splitList "" (repeat 9000 "ba")}}{{range until 10000}}{{$x = sortAlpha $x}}{{end}}',
    "kept texts": '{{$x := repeat 200000 "x"}}{{$l := list}}{{range $i := until 9000}}{{$l = append $l (cat $x $i)}}{{end}}',
    "kept lists": "{{$d := dict}}{{range $i := until 9000}}{{$_ := set $d (toString $i) (until 9999)}}{{end}}",
    "unique": "{{until 9999 | uniq}}",
    "chunks": "{{range until 10000}}{{$_ := chunk 1 (until 9999)}}{{end}}",
    "output": '{{range until 10000}}{{"0123456789"}}{{end}}',
    "output of text": "{{range until 10000}}0123456789{{end}}",
    "factorial": "{{$x := 1}}{{range until 10000}}{{range until 10000}}{{$x = mul $x 3}}{{end}}{{end}}",
    "floats": "{{$x := 10.0}}{{range until 10000}}{{$x = mulf $x $x}}{{end}}",
    "power of ten": "{{round 1.5 999999999}}",
    "parentheses": "{{" + "(" * (NESTING + 1) + "1" + ")" * (NESTING + 1) + "}}",
    "blocks": "{{if 1}}" * (NESTING + 1) + "{{end}}" * (NESTING + 1),
    "pipes": "{{1" + "|add 1" * 9000 + "}}{{fail .s}}",
    "long number": "{{" + "1" * 5000 + "}}",
    "long version": '{{semverCompare (repeat 100000 ">1 ") "1.0.0"}}',
    "dates": '{{dateModify "9999999h" 253402300799}}',
    "layouts": '{{date (repeat 60000 "January") 0}}',
    "far date": '{{date "2006" 99999999999999999}}',
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE.items()])
def test_hostile_templates_are_refused(text: str) -> None:
    with pytest.raises(TemplateError) as refused:
        render(text, CONTEXT)
    assert refused.value.line >= 1
    assert refused.value.column >= 1
    assert len(refused.value.message) < 3000


def test_what_is_rendered_is_bounded() -> None:
    with pytest.raises(TemplateError, match="longer than"):
        render("{{.a}}" * 100, {"a": "x" * 1000})
    with pytest.raises(TemplateError, match="longer than"):
        render("{{.a}}" + "y" * 100, {"a": "x" * MAX_TEXT})
    with pytest.raises(TemplateError, match="at most"):
        render("x" * (MAX_TEXT + 1), {})
    with pytest.raises(TemplateError, match="at most"):
        parse("x" * (MAX_TEXT + 1))


def test_a_caller_may_allow_longer_texts() -> None:
    manifest = parse("{{.a}}{{.a}}")
    assert len(manifest.render({"a": "x" * MAX_TEXT}, longest=2 * MAX_TEXT)) == 2 * MAX_TEXT
    with pytest.raises(TemplateError, match="longer than 10 characters"):
        manifest.render({"a": "x" * 6}, longest=10)


def test_what_is_within_the_bounds_renders() -> None:
    nested = "{{if true}}" * NESTING + "deep" + "{{end}}" * NESTING
    assert render(nested, {}) == "deep"
    assert render("{{" + "(" * NESTING + "1" + ")" * NESTING + "}}", {}) == "1"
    assert render(f"{{{{until {LIST_ITEMS} | len}}}}", {}) == str(LIST_ITEMS)
    assert render(f'{{{{repeat {VALUE_CHARS} "x" | len}}}}', {}) == str(VALUE_CHARS)
    assert render("{{range until 1000}}{{$x := add . 1}}{{if eq (mod $x 2) 0}}{{end}}{{end}}done", {}) == "done"


def test_deep_data_of_the_context_is_read_only_so_deep() -> None:
    deep: Any = "bottom"
    for _ in range(100):
        deep = [deep]
    assert "bottom" not in render("{{toJson .deep}}", {"deep": deep})


def test_templates_never_change_the_context() -> None:
    context = {"m": {"a": {"b": 1}}, "l": [{"c": 2}]}
    before = json.dumps(context)
    text = (
        '{{$_ := set .m "x" 1}}{{$_ := unset .m.a "b"}}{{$_ := set (index .l 0) "c" 3}}{{$_ := mergeOverwrite .m (dict "a" 5)}}'
        '{{$_ := set . "m2" 1}}{{.m}}{{.l}}{{.m2}}'
    )
    assert render(text, context) == "map[a:5 x:1][map[c:3]]1"
    assert json.dumps(context) == before


def test_a_template_renders_the_same_each_time() -> None:
    template = parse('{{$_ := set .m "n" (add1 .m.n)}}{{.m.n}}{{define "x"}}{{$y := .}}{{$y}}{{end}}{{template "x" .m.n}}')
    assert [template.render({"m": {"n": 1}}) for _ in range(3)] == ["22", "22", "22"]


PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine makes no property false."""


def outcome(text: str) -> str | TemplateError:
    """What a text comes to: rendered, or the error that it was refused with."""
    try:
        return render(text, CONTEXT)
    except TemplateError as refused:
        return refused


def check(text: str) -> None:
    result = outcome(text)
    if isinstance(result, TemplateError):
        lines = text.split("\n")
        assert 1 <= result.line <= len(lines)
        assert 1 <= result.column <= len(lines[result.line - 1]) + 1
        assert result.message
    else:
        assert len(result) <= MAX_TEXT


@PATIENT
@given(st.text() | st.text(alphabet='{}.$ ()|"`\\-=:/*,0a\n', max_size=60))
def test_any_text_renders_or_is_refused(text: str) -> None:
    check(text)
    check("{{" + text + "}}")


TEXTS = [
    '""', '"a"', '"a,b"', '"%v"', '"%d %s %q"', '"%5.2f|%x"', '"%*[2]d"', '"(a)|b*"', '"$1"', '"2006-01-02"', '"2024-05-06T07:08:09Z"', '"1h30m"',
    '"1.2.3-rc.1"', '">=1.2 || ^0.3"', '"https://u@h:1/p?q#f"', '"http://[::1"', '"{\\"a\\":[1]}"', '"a: [b, {c: 1}]"', '"Europe/Berlin"',
    '"../etc"', '"é€"', '"\\x00"', ".s", ".long", ".odd", '(toString .huge)', '"1_0"', '"-9e99"', '"&a [*a]"', '"\\xff"', '"  "', '"[["', '"string"',
]  # fmt: skip
WHOLES = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "100",
    ".n",
    "9223372036854775807",
    "-9223372036854775808",
    ".huge",
    "'x'",
    "(int64 5)",
    "3.0",
]
REALS = [*WHOLES, ".f", ".tiny", ".inf", "1.5", "-0.0", "1e300", '(float64 "nan")']
LISTS = ["(list)", ".l", '(list 1 "a" nil)', "(until 5)", "(list (list 1))", '(splitList "," "a,b,c")']
MAPS = ["(dict)", ".m", ".", "$", ".m.b", '(dict "a" 1)', '(dict "scheme" "x" "host" "h" "path" "p")']
OTHERS = [".nil", ".missing", ".m.b.c", "nil", "true", "false", ".t", '(semver "1.2.3")', '(toDate "2006" "2024")']
FITTING: dict[Takes, list[str]] = {
    Takes.ANY: TEXTS + REALS + LISTS + MAPS + OTHERS,
    Takes.TEXT: TEXTS,
    Takes.WHOLE: WHOLES,
    Takes.REAL: REALS,
    Takes.TRUTH: ["true", "false", ".t"],
    Takes.LIST: LISTS,
    Takes.MAP: MAPS,
}
NAMES = sorted(FUNCTIONS)


PIPES = ["", "", "", " | toString", " | quote", " | len", ' | printf "%v"', " | toJson", " | toYaml", " | default 1"]


def call_text(draw: st.DrawFn, depth: int) -> str:
    """A call whose arguments fit more often than not."""
    name = draw(st.sampled_from(NAMES))
    function = FUNCTIONS[name]
    more = draw(st.integers(-1, 3)) if function.rest else 0
    kinds = [*function.takes, *([function.rest] * 3 if function.rest else [])][: len(function.takes) + more]
    arguments = [argument_text(draw, kind, depth) for kind in kinds]
    return f"({' '.join([name, *arguments])}{draw(st.sampled_from(PIPES))})"


def argument_text(draw: st.DrawFn, kind: Takes, depth: int) -> str:
    if depth and draw(st.integers(0, 3)) == 0:
        return call_text(draw, depth - 1)
    return draw(st.sampled_from(FITTING[kind]))


@st.composite
def calls(draw: st.DrawFn) -> str:
    return call_text(draw, 2)


def block_text(draw: st.DrawFn, depth: int) -> str:
    """Something that may stand in a template; well-formed as often as not."""
    kind = draw(
        st.sampled_from(["call", "set", "odd", "if", "range", "with", "block", "two"] if depth else ["call", "set", "odd"])
    )
    if kind == "odd":
        return draw(st.sampled_from(ODD))
    if kind == "two":
        return block_text(draw, depth - 1) + block_text(draw, depth - 1)
    call = argument_text(draw, Takes.ANY, 1)
    if kind in ("call", "set"):
        return f"{{{{$x := {call}}}}}{{{{$x}}}}" if kind == "set" else f"{{{{{call}}}}}"
    body, otherwise = block_text(draw, depth - 1), block_text(draw, depth - 1)
    start = {"if": "if ", "range": "range $i, $e := ", "with": "with ", "block": 'block "t" '}[kind]
    return f"{{{{{start}{call}}}}}{body}{'' if kind == 'block' else '{{else}}' + otherwise}{{{{end}}}}"


ODD = [
    "text",
    "{{- /* c */ -}}",
    "{{break}}",
    "{{continue}}",
    "{{else}}",
    "{{end}}",
    '{{template "t" .}}',
    "\n",
    "{{$e}}",
    "{{$x}}",
]


@st.composite
def blocks(draw: st.DrawFn) -> str:
    return block_text(draw, 3)


@PATIENT
@given(calls())
def test_any_call_of_any_function_renders_or_is_refused(call: str) -> None:
    check(f"{{{{{call}}}}}")


@PATIENT
@given(blocks())
def test_any_blocks_render_or_are_refused(text: str) -> None:
    check(text)


@PATIENT
@given(st.text(st.characters(exclude_characters="{")), st.text(), st.text(st.characters(exclude_characters="{")))
def test_a_string_is_inserted_as_it_is_and_never_rendered_again(before: str, value: str, after: str) -> None:
    assert render(before + "{{.a.b}}" + after, {"a": {"b": value}}) == before + value + after


@PATIENT
@given(st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1), st.integers()))
def test_every_key_can_be_reached_by_index(values: dict[str, int]) -> None:
    for key, value in values.items():
        assert render("{{index .m " + json.dumps(key) + "}}", {"m": values}) == str(value)


@PATIENT
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_quoted_string_reads_back(value: str) -> None:
    literal = render("{{.v | quote}}", {"v": value})
    assert render("{{" + literal + "}}", {}) == value


PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
FLOATS = st.floats(-(2.0**53), 2.0**53)
"""Beyond, a float has more whole digits than it knows, and its shortest text is another whole number."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | FLOATS | PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN, inner, max_size=4),
    max_leaves=12,
)


@PATIENT
@given(JSON)
def test_values_survive_json(value: Any) -> None:
    assert json.loads(render("{{toJson .v}}", {"v": value})) == value
    assert render("{{toJson (fromJson (toJson .v))}}", {"v": value}) == render("{{toJson .v}}", {"v": value})


@PATIENT
@given(JSON)
def test_values_survive_yaml(value: Any) -> None:
    assert json.loads(render("{{toJson (fromYaml (toYaml .v)).v}}", {"v": {"v": value}})) == value
