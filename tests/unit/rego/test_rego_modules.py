"""What the text of a module shows: its package, whether it is Rego v1, and names that nothing gives a value to."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.rego import MAX_SOURCE_BYTES, RegoInvalid, read_module
from libs.rego.module import Call

GOOD = r"""# Plans of production.
package plans["of us"].prod

import rego.v1
import data.shared.names as others

default limit := 3

limit := 5 if input.environment.name == "prod"

docs := [doc | some part in split(input.proposed, "---\n"); doc := yaml.unmarshal(part)]

named[name] := doc if {
	some doc in docs
	name := doc.metadata.name
}

deny contains msg if {
	some name, doc in named
	not doc.spec.replicas > 1
	every one in doc.spec.containers { one.image != "" }
	msg := sprintf("%s { runs %v once", [name, doc.kind])
}

deny contains {"msg": $"only {count(docs)} of {limit} {[one | some one in docs]}"} if count(docs) < limit

deny contains `raw { text` if {
	grown(1, 2) == {1, 2}[_] with input.hasChanges as false with json.unmarshal as grown
	walk(input, [path, value])
	value == path[0]
	others.known
}

grown(x, _) := y if {
	y := x + 1
} else := 2 if {
	x > 5
} else := {3}

small if every one in docs { one.small }
deny contains set() if { print("x"); contains("ab", "a"); limit := 1; limit in {-limit, 0x1f, 1.5e+3} }
a.b.c contains 1 if true; d := {"a": 1}
"""


def refusal(source: str) -> RegoInvalid:
    with pytest.raises(RegoInvalid) as told:
        read_module(source)
    return told.value


def test_a_module_of_every_form_is_read() -> None:
    module = read_module(GOOD)
    assert module.query == 'data["plans"]["of us"]["prod"].deny'
    assert [one.name for one in module.calls] == [
        "split",
        "yaml.unmarshal",
        "sprintf",
        "count",
        "count",
        "walk",
    ]
    assert module.calls[0] == Call("split", GOOD.index("split("))


@pytest.mark.parametrize(
    "source, place, words",
    [
        ('package p\ndeny[msg] {\n  msg := "a"\n}', (2, 11), "`if` before it"),
        ('package p\n\ndeny[msg] if { msg := "a" }', (3, 1), "`deny contains msg if"),
        ('package p\ndeny["a"]', (2, 1), "`deny contains msg if"),
        ("package p\nallow { true }", (2, 7), "`if` before it"),
        ("package p\ndeny contains 1 { true }", (2, 17), "`if` before it"),
        ("package p\nf(x) = y { y := x }", (2, 10), "`if` before it"),
        ("package p\nx = 1 { true } else = 2 { false }", (2, 7), "`if` before it"),
        ("package p\nx := 1 if { true } else = 2 { false }", (2, 29), "`if` before it"),
        ("package p\nx { true } { false }", (2, 3), "`if` before it"),
        ("package p\nx if { true } { false }", (2, 15), "`if` before it"),
    ],
)
def test_the_older_syntax_is_refused_with_its_place(source: str, place: tuple[int, int], words: str) -> None:
    told = refusal(source)
    assert (told.line, told.column) == place
    assert words in told.message
    assert "Rego v1 is required" in told.message


@pytest.mark.parametrize(
    "source, place, words",
    [
        ("", (1, 1), "begins with its package"),
        ("# only a comment", (1, 1), "begins with its package"),
        ("deny contains 1", (1, 1), "begins with its package"),
        ("package", (1, 1), "has no name"),
        ("package p.\n", (1, 1), "has no name"),
        ("package p..q", (1, 11), "can not be part of a package's name"),
        ("package p[1]", (1, 11), "can not be part of a package's name"),
        ("package p\n]", (2, 1), "closes nothing"),
        ("package p\ndeny contains [1, 2)", (2, 20), "`]` is expected"),
        ("package p\ndeny contains 1 if {", (2, 20), "`{` is never closed"),
        ('package p\ndeny contains $"a {1', (2, 15), "text is never closed"),
        ('package p\ndeny contains "a', (2, 15), "text is never closed"),
        ("package p\ndeny contains `a", (2, 15), "text is never closed"),
        ("package p\nd\u00e9 := 1", (2, 2), "has no meaning"),
        ("package p\n\x00", (2, 1), "U+0000"),
        ("package p\n# \ud800", (2, 3), "U+D800"),
        ("package p\ndeny := " + "[" * 101, (2, 109), "More than 100 brackets"),
        ("package p\n#" + "a" * MAX_SOURCE_BYTES, (1, 1), "too long"),
        ("package p\ndeny if true", (2, 1), "has to be a set"),
        ("package p\ndeny contains msg if { msg := inputt.x }", (2, 31), "`inputt` has no value"),
        ("package p\ndeny contains msg if { input.x }", (2, 15), "`msg` has no value"),
        ('package p\ndeny contains "a" if { x == 1 }', (2, 24), "`x` has no value"),
        ('package p\ndeny contains "a" if { not nothing }', (2, 28), "`nothing` has no value"),
        ('package p\ndeny contains "a" if { some x in xs; x > 1 }', (2, 34), "`xs` has no value"),
        ('package p\ndeny contains msg if { msg := http.send({"url": "x"}) }', (2, 31), "asks the network"),
        ("package p\ndeny contains x if { x := opa.runtime() }", (2, 27), "tells of the machine"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(source: str, place: tuple[int, int], words: str) -> None:
    told = refusal(source)
    assert (told.line, told.column) == place
    assert words in told.message


PIECES = [
    "package p",
    "\n",
    "deny",
    " contains ",
    " if ",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    '"',
    "`",
    '$"',
    "$",
    "\\",
    "#",
    ".",
    ",",
    ":=",
    "==",
]
WORDS = [
    "x",
    "input",
    "some ",
    "every ",
    "in ",
    "not ",
    "else ",
    "import ",
    "with ",
    "as ",
    "1",
    "_",
    "é",
    "\ud800",
    "\x00",
    "|",
    ";",
    "f(",
]


def place_of_refusal(source: str) -> tuple[int, int]:
    """Where a module is wrong; its beginning when it is not."""
    try:
        read_module(source)
    except RegoInvalid as told:
        return told.line, told.column
    return 1, 1


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES + WORDS)).map("".join) | st.text())
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    for source in (text, f"package p\n{text}"):
        line, column = place_of_refusal(source)
        lines = source.split("\n")
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
