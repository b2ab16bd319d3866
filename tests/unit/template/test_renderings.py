"""What templates render to, row by row.

The rows follow the published documentation of Go's `text/template` and `fmt` and of Sprig, and each was compared with what
Go 1.26 and Sprig 3.3 (YAML: sigs.k8s.io/yaml 1.6) print. What differs from them on purpose is in `test_differences.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from libs.template import render
from tests.unit.template.real_templates import (
    APPLICATION,
    APPLICATION_RENDERED,
    CONTEXT,
    WORKFLOW,
    WORKFLOW_RENDERED,
    WORKSPACE,
    WORKSPACE_RENDERED,
)
from tests.unit.template.renderings import (
    actions,
    builtins,
    data,
    dates,
    formats,
    lists,
    numbers,
    regexes,
    strings,
    values,
    versions,
)

SMALL: dict[str, Any] = {
    "s": "text",
    "n": 3,
    "f": 1.5,
    "big": 1000000,
    "l": ["a", "b"],
    "m": {"b": 1, "a": "x"},
    "nil": None,
    "t": True,
    "h": 100000000000000000000000,
    "neg": -2,
    "e": [],
    "em": {},
    "nums": [3, 1, 2],
    "deep": {"a": {"b": {"c": "d"}}},
}
THEMES = (actions, builtins, data, dates, formats, lists, numbers, regexes, strings, values, versions)


@pytest.mark.parametrize(
    "text,expected",
    [
        pytest.param(text, expected, id=f"{theme.__name__.rpartition('.')[2]}-{number}")
        for theme in THEMES
        for number, (text, expected) in enumerate(theme.ROWS)
    ],
)
def test_a_template_renders_as_in_go(text: str, expected: str) -> None:
    assert render(text, SMALL) == expected


@pytest.mark.parametrize(
    "text,expected",
    [
        pytest.param(APPLICATION, APPLICATION_RENDERED, id="Argo CD application"),
        pytest.param(WORKFLOW, WORKFLOW_RENDERED, id="Argo workflow"),
        pytest.param(WORKSPACE, WORKSPACE_RENDERED, id="Terraform workspace"),
    ],
)
def test_a_template_from_real_life_renders(text: str, expected: str) -> None:
    assert render(text, CONTEXT) == expected
