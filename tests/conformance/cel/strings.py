"""Strings and bytes: the standard functions."""

from __future__ import annotations

from tests.conformance.cel.case import ERROR, table

CASES = table(
    {
        "size('')": 0,
        "size('four')": 4,
        "size('πέντε')": 5,
        "'\U0001f600'.size()": 1,
        "size(b'')": 0,
        "size(b'\\x00\\xff')": 2,
        "size(bytes('é'))": 2,
        "size(1)": ERROR,
        "'he' + 'llo'": "hello",
        "'' + ''": "",
        "b'abc' + b'def'": b"abcdef",
        "'foobar'.startsWith('foo')": True,
        "'foobar'.startsWith('')": True,
        "'foobar'.startsWith('bar')": False,
        "''.startsWith('foo')": False,
        "'foobar'.endsWith('bar')": True,
        "'foobar'.endsWith('')": True,
        "'foobar'.endsWith('foo')": False,
        "'foobar'.contains('ob')": True,
        "'foobar'.contains('')": True,
        "'foobar'.contains('x')": False,
        "''.contains('')": True,
        "'ναι'.contains('α')": True,
        "'hubba'.matches('ubb')": True,
        "'hubba'.matches('^ubb$')": False,
        "'abcd'.matches('(ab|cd){2}')": True,
        "matches('hubba', 'h.*a')": True,
        "''.matches('')": True,
        "'é'.matches('^.$')": True,
        "'ABC'.matches('(?i)abc')": True,
        "'a\\nb'.matches('a.b')": False,
        "'a\\nb'.matches('(?s)a.b')": True,
        "'aaa'.matches('a{2,3}$')": True,
        "'x'.matches('(')": ERROR,
        "'x'.matches('(?=x)')": ERROR,
        "dyn(1).startsWith('a')": ERROR,
        "'a'.startsWith(dyn(1))": ERROR,
    }
)
