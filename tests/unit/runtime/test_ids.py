"""Derived ids and trace contexts."""

from __future__ import annotations

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from libs.runtime.ids import derived
from libs.runtime.trace import span_of


@given(st.uuids(), st.text(max_size=20))
def test_a_derived_id_is_a_uuid5(cause: UUID, name: str) -> None:
    assert derived(str(cause), name) == str(uuid5(cause, name))


@given(st.uuids(), st.uuids())
def test_the_trace_is_the_correlation_and_the_span_the_end_of_the_fact(correlation: UUID, fact: UUID) -> None:
    assert span_of(str(correlation), str(fact)) == f"00-{correlation.hex}-{fact.hex[16:]}-01"
