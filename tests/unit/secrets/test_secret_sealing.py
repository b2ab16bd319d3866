"""Sealed secrets: the same text each time, readable by their workspace alone, and not to be changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.secrets.problem import SecretProblem
from libs.secrets.references import references
from libs.secrets.sealing import MAX_SECRET_BYTES, SecretBox
from tests.unit.secrets.secret_scenes import BOX, HERE, OTHER, SECRETS, THERE, key

NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))


@settings(deadline=None)
@given(st.one_of(SECRETS, st.just(""), NUMBERS))
def test_what_is_sealed_can_be_opened_and_is_the_same_text_each_time(value: str | float) -> None:
    sealed = BOX.seal(value)
    assert sealed == BOX.seal(value)
    assert references(str(sealed)) == (sealed,)
    opened = BOX.open(sealed.name)
    assert (opened, type(opened)) == (value, type(value))


@settings(deadline=None)
@given(SECRETS, SECRETS)
def test_different_secrets_are_different_texts(one: str, other: str) -> None:
    assert (BOX.seal(one) == BOX.seal(other)) == (one == other)


@settings(deadline=None)
@given(SECRETS, st.data())
def test_a_changed_text_does_not_open(value: str, data: st.DataObject) -> None:
    sealed = BOX.seal(value).name
    place = data.draw(st.integers(0, len(sealed) - 1))
    sign = data.draw(st.sampled_from("ABCxyz019-_=").filter(lambda sign: sign != sealed[place]))
    for changed in (
        sealed[:place] + sign + sealed[place + 1 :],
        sealed[:place],
        sealed + sign,
        sealed[:place] + sealed[place + 1 :],
    ):
        with pytest.raises(SecretProblem) as told:
            BOX.open(changed)
        assert told.value.code == "broken"


@settings(deadline=None)
@given(SECRETS)
def test_another_workspace_can_not_open_it_even_with_the_same_key(value: str) -> None:
    sealed = BOX.seal(value).name
    for box in (OTHER, SecretBox(THERE, BOX.key), SecretBox(HERE, key("another"))):
        with pytest.raises(SecretProblem, match="can not be opened in this workspace"):
            box.open(sealed)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=30), st.binary(max_size=30).map(repr)))
def test_whatever_is_written_in_place_of_a_sealed_text_is_a_problem_and_no_accident(text: str) -> None:
    with pytest.raises(SecretProblem):
        BOX.open(text)


def test_a_workspace_is_the_same_in_capitals() -> None:
    assert SecretBox(HERE.upper(), BOX.key).seal("s") == BOX.seal("s")


@pytest.mark.parametrize("value,code", [("x" * MAX_SECRET_BYTES, "too_large"), ("\ud800", "malformed"), (2**80, "malformed")])
def test_what_can_not_be_sealed_is_told_without_showing_it(value: str | float, code: str) -> None:
    with pytest.raises(SecretProblem) as told:
        BOX.seal(value)
    assert told.value.code == code
    assert str(value) not in str(told.value)


def test_neither_boxes_nor_keys_are_shown_in_logs() -> None:
    assert "key" not in repr(BOX)
    assert repr(BOX.key) not in repr(BOX)
