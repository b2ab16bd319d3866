"""Lists: joining, indexing, length."""

from __future__ import annotations

from tests.conformance.cel.case import ERROR, table

CASES = table(
    {
        "[] + []": [],
        "[] + [3, 4]": [3, 4],
        "[1, 2] + []": [1, 2],
        "[1] + [2] + [3]": [1, 2, 3],
        "dyn([1]) + ['a']": [1, "a"],
        "[7, 8, 9][0]": 7,
        "[7, 8, 9][2]": 9,
        "[7, 8, 9][dyn(0.0)]": 7,
        "[7, 8, 9][dyn(0u)]": 7,
        "[7, 8, 9][dyn(0.1)]": ERROR,
        "[0][1]": ERROR,
        "[0][-1]": ERROR,
        "[][0]": ERROR,
        "[1][dyn('0')]": ERROR,
        "[1][dyn(true)]": ERROR,
        "[[1, 2], [3]][0][1]": 2,
        "size([])": 0,
        "size([1, 2, 3])": 3,
        "[1, 2].size()": 2,
        "7 in [1, 7]": True,
        "7 in []": False,
        "'foo' in ['foo', 'bar']": True,
        "[1, 2, 3,]": [1, 2, 3],
        "1 in [1, 2,]": True,
        "[1, 2][0 + 1]": 2,
        "[{'a': 1}][0].a": 1,
        "dyn([1, 2]) == [1.0, 2u]": True,
        "[1, 2] + 3": ERROR,
        "[1] - [1]": ERROR,
    }
)
