"""What `at` may say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contracts.documents import instant, stamp
from services.gateway.as_of.moment import BadMoment, Instant, moment_of


@pytest.mark.parametrize("text,position", [("0", 0), ("7", 7), ("007", 7), ("123456789012345678", 123456789012345678)])
def test_digits_are_a_position(text: str, position: int) -> None:
    assert moment_of(text) == position


@pytest.mark.parametrize(
    "text,told,through",
    [
        ("2026-01-31T12:00:00Z", (12, 0, 0, 0), (12, 0, 0, 999)),
        ("2026-01-31t12:00:00.5z", (12, 0, 0, 500_000), (12, 0, 0, 500_999)),
        ("2026-01-31T12:00:00.123Z", (12, 0, 0, 123_000), (12, 0, 0, 123_999)),
        ("2026-01-31T12:00:00.123456Z", (12, 0, 0, 123_456), (12, 0, 0, 123_456)),
        ("2026-01-31T12:00:00.123456789Z", (12, 0, 0, 123_456), (12, 0, 0, 123_456)),
        ("2026-01-31T14:30:00+02:30", (12, 0, 0, 0), (12, 0, 0, 999)),
        ("2026-01-31T14:30:00 02:30", (12, 0, 0, 0), (12, 0, 0, 999)),
        ("2026-01-31T10:00:00-02:00", (12, 0, 0, 0), (12, 0, 0, 999)),
    ],
)
def test_a_time_counts_through_the_end_of_its_last_millisecond(
    text: str, told: tuple[int, int, int, int], through: tuple[int, int, int, int]
) -> None:
    assert moment_of(text) == Instant(datetime(2026, 1, 31, *told, tzinfo=UTC), datetime(2026, 1, 31, *through, tzinfo=UTC))


def test_what_was_recorded_at_a_time_that_the_api_wrote_is_seen_at_that_time() -> None:
    recorded = datetime(2026, 1, 31, 12, 0, 0, 123_987, tzinfo=UTC)
    moment = moment_of(stamp(recorded))
    assert isinstance(moment, Instant)
    assert moment.told == instant(stamp(recorded)) <= recorded <= moment.through


@pytest.mark.parametrize(
    "text,says",
    [
        ("-1", "negative"),
        ("now", "a position"),
        ("1.5", "a position"),
        ("²", "a position"),
        ("٣", "a position"),
        ("1234567890123456789", "a position"),
        ("2026-01-31", "a position"),
        ("2026-01-31T12:00:00", "with its zone"),
        ("2026-01-31 12:00:00Z", "a position"),
        ("2026-02-30T12:00:00Z", "that there is"),
        ("2026-01-31T12:00:60Z", "that there is"),
        ("2026-01-31T25:00:00Z", "that there is"),
        ("2026-01-31T12:00:00+25:00", "that there is"),
        ("0000-01-31T12:00:00Z", "that there is"),
        ("2026-01-31T12:00:00Z\n", "a position"),
    ],
)
def test_anything_else_is_refused_with_what_to_write_instead(text: str, says: str) -> None:
    with pytest.raises(BadMoment, match=says):
        moment_of(text)


def test_the_ends_of_time_are_times() -> None:
    for text in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        moment = moment_of(text)
        assert isinstance(moment, Instant)
        assert stamp(moment.told) <= stamp(moment.through)
