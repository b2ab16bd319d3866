"""Maps: selection, indexing, presence and literals."""

from __future__ import annotations

from tests.conformance.cel.case import ERROR, table

CASES = (
    *table(
        {
            "{'name': 1024}.name": 1024,
            "{'name': 1024}['name']": 1024,
            "{'name': 1024}.hame": ERROR,
            "{'name': 1024}['hame']": ERROR,
            "{0: 1, 2: 2, 5: true}[5]": True,
            "{0u: 1u, 2u: 'happy', 5u: 3u}[2u]": "happy",
            "{'key': ''}['key']": "",
            "{true: 5}[true]": 5,
            "{true: 1, 2: 2, 5u: 3}[true]": 1,
            "{'a': 1}[dyn(1)]": ERROR,
            "{1: 'a'}[dyn(1.0)]": "a",
            "{1: 'a'}[dyn(1u)]": "a",
            "{1: 'a'}[dyn(1.1)]": ERROR,
            "{'name': {'inner': 2}}.name.inner": 2,
            "{'a': {'b': {'c': 'd'}}}['a'].b['c']": "d",
            "has({'a': 1}.a)": True,
            "has({'a': 1}.b)": False,
            "has({'a': null}.a)": True,
            "has({}.a)": False,
            "has({'a': {'b': 1}}.a.b)": True,
            "has({'a': {'b': 1}}.a.c)": False,
            "has({'a': {'b': 1}}.z.c)": ERROR,
            "{'a': 1, 'a': 2}": ERROR,
            "{1: 1, 1u: 2}": ERROR,
            "{1.5: 1}": ERROR,
            "{null: 1}": ERROR,
            "{[1]: 1}": ERROR,
            "size({})": 0,
            "size({'a': 1, 'b': 2})": 2,
            "{'a': 1}.size()": 1,
            "'a' in {'a': 1}": True,
            "7 in {'a': 1}": False,
            "dyn([]).field": ERROR,
            "dyn('x').field": ERROR,
            "{'a': 1}.a.b": ERROR,
            "1 in dyn(1)": ERROR,
        }
    ),
    *table(
        {
            "m.k": 1,
            "m['k']": 1,
            "m.k2": ERROR,
            "m.deep.er": "x",
            "has(m.deep.er)": True,
            "has(m.deep.nope)": False,
            "m['with space']": 2,
            "m['a/b.c']": 3,
            "'k' in m": True,
            "m.list[1].name": "b",
            "m == m": True,
            "m.nothing == null": True,
            "has(m.nothing)": True,
        },
        m={
            "k": 1,
            "deep": {"er": "x"},
            "with space": 2,
            "a/b.c": 3,
            "list": [{"name": "a"}, {"name": "b"}],
            "nothing": None,
        },
    ),
)
