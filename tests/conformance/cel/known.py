"""Where an engine is known to answer otherwise than the definition says, and why. These lists may only shrink.

Each is from the reason to the cases, as (table, expression).
"""

from __future__ import annotations

from typing import Final

Differences = dict[str, tuple[tuple[str, str], ...]]

OURS: Final[Differences] = {
    "names of message types are not known, since there are no messages": (
        ("conversions", "type(timestamp(0)) == google.protobuf.Timestamp"),
    ),
}

GOOGLE: Final[Differences] = {
    "it converts booleans to numbers": (("conversions", "int(true)"),),
    "it writes fractions of seconds in threes": (("conversions", "string(timestamp('2009-02-13T23:31:30.5-05:00'))"),),
    "a key of another number type is another key": (("fields", "{1: 1, 1u: 2}"),),
    "a raw string does not end after a backslash": (("grammar", "r'''\\'''"),),
    "a comma alone is an empty list": (("grammar", "[,]"),),
    "it knows the older name alone": (("macros", "[7].existsOne(e, e == 7)"),),
    "a time before the year 1 comes out in another century": (("times", "v - duration('80000000000s')"),),
}

GOOGLE_LACKS: Final = frozenset({"collections_packs"})
"""Tables of functions that it does not have."""

CEL_PYTHON: Final[Differences] = {
    "it does not compare values of different types": (
        ("comparisons", "dyn(1) == 1.0"),
        ("comparisons", "dyn(1) == 1u"),
        ("comparisons", "dyn(1u) == 1.0"),
        ("comparisons", "dyn(1.0) == 1"),
        ("comparisons", "dyn(1) == 1.1"),
        ("comparisons", "dyn(-1) == 18446744073709551615u"),
        ("comparisons", "dyn(1) == '1'"),
        ("comparisons", "dyn(1) == true"),
        ("comparisons", "dyn(null) == 0"),
        ("comparisons", "dyn([]) == {}"),
        ("comparisons", "dyn(1) != '1'"),
        ("comparisons", "dyn(1) != 1.0"),
        ("comparisons", "dyn([1]) == [1.0]"),
        ("comparisons", "dyn([1, 'a']) == [1, 1]"),
        ("comparisons", "dyn({'a': 1}) == {'a': 1u}"),
        ("comparisons", "dyn(9007199254740993) == 9007199254740992.0"),
        ("comparisons", "dyn(1) < 2.0"),
        ("comparisons", "dyn(1) < 1u"),
        ("comparisons", "dyn(-1) < 0u"),
        ("comparisons", "dyn(9223372036854775807) < 18446744073709551615u"),
        ("comparisons", "1.0 in dyn([1, 2])"),
        ("comparisons", "1u in dyn([1, 2])"),
        ("comparisons", "'1' in dyn([1, 2])"),
        ("comparisons", "dyn(1u) in {1: 'a'}"),
        ("comparisons", "dyn(1.0) in {1: 'a'}"),
        ("comparisons", "dyn(1.1) in {1: 'a'}"),
        ("fields", "{1: 'a'}[dyn(1.0)]"),
        ("fields", "{1: 'a'}[dyn(1u)]"),
        ("fields", "7 in {'a': 1}"),
        ("lists", "[7, 8, 9][dyn(0.0)]"),
        ("lists", "dyn([1, 2]) == [1.0, 2u]"),
        ("macros", "dyn([1, 'foo', 3]).exists(e, e == '10')"),
    ),
    "its timestamps come from texts alone": (
        ("comparisons", "timestamp(1) < timestamp(2)"),
        ("comparisons", "timestamp(2) <= timestamp(2)"),
        ("comparisons", "timestamp(1) == timestamp(1)"),
        ("conversions", "int(timestamp(-1))"),
        ("conversions", "timestamp(1234567890)"),
        ("conversions", "timestamp(timestamp(0))"),
        ("times", "timestamp('1969-12-31T23:59:59Z') < timestamp(0)"),
    ),
    "its types are Python classes": (
        ("basic", "type(null)"),
        ("basic", "type(1)"),
        ("basic", "type(1u)"),
        ("basic", "type(1.0)"),
        ("basic", "type(true)"),
        ("basic", 'type("")'),
        ("basic", 'type(b"")'),
        ("basic", "type([])"),
        ("basic", "type({})"),
        ("basic", "type(type(1))"),
        ("basic", "type(then)"),
        ("conversions", "type(timestamp(0)) == google.protobuf.Timestamp"),
        ("conversions", "type(duration('1s'))"),
    ),
    "it takes a string for a list of characters, and a negative index": (
        ("comparisons", "'t' in dyn('text')"),
        ("lists", "[0][-1]"),
        ("macros", "dyn('abc').all(c, true)"),
    ),
    "has() of what is no map, or no field, is false or true instead of an error": (
        ("basic", "has(none.a)"),
        ("fields", "has({'a': {'b': 1}}.z.c)"),
        ("grammar", "has(a)"),
        ("macros", "has(dyn(1))"),
    ),
    "it lets booleans count as numbers, and mixes int with uint": (
        ("arithmetic", "1 + 1u"),
        ("arithmetic", "true + true"),
        ("comparisons", "dyn(true) < 1"),
        ("conversions", "int(true)"),
        ("conversions", "bool(1)"),
    ),
    "an operand of && and || need not be boolean, nor a condition": (
        ("logic", "true && dyn('a')"),
        ("logic", "dyn('a') && true"),
        ("logic", "dyn(1) || false"),
        ("macros", "[1].all(e, dyn('a'))"),
        ("macros", "[1].all(e.f, true)"),
    ),
    "division of doubles by zero is its own": (
        ("arithmetic", "-1.0 / 0.0"),
        ("arithmetic", "1.0 / -0.0"),
        ("arithmetic", "0.0 / 0.0"),
        ("comparisons", "0.0/0.0 == 0.0/0.0"),
        ("comparisons", "0.0/0.0 != 0.0/0.0"),
        ("comparisons", "0.0/0.0 >= 1.0"),
    ),
    "its text of a value is Python's": (
        ("conversions", "string(true)"),
        ("conversions", "string(false)"),
        ("conversions", "string(1.0)"),
        ("conversions", "string([])"),
        ("conversions", "string(null)"),
        ("conversions", "string(timestamp('2009-02-13T23:31:30.5-05:00'))"),
    ),
    "it keeps unknown or bad escapes, and drops line ends": (
        ("grammar", '"\\\\ \\" \\\' \\` \\?"'),
        ("grammar", '"\\x41\\X42"'),
        ("grammar", "'''a\nb'''"),
        ("grammar", "b'''a\nb'''"),
        ("grammar", '"\\400"'),
        ("grammar", '"\\q"'),
        ("grammar", '"\\x4"'),
        ("grammar", '"\\u12"'),
        ("grammar", '"\\ud800"'),
        ("grammar", 'b"\\u00e9"'),
    ),
    "its grammar has no comma at the end, but numbers that end in a point": (
        ("grammar", "[1,]"),
        ("grammar", "{'a': 1,}"),
        ("grammar", "[[1,],]"),
        ("grammar", "1.e3"),
        ("grammar", "1."),
        ("lists", "[1, 2, 3,]"),
        ("lists", "1 in [1, 2,]"),
    ),
    "its durations have days, milliseconds in all, a product and a negative, but no bare 0": (
        ("conversions", "duration('0')"),
        ("conversions", "duration('1d')"),
        ("times", "w.getMilliseconds()"),
        ("times", "-w"),
        ("times", "w * 2"),
        ("times", "duration('-1.5s').getMilliseconds()"),
    ),
    "its timestamps need no time of day": (("conversions", "timestamp('2009-02-13')"),),
    "map keys may be anything": (
        ("fields", "{1.5: 1}"),
        ("fields", "{null: 1}"),
    ),
    "it has no such macro": (
        ("macros", "[7].existsOne(e, e == 7)"),
        ("macros", "[1, 2, 3].map(e, e > 1, e * 10)"),
    ),
}

CEL_PYTHON_LACKS: Final = frozenset({"collections_packs", "math_pack", "strings_pack"})
"""Tables of functions that it does not have."""
