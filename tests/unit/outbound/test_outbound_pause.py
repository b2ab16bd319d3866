"""How long an answer asks us to stay away."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.outbound.answer import Answer
from libs.outbound.pause import MAX_PAUSE_S, SECONDARY_PAUSE_S, pause_of, retry_after

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


@pytest.mark.parametrize(
    "status,headers,body,seconds",
    [
        (429, {"Retry-After": "7"}, b"", 7),
        (503, {"Retry-After": "0"}, b"", 0),
        (403, {"retry-after": "60"}, b"", 60),
        (429, {"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT"}, b"", 30),
        (429, {"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT"}, b"", 0),
        (503, {"Retry-After": "99999999"}, b"", MAX_PAUSE_S),
        (429, {"Retry-After": "soon"}, b"", None),
        (200, {"Retry-After": "7"}, b"", None),
        (429, {}, b"", None),
        (503, {}, b"", None),
        (403, {}, b"no access", None),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 90)}, b"", 90),
        (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH - 5)}, b"", 0),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 90)}, b"", 90),
        (200, {"x-ratelimit-remaining": "12", "x-ratelimit-reset": str(EPOCH + 90)}, b"", None),
        (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0.5"}, b"", 0.5),
        (429, {"ratelimit-remaining": "0", "ratelimit-reset": "20"}, b"", 20),
        (429, {"x-ratelimit-remaining": "0"}, b"", None),
        (403, {"x-ratelimit-remaining": "12"}, b'{"message": "You have exceeded a secondary rate limit"}', SECONDARY_PAUSE_S),
        (200, {}, b"secondary rate limit", None),
    ],
)
def test_the_pause_that_an_answer_asks_for(status: int, headers: dict[str, str], body: bytes, seconds: float | None) -> None:
    assert pause_of(Answer(status, httpx.Headers(headers), body), NOW) == seconds


@settings(deadline=None)
@given(
    st.sampled_from([200, 403, 429, 503]),
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-remaining", "ratelimit-reset"]),
        st.one_of(st.just("0"), st.text("0123456789-+.eE aGMT:,\xff", max_size=20), st.integers().map(str), st.floats().map(str)),
    ),
)
def test_whatever_a_server_says_the_pause_is_bounded(status: int, headers: dict[str, str]) -> None:
    told = pause_of(Answer(status, httpx.Headers(headers, encoding="latin-1"), b""), NOW)
    assert told is None or 0 <= told <= MAX_PAUSE_S


@settings(deadline=None)
@given(st.integers(0, 2**32).map(lambda second: datetime.fromtimestamp(second, UTC)))
def test_dates_are_in_gmt_in_both_spellings(at: datetime) -> None:
    days, months = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # fmt: skip
    day, month = days[at.weekday()], months[at.month - 1]
    wanted = min(max(0.0, (at - NOW).total_seconds()), MAX_PAUSE_S)
    assert retry_after(f"{day}, {at.day:02d} {month} {at.year} {at:%H:%M:%S} GMT", NOW) == wanted
    assert retry_after(f"{day} {month} {at.day:2d} {at:%H:%M:%S} {at.year}", NOW) == wanted
