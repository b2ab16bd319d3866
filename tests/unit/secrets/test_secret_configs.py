"""Configurations: sealed for the log, masked for people, and merged when a mask comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from libs.secrets.config import clear_secrets, masked, merged_back, references_of, sealed
from libs.secrets.fields import SecretFields
from libs.secrets.problem import SecretProblem
from libs.secrets.references import MASK, MAX_DEPTH, Reference
from tests.unit.secrets.secret_scenes import BOX, CONFIGS, OTHER, leaves

BY_NAME = SecretFields()


def test_secrets_are_sealed_and_the_rest_stays_as_it_is() -> None:
    config = {
        "serverUrl": "https://argo", "apiKey": "s3cret", "retries": 3, "empty": {"token": "", "password": None, "secret": False},
        "headers": [{"key": "Authorization", "value": "Bearer t"}, {"key": "Accept", "value": "*/*"}],
        "credentials": {"user": "ann", "pin": 1234, "list": ["a", True]},
    }  # fmt: skip
    kept = sealed(config, BY_NAME, BOX)
    assert kept == {
        **config,
        "apiKey": str(BOX.seal("s3cret")),
        "headers": [{"key": "Authorization", "value": str(BOX.seal("Bearer t"))}, {"key": "Accept", "value": "*/*"}],
        "credentials": {"user": str(BOX.seal("ann")), "pin": str(BOX.seal(1234)), "list": [str(BOX.seal("a")), True]},
    }
    assert clear_secrets(config, BY_NAME) == (
        ("apiKey",), ("headers", 0, "value"), ("credentials", "user"), ("credentials", "pin"), ("credentials", "list", 0),
    )  # fmt: skip
    assert clear_secrets(kept, BY_NAME) == ()
    assert masked(kept)["headers"][0] == {"key": "Authorization", "value": MASK}


def test_references_are_left_and_shown_as_they_are() -> None:
    config = {"apiKey": "${secret:env:SIGNALBOX_SECRET_A}", "token": "Bearer ${secret:file:b}"}
    assert sealed(config, BY_NAME, BOX) == config
    assert masked(config) == config
    assert references_of([config, config]) == (Reference("env", "SIGNALBOX_SECRET_A"), Reference("file", "b"))


def test_a_sealed_text_of_another_workspace_is_refused_with_its_place() -> None:
    with pytest.raises(SecretProblem, match=r"^a/1: the sealed secret can not be opened") as told:
        sealed({"a": ["", str(OTHER.seal("theirs"))]}, BY_NAME, BOX)
    assert told.value.code == "broken"


@pytest.mark.parametrize(
    "config,code,place",
    [
        ({"apiKey": MASK}, "masked", "apiKey"),
        ({"note": f"Bearer {MASK}"}, "masked", "note"),
        ({"a": {"b": "${secret:env:"}}, "malformed", "a/b"),
        ({"token": "x" * 40_000}, "too_large", "token"),
        ({"token": "\ud800"}, "malformed", "token"),
        ({"token": 2**80}, "malformed", "token"),
    ],
)
def test_what_can_not_be_kept_is_told_with_its_place(config: Any, code: str, place: str) -> None:
    with pytest.raises(SecretProblem) as told:
        sealed(config, BY_NAME, BOX)
    assert (told.value.code, str(told.value).split(":")[0]) == (code, place)


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_a_configuration_of_many_levels_ends_in_a_problem() -> None:
    assert sealed(deep(MAX_DEPTH), BY_NAME, BOX) == deep(MAX_DEPTH)
    for refuse in (lambda config: sealed(config, BY_NAME, BOX), lambda config: merged_back(config, config), references_of):
        with pytest.raises(SecretProblem, match="more than 64 levels"):
            refuse(deep(900))
    assert MASK in json.dumps(masked(deep(900)), ensure_ascii=False)


@settings(deadline=None, max_examples=200)
@given(CONFIGS)
def test_no_secret_is_in_clear_and_saving_again_changes_nothing(config: dict[str, Any]) -> None:
    kept = sealed(config, BY_NAME, BOX)
    assert kept == sealed(config, BY_NAME, BOX) == sealed(kept, BY_NAME, BOX)
    assert clear_secrets(kept, BY_NAME) == ()
    shown = masked(kept)
    clear = [_at(config, path) for path in clear_secrets(config, BY_NAME)]
    masks = [leaf for leaf in leaves(shown) if leaf == MASK]
    assert len(masks) == len(clear)
    for path in clear_secrets(config, BY_NAME):
        assert _at(shown, path) == MASK
        assert _at(kept, path) == str(BOX.seal(_at(config, path)))


@settings(deadline=None, max_examples=200)
@given(CONFIGS)
def test_a_mask_that_comes_back_means_unchanged(config: dict[str, Any]) -> None:
    kept = sealed(config, BY_NAME, BOX)
    assert merged_back(masked(kept), kept) == kept
    assert merged_back({**masked(kept), "added": 1}, kept) == {**kept, "added": 1}


def _at(config: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        config = config[part]
    return config


A, B, C = (str(BOX.seal(word)) for word in "abc")


@pytest.mark.parametrize(
    "new,known,merged",
    [
        ({"token": MASK}, {"token": A}, {"token": A}),
        ({"token": "new"}, {"token": A}, {"token": "new"}),
        ({"token": f"Bearer {MASK}"}, {"token": f"Bearer {A}"}, {"token": f"Bearer {A}"}),
        ({"other": 1}, {"token": A}, {"other": 1}),
        ([MASK, "x"], [A, B], [A, "x"]),
        (["x", MASK, MASK], ["x", A, B], ["x", A, B]),
        ([{"id": 2, "token": MASK}, {"id": 1, "token": MASK}], [{"id": 1, "token": A}, {"id": 2, "token": B}], [{"id": 2, "token": B}, {"id": 1, "token": A}]),
        ([{"key": "b", "on": True, "value": MASK}], [{"key": "a", "value": A}, {"key": "b", "value": B}], [{"key": "b", "on": True, "value": B}]),
        ([{"token": MASK, "url": "new"}], [{"token": A, "url": "old"}], [{"token": A, "url": "new"}]),
    ],
)  # fmt: skip
def test_masks_find_their_secrets(new: Any, known: Any, merged: Any) -> None:
    assert merged_back(new, known) == merged


@pytest.mark.parametrize(
    "new,known,place",
    [
        ({"token": MASK}, None, "token"),
        ({"token": MASK}, {"other": A}, "token"),
        ({"token": MASK}, {"token": "clear"}, "token"),
        ({"token": MASK}, {"token": {"a": A}}, "token"),
        ({"token": f"Basic {MASK}"}, {"token": f"Bearer {A}"}, "token"),
        ({"token": MASK}, {"token": "${secret:env:A}"}, "token"),
        ([MASK, MASK, MASK], [A, B], "2"),
        (["x", MASK], [A], "1/"),
        ([{"id": 9, "token": MASK}], [{"id": 1, "token": A}], "0/token"),
        ([{"name": "x", "token": MASK, "n": 1}], [{"name": "x", "token": A}, {"name": "x", "token": B}], "0/token"),
    ],
)
def test_a_mask_behind_which_nothing_certain_is_known_is_refused(new: Any, known: Any, place: str) -> None:
    if place == "1/":
        # The same single element elsewhere is certain enough.
        assert merged_back(new, known) == ["x", A]
        return
    with pytest.raises(SecretProblem) as told:
        merged_back(new, known)
    assert (told.value.code, str(told.value).split(":")[0]) == ("masked", place)


def test_long_lists_of_masks_are_merged_in_time_that_grows_with_their_length() -> None:
    known = [{"id": number, "token": C} for number in range(4000)]
    new = [{"id": number, "token": MASK} for number in reversed(range(4000))]
    assert merged_back(new, known) == list(reversed(known))
