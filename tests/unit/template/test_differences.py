"""Where templates render otherwise than in Go, on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from libs.template import TemplateError, render

CONTEXT: dict[str, Any] = {
    "whole": 1000000,
    "float": 2500000.0,
    "huge": 123456789012345678901234567890,
    "ports": [80, 443],
    "absent": None,
    "at": "2026-03-01T09:30:00+02:00",
    "name": "é",
}


@pytest.mark.parametrize(
    "text,expected",
    [
        # Whole numbers print plainly, with all their digits.
        ("{{.whole}} {{.float}} {{1e6}} {{.huge}}", "1000000 2500000 1000000 123456789012345678901234567890"),
        (
            '{{toString .whole}} {{quote .whole}} {{cat .whole "x"}} {{join "," (list .whole)}}',
            '1000000 "1000000" 1000000 x 1000000',
        ),
        ("{{list .whole}} {{toJson .huge}}", "[1000000] 123456789012345678901234567890"),
        # JSON does not tell whole numbers from floats, so neither do comparisons, verbs and places in lists.
        ("{{eq .whole 1000000}} {{lt .whole 1.5}} {{eq 1 1.0}} {{has 443 .ports}}", "true false true true"),
        ('{{printf "%d %.1f %05d" .whole .whole 42.0}} {{printf "%.2f" 3}}', "1000000 1000000.0 00042 3.00"),
        ("{{index .ports 1.0}} {{range .ports}}{{. | int}} {{end}}{{range 2.0}}x{{end}}", "443 80 443 xx"),
        ('{{repeat (add 1 1) "x"}}', "xx"),
        ("{{typeOf .whole}} {{kindOf .float}} {{typeOf 1}}", "float64 float64 int"),
        # Null has no fields, as a key that is not there has none.
        ("{{.absent.field.of.it}}", "<no value>"),
        # slice takes strings as well, as the function of that name does without Sprig.
        ('{{slice "abcdef" 1 3}} {{slice "abc" 2}}', "bc c"),
        # A character is never cut in two.
        ("{{trunc 1 .name}}{{len .name}}", "2"),
        # Keys and values of maps come in the order of the keys.
        ('{{keys (dict "b" 1 "a" 2)}} {{values (dict "b" 1 "a" 2)}}', "[a b] [2 1]"),
        # Times of documents are RFC 3339 texts; there is no clock that they could fall back to, and no zone but the one given.
        ('{{date "2006-01-02 15:04" .at}} {{unixEpoch .at}}', "2026-03-01 07:30 1772350200"),
        ('{{dateInZone "15:04" .at "Europe/Berlin"}} {{dateModify "36h" .at | htmlDate}}', "08:30 2026-03-02"),
        ("{{duration 95}}", "1m35s"),
        # Helm's functions, which many templates take for granted.
        ('{{required "needed" "x"}}', "x"),
        # In YAML, y and n are letters.
        ('{{fromYaml "y: n"}}', "map[y:n]"),
    ],
)
def test_what_differs_from_go(text: str, expected: str) -> None:
    assert render(text, CONTEXT) == expected


@pytest.mark.parametrize(
    "text,said",
    [
        ('{{b64dec "!!"}}', "not base64"),
        ('{{b32dec "!"}}', "not base32"),
        ('{{fromYaml "a: [1"}}', "no YAML in its line 1"),
        ('{{date "2006" nil}}', "there is no clock"),
        ('{{date "2006" "soon"}}', "does not fit the layout"),
        ('{{dateModify "soon" .at}}', "no duration"),
        ("{{1i}}", "complex numbers"),
        ('{{required "a name is needed" .absent}}', "a name is needed"),
        ('{{required "a name is needed" ""}}', "a name is needed"),
        ("{{int 1e30}}", "does not fit in 64 bits"),
    ],
)
def test_what_go_would_print_is_an_error(text: str, said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        render(text, CONTEXT)


@pytest.mark.parametrize(
    "name,said",
    [
        ("now", "take a time from the context"),
        ("ago", "take a time from the context"),
        ("env", "environment"),
        ("expandenv", "environment"),
        ("randAlphaNum", "random value"),
        ("randInt", "random value"),
        ("shuffle", "random value"),
        ("uuidv4", "random value"),
        ("getHostByName", "network"),
        ("genCA", "keys"),
        ("genPrivateKey", "keys"),
        ("htpasswd", "keys"),
        ("encryptAES", "keys"),
        ("osBase", "files"),
        ("include", "Helm"),
        ("tpl", "Helm"),
        ("lookup", "Helm"),
        ("call", "functions to call"),
    ],
)
def test_functions_that_are_missing_on_purpose_say_why(name: str, said: str) -> None:
    with pytest.raises(TemplateError, match=said) as refused:
        render(f"a\n  {{{{ {name} . }}}}", {})
    assert repr(name) in refused.value.message
    assert (refused.value.line, refused.value.column) == (2, 6)


def test_a_function_that_nobody_knows_suggests_another() -> None:
    with pytest.raises(TemplateError, match="there is no function 'uper'; did you mean upper"):
        render('{{uper "a"}}', {})
