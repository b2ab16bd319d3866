"""Facts to bytes and back: every type, upcasts, and what can not be read."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fact import FACTS, Fact
from contracts.facts.policy import ApprovalRecorded, PolicySaved
from contracts.shapes import Rule, Target, Verification
from libs.eventlog.mapping import PayloadTranscoder, UnknownType, Unreadable, decode, encode
from libs.eventlog.port import Append, NewFact
from libs.eventlog.prepare import prepare

AT = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)


class Weighed(Fact):
    """The third shape of a fact: v1 had `pounds`, v2 `weight` in kilograms, and this one grams as a whole number."""

    TYPE: ClassVar[str] = "test.weighed.v3"
    class_version: ClassVar[int] = 3
    item: str
    weight_g: int
    target: Target | None = None

    @property
    def stream(self) -> str:
        return f"item/{self.item}"

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["weight"] = state.pop("pounds") * 0.5

    @staticmethod
    def upcast_v2_v3(state: dict[str, Any]) -> None:
        state["weight_g"] = int(state.pop("weight") * 1000)


class CountedOnce(Fact):
    """The first shape of a fact, still published beside the second."""

    TYPE: ClassVar[str] = "test.counted.v1"
    count: int

    @property
    def stream(self) -> str:
        return "counter/1"


class CountedTwice(CountedOnce):
    """Its second shape."""

    TYPE: ClassVar[str] = "test.counted.v2"
    class_version: ClassVar[int] = 2
    unit: str

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["unit"] = "piece"


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (Weighed, CountedOnce, CountedTwice):
        monkeypatch.setitem(FACTS, one.TYPE, one)


@pytest.mark.parametrize(
    "type,payload",
    [
        ("test.weighed.v1", b'{"item":"a","pounds":3}'),
        ("test.weighed.v2", b'{"item":"a","weight":1.5}'),
        ("test.weighed.v3", b'{"item":"a","weight_g":1500}'),
    ],
)
def test_every_older_payload_is_upcast_to_todays_shape(type: str, payload: bytes) -> None:
    assert decode(type, payload) == Weighed(item="a", weight_g=1500)


def test_nothing_but_the_payload_is_stored() -> None:
    assert encode(Weighed(item="a", weight_g=1)) == b'{"item":"a","weight_g":1,"target":null}'


def test_a_type_that_is_published_beside_a_newer_one_keeps_its_own_shape() -> None:
    assert decode("test.counted.v1", b'{"count":1}') == CountedOnce(count=1)
    assert decode("test.counted.v2", b'{"count":1,"unit":"kg"}') == CountedTwice(count=1, unit="kg")


@pytest.mark.parametrize("type", ["test.weighed.v4", "test.weighed.v0", "nobody.said.v1", "weighed", "json:loads", ""])
def test_an_unknown_type_is_an_error_that_names_it(type: str) -> None:
    with pytest.raises(UnknownType, match=f"type '{type}'"):
        decode(type, b"{}")


def test_a_stored_type_never_loads_a_module() -> None:
    assert "this" not in sys.modules
    with pytest.raises(UnknownType):
        decode("this:d", b"{}")
    assert "this" not in sys.modules


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b'{"item":"a"}', b'{"item":"a","weight_g":"heavy"}', b"null"])
def test_a_payload_that_breaks_its_promise_is_an_error_that_names_the_type(payload: bytes) -> None:
    with pytest.raises(Unreadable, match=r"test\.weighed\.v3 can not be read as Weighed"):
        decode("test.weighed.v3", payload)


def test_fields_of_the_future_are_ignored() -> None:
    assert decode("test.weighed.v3", b'{"item":"a","weight_g":1,"colour":"red"}') == Weighed(item="a", weight_g=1)


def test_nested_shapes_and_tuples_come_back_as_they_were() -> None:
    rule = Rule(
        id="r",
        created_at="2026-03-01T00:00:00Z",
        verification=Verification.model_validate(
            {
                "metrics": [
                    {
                        "name": "up",
                        "intervalSeconds": 5,
                        "count": 2,
                        "successCondition": "result.ok",
                        "provider": {"type": "http", "url": "http://x", "headers": {"a": "b"}},
                    }
                ]
            }
        ),
    )
    saved = PolicySaved(policy_id=str(UUID(int=1)), name="p", metadata={"k": "v"}, rules=(rule,), created_at=AT)
    assert decode(saved.TYPE, encode(saved)) == saved
    weighed = Weighed(item="a", weight_g=1, target=Target("r", "e", "d"))
    assert decode(weighed.TYPE, encode(weighed)) == weighed


@given(reason=st.none() | st.text(st.characters(exclude_categories=["Cs"])), at=st.datetimes(timezones=st.just(UTC)))
def test_any_text_and_time_come_back(reason: str | None, at: datetime) -> None:
    fact = ApprovalRecorded(version_id="v", environment_id="e", user_id="u", status="rejected", reason=reason, decided_at=at)
    assert decode(fact.TYPE, encode(fact)) == fact


@pytest.mark.parametrize("type", sorted(FACTS))
def test_every_fact_has_a_version_and_a_shape_that_the_mapper_can_make(type: str) -> None:
    with pytest.raises(Unreadable):
        decode(type, b"not json")


def test_the_transcoder_takes_plain_json_too() -> None:
    transcoder = PayloadTranscoder()
    assert transcoder.decode(transcoder.encode({"a": [1, None]})) == {"a": [1, None]}


@given(st.lists(st.sampled_from(["\\", "u0000", "\x00", "a"]), max_size=8))
def test_a_nul_is_found_and_only_a_nul(pieces: list[str]) -> None:
    text = "".join(pieces)
    fact = ApprovalRecorded(version_id="v", environment_id="e", user_id="u", status="approved", reason=text, decided_at=AT)
    request = Append("w", [NewFact(id="i", fact=fact, time=AT, correlation_id="c", causation_id="c", auth_id="user:a")])
    if "\x00" in text:
        with pytest.raises(ValueError, match="NUL"):
            prepare(request)
    else:
        assert prepare(request).payloads == (encode(fact),)
