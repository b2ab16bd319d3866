"""YAML of templates: read as Kubernetes' tools read it, and never more of it than is good."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.adapters.yaml_documents import MAX_NODES, BadYaml, documents


@pytest.mark.parametrize(
    "text,value",
    [
        ("1", 1),
        ("-7", -7),
        ("0644", 420),
        ("0o644", 420),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("089", "089"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("9223372036854775808", 9223372036854775808.0),
        ("1e999", "1e999"),
        ("yes", True),
        ("Off", False),
        ("y", "y"),
        ("~", None),
        ('"yes"', "yes"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("2026-05-01", "2026-05-01"),
        ("22:22", "22:22"),
        ("v1.2", "v1.2"),
        ("1.2.3", "1.2.3"),
        (".inf", ".inf"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("1" * 41, "1" * 41),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    (found,) = documents(f"value: {text}")
    assert found == {"value": value}
    assert type(found["value"]) is type(value)


def test_keys_are_the_text_that_is_written() -> None:
    assert documents("on: 1\n1: 2\n~: 3") == [{"on": 1, "1": 2, "~": 3}]


def test_empty_documents_are_none() -> None:
    assert documents("---\n---\na: 1\n---\n# nothing\n---\n- 2\n...") == [{"a": 1}, [2]]
    assert documents("") == []


def test_aliases_and_merges() -> None:
    text = "base: &base {a: 1, b: 2}\nuse: *base\nown: {<<: *base, b: 3}\nboth: {<<: [{a: 9}, *base]}"
    (found,) = documents(text)
    assert found["use"] == {"a": 1, "b": 2}
    assert found["own"] == {"a": 1, "b": 3}
    assert found["both"] == {"a": 9, "b": 2}


def test_an_anchor_counts_in_its_own_document() -> None:
    with pytest.raises(BadYaml, match=r"\*a stands for nothing"):
        documents("a: &a 1\n---\nb: *a")


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text,said",
    [
        (bomb(20), f"more than {MAX_NODES} values"),
        ("\n".join(["a: &a {k: 1}"] + [f"a{n}: {{<<: [{', '.join(['*a'] * 500)}]}}" for n in range(200)]), "more than"),
        ("[" * 5_000, "nested deeper"),
        ("- " * 5_000, "nested deeper"),
        ("&a [*a]", "stands for nothing"),
        ("a: 1\na: 2", r"the key 'a' stands there twice \(line 2\)"),
        ("? [a]\n: b", "a key is a list or a map"),
        ("!!python/object:os.system x", "tag .* can not be used"),
        ("!!binary aGk=", "tag .* can not be used"),
        ("a: b: c", "no YAML in line 1"),
        ("a: 'b", "no YAML in line"),
        ("a: \x00", "no YAML: "),
        ("a: \ud800", "half a character"),
    ],
)
def test_what_is_not_read_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(BadYaml, match=said):
        documents(text)


# What YAML does not take even in quotes (control characters and the like) JSON has to escape as well.
texts = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_json_is_yaml(value: Any) -> None:
    text = orjson.dumps([value]).decode()
    read = documents(text)
    assert read == [orjson.loads(text)]


@given(st.text(alphabet="ab:-?*&<[]{}#|>'\"\n \t!1,%@`", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = documents(text)
    except BadYaml:
        return
    orjson.dumps(read)
