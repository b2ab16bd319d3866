"""Which values of a text's templates came to nothing."""

from __future__ import annotations

import pytest

from services.verifier.unfilled import MAX_CHARS, unfilled

CONTEXT = {"variables": {"host": "shop.example", "empty": "", "zero": 0}, "resource": {"name": "eu"}}


@pytest.mark.parametrize(
    "text,names",
    [
        ("https://shop.example", []),
        ("https://{{.variables.host}}/{{.resource.name}}", []),
        ("{{.variables.url}}", ["{{.variables.url}}"]),
        ("https://{{ .variables.empty }}:{{.variables.zero}}", ["{{ .variables.empty }}"]),
        ("{{.a.b}}{{.variables.host}}{{.c}}{{.a.b}}", ["{{.a.b}}", "{{.c}}"]),
        ("{{/* where */}}{{$x := .variables.empty}}https://{{.variables.host}}", []),
        ('{{.variables.url | default "https://other.example"}}', []),
        ("{{if .variables.url}}{{.variables.url}}{{end}}", []),
        ("{{range .variables.hosts}}{{.name}}{{end}}", []),
        ("{{.variables.url", []),
        ("{{nonsense}}", []),
        ("{{.a}}" + "x" * MAX_CHARS, []),
    ],
)
def test_what_prints_nothing_is_named_as_it_is_written(text: str, names: list[str]) -> None:
    assert unfilled(text, CONTEXT) == names
