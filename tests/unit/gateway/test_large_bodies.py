"""A large body is checked some elements at a time, and comes to what it would come to as a whole."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commands.inventory import ResourceInput, SetProviderResources
from libs.runtime.pieces import PIECE
from services.gateway.http import bodies
from services.gateway.http.providers import LargeSet, routes
from services.gateway.http.validation import body_of, large_body_of
from services.gateway.json_text import MAX_DEPTH, BadJson, normal, parse

LARGE = next(one.large for one in routes.operations if one.handler.__name__ == "set_provider_resources")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def resources(**changed: Any) -> list[dict[str, Any]]:
    """One more than fit in a piece; the last one is changed."""
    one = {
        "name": "ü",
        "kind": "K",
        "version": "v",
        "config": {"n": 1},
        "metadata": {"a": "b"},
        "createdAt": "2026-01-01T00:00:00Z",
    }
    found = [{**one, "identifier": f"r{number}"} for number in range(PIECE + 1)]
    return [*found[:-1], {**found[-1], **changed}]


def come_to(check: Any, text: bytes) -> Any:
    try:
        return check(text)
    except BadJson as error:
        return str(error)


@given(st.dictionaries(st.text(max_size=3), st.lists(JSON, max_size=5) | JSON, max_size=4) | JSON)
def test_the_text_in_pieces_is_that_of_the_whole(value: Any) -> None:
    text = json.dumps(value).encode("utf-8", "surrogatepass")
    assert come_to(normal, text) == come_to(lambda one: parse(one)[1], text)


@given(st.binary(max_size=12), st.sampled_from([b"", b'{"a":[', b'{"a":[1,', b'{"a":']), st.sampled_from([b"", b"]}", b"}"]))
def test_what_is_no_json_is_told_as_of_the_whole(middle: bytes, start: bytes, end: bytes) -> None:
    text = start + middle + end
    assert come_to(normal, text) == come_to(lambda one: parse(one)[1], text)


@pytest.mark.parametrize("depth", [MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1])
def test_the_depth_counts_from_the_top(depth: int) -> None:
    text = b'{"a":' + b"[" * depth + b'"x"' + b"]" * depth + b"}"
    assert come_to(normal, text) == come_to(lambda one: parse(one)[1], text)


def test_a_large_set_is_what_the_command_carries() -> None:
    text = orjson.dumps({"resources": resources(config=None, metadata=None, more="passed over")})
    made, problems = large_body_of(text, bodies.ProviderSet, LARGE)
    assert problems == []
    assert isinstance(made, LargeSet)
    wish = SetProviderResources.model_validate_json(b'{"provider_id":"p","resources":' + made.resources + b"}")
    whole, _ = body_of(orjson.loads(text), text, bodies.ProviderSet)
    assert whole is not None
    assert wish.resources == tuple(
        ResourceInput(**{name: getattr(one, name) for name in ResourceInput.model_fields}) for one in whole.resources
    )


@pytest.mark.parametrize("changed", [{"name": None}, {"name": 7}, {"metadata": {"a": 1}}, {"createdAt": None}, {"config": []}])
def test_what_is_wrong_with_a_large_set_is_told_as_of_a_small_one(changed: dict[str, Any]) -> None:
    text = orjson.dumps({"resources": resources(**changed)})
    told = large_body_of(text, bodies.ProviderSet, LARGE)
    assert told == body_of(orjson.loads(text), text, bodies.ProviderSet)
    assert told[0] is None
    assert told[1]


@pytest.mark.parametrize("value", [[], {}, {"resources": {}}, {"resources": [7]}, {"resources": None}])
def test_what_is_no_set_is_told_as_of_a_small_one(value: Any) -> None:
    text = orjson.dumps(value)
    assert large_body_of(text, bodies.ProviderSet, LARGE) == body_of(value, text, bodies.ProviderSet)


def test_an_empty_list_is_a_set() -> None:
    assert large_body_of(b'{"resources":[]}', bodies.ProviderSet, LARGE) == (LargeSet(b"[]"), [])
